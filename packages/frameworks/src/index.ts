export { DriverError } from './driver-error.ts';
export type { DriverErrorCode } from './driver-error.ts';
export * from './executor/index.ts';
export * from './scheduler/index.ts';
