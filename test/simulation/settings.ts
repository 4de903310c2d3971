import type { FaultRates } from '@mezzo/process/testing';

/** Virtual milliseconds. */
const minute = 60_000;

export const cluster = 'simulated';

export const masterNames = numbered('master', 3);
export const agentNames = numbered('agent', 20);
export const frameworkNames = ['framework-1', 'framework-2', 'framework-3'] as const;

/** When faults end, when nobody launches anything any more, and when all must be well; since the world's beginning. */
export const schedule = { calm: 5.5 * minute, idle: 6 * minute, end: 10 * minute } as const;

/** No task ends while the last look is taken. */
export const lastEnd = schedule.end - minute;

/** How many begin in a minute, in the whole world. Whom they hit is drawn from all nodes. */
export const faults: FaultRates = {
  crash: 0.9,
  power: 0.3,
  pause: 0.6,
  partition: 0.6,
  disconnect: 0.6,
  broker: 0.15,
  disk: 0.8,
  clock: 0.8,
  lasting: ['1s', '45s'],
};

/** One-way, of a frame, in milliseconds. */
export const latency: readonly [number, number] = [0.5, 5];

/** What a seed may take. */
export const limits = { coreSeconds: 0.5, events: 50_000 } as const;

/** How nodes find out that another one is gone: by pings and renewals, which come often enough. */
export const nodeOptions = { freeze: false, heartbeatInterval: '15s', linkTimeout: '30s' } as const;

export const lease = { duration: '12s', renewal: '3s' } as const;

export const masterOptions = {
  cluster,
  agentPingTimeout: '15s',
  maxAgentPingTimeouts: 2,
  agentReregisterTimeout: '45s',
  allocationInterval: '2s',
  offerTimeout: '40s',
} as const;

export const agentOptions = { cluster, workDirectory: '/work', resources: 'cpus:4;mem:1024;disk:1024' } as const;

function numbered(what: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${what}-${index + 1}`);
}
