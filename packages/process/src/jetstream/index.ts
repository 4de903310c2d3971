export { jetStreamLease } from './jet-stream-lease.ts';
export type { JetStreamLease, JetStreamLeaseOptions } from './jet-stream-lease.ts';
export { jetStreamLog } from './jet-stream-log.ts';
export type { JetStreamLogOptions } from './jet-stream-log.ts';
export type { JetStreamOptions, Replicas } from './server-stream.ts';
