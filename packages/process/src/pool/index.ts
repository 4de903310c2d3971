export { PortHub } from './port-hub.ts';
export type { PortHubOptions, SpawnOptions } from './port-hub.ts';
export { portTransport } from './port-transport.ts';
export { workerNode } from './worker-node.ts';
export { WorkerCrashed, WorkTimeout } from './work-errors.ts';
export { WorkerPool } from './worker-pool.ts';
export type { ArgumentOf, OffloadOptions, ResultOf, Work, WorkerPoolOptions, WorkNames } from './worker-pool.ts';
