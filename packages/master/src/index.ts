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
export { startCandidate, type StartCandidateOptions, type StartedCandidate } from './election/start-candidate.ts';
export { Deposed, Elected, Leads } from './election/contender-messages.ts';
export { demoLease, LeaseContender, type LeaseContenderOptions } from './election/lease-contender.ts';
export { StandaloneContender } from './election/standalone-contender.ts';
export { ZooKeeperContender } from './election/zookeeper/zookeeper-contender.ts';
export { ZooKeeperDetector } from './election/zookeeper/zookeeper-detector.ts';
export { masterInfo } from './election/zookeeper/master-info.ts';
export { Master, type MasterParts } from './master.ts';
export { OperatorError } from './operator-error.ts';
export { Operator } from './operator.ts';
export type { MasterOptions } from './options.ts';
export type { PrincipalLimit, RateLimits } from './frameworks/principal-limits.ts';
export {
  backupRegistry,
  Registrar,
  type RegistrarOptions,
  restoreRegistry,
  type RestoreOptions,
} from './registrar/index.ts';
export { startMaster, type StartedMaster, type StartMasterOptions } from './start-master.ts';
