export { withExitRecords } from './exit-records.ts';
