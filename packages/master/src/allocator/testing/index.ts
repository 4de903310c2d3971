export {
  allocatorConformance,
  type AllocatorConformanceOptions,
  type ConformanceTest,
} from './allocator-conformance.ts';
export type { Capability } from './rule.ts';
export { ConformanceFailure } from './stage.ts';
