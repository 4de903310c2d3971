import { cpus } from 'node:os';
import type { AllocatorChoice } from '@mezzo/master';
import type { Duration } from '@mezzo/process';
import type { LocalClusterOptions } from './local-cluster.ts';

/** The options of a local cluster with every default in place. */
export interface ClusterPlan {
  readonly cluster: string;
  readonly directory: string;
  /** Names of the agents. */
  readonly agents: readonly string[];
  readonly port: number;
  readonly allocator: AllocatorChoice;
  readonly resources: string;
  readonly linkTimeout: Duration;
  readonly allocationInterval: Duration;
  readonly signal: AbortSignal | undefined;
}

/**
 * Losing a peer is noticed within this time; Mesos's own settings are made for wide networks (75 s). Longer than it takes to
 * notice a frozen NATS server (3 s), which is not the peers' fault.
 */
const linkTimeout = '4s';

/** Freed resources are offered again within this time: on one machine there is nothing to gain from Mesos's 1 s. */
const allocationInterval = '100ms';

export function planOf(options: LocalClusterOptions, directory: string): ClusterPlan {
  return {
    cluster: options.cluster ?? 'mezzo',
    directory,
    agents: Array.from({ length: options.agents ?? 3 }, (_, index) => `agent-${index + 1}`),
    port: options.port ?? 5050,
    allocator: {
      allocator: options.allocator,
      roleSorter: options.roleSorter,
      frameworkSorter: options.frameworkSorter,
    },
    resources: options.resources ?? `cpus:${cpus().length};mem:1024;disk:10240;ports:[31000-32000]`,
    linkTimeout,
    allocationInterval,
    signal: options.signal,
  };
}
