export { LeaseServer } from './lease-server.ts';
export type { LeaseRecord, LeaseStore } from './lease-store.ts';
export { memoryLease } from './memory-lease.ts';
export { remoteLease } from './remote-lease.ts';
