export {
  type AllocatorChoice,
  type Candidate,
  ClusterTotals,
  createAllocator,
  DrfSorter,
  HierarchicalAllocator,
  type AllocatorFactory,
  type AllocatorOptions,
  type HierarchicalAllocatorOptions,
  type ModuleLoader,
  type Placement,
  RandomSorter,
  resolveAllocator,
  type Sorter,
  type SorterFactory,
  type SorterOptions,
} from './allocator/index.ts';
export { StandaloneContender, type StandaloneContenderOptions } from './election/standalone-contender.ts';
export { Master, type MasterParts } from './master.ts';
export { OperatorError } from './operator-error.ts';
export type { MasterOptions } from './options.ts';
export { startMaster, type StartedMaster, type StartMasterOptions } from './start-master.ts';
