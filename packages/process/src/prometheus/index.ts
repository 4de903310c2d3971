export { prometheusText } from './text.ts';
