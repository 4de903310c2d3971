import type { NodeOptions } from '../../packages/process/src/node/node.ts';

/** The same in both worlds; short, so that real time is short. */
export const timing: NodeOptions = { heartbeatInterval: '100ms', linkTimeout: '1s' };
