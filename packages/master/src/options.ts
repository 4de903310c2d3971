import { type Duration, toMilliseconds } from '@mezzo/process';
import { type Domain, type MasterID, ResourceQuantities } from '@mezzo/protocol';

/** Mesos's flags in camelCase, with Mesos's defaults. */
export interface MasterOptions {
  /** Name of the cluster. Default `mezzo`. */
  readonly cluster?: string;
  /** Default: a random UUID, new at every start. */
  readonly masterId?: MasterID;
  /** How often agents are pinged (agent_ping_timeout). Default 15 s. */
  readonly agentPingTimeout?: Duration;
  /** Pings in a row without an answer after which an agent is unreachable (max_agent_ping_timeouts). Default 5. */
  readonly maxAgentPingTimeouts?: number;
  /** How long a disconnected agent may stay away (agent_reregister_timeout). Default 10 min. */
  readonly agentReregisterTimeout?: Duration;
  /** After this an unused offer is rescinded (offer_timeout). Default: never. */
  readonly offerTimeout?: Duration;
  /** Time between periodic allocation runs, at least 1 ms (allocation_interval). Default 1 s. */
  readonly allocationInterval?: Duration;
  /** What an offer must at least hold, alternatives separated by `|` (min_allocatable_resources). Default `cpus:0.01|mem:32`. */
  readonly minAllocatableResources?: string;
  /** Weights of roles (weights). Default: 1 for each. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Names of resources that do not count in shares (fair_sharing_excluded_resource_names). Default: none. */
  readonly fairnessExcludedNames?: readonly string[];
  /** Keeps agents with GPUs for frameworks with GPU_RESOURCES (filter_gpu_resources). Default true. */
  readonly filterGpuResources?: boolean;
  /** Where the master stands (domain). Default: nowhere, and no agent is remote. */
  readonly domain?: Domain;
  /** Frameworks remembered after their end (max_completed_frameworks). Default 50. */
  readonly maxCompletedFrameworks?: number;
  /** Tasks remembered after their end (max_completed_tasks_per_framework). Default 1000. */
  readonly maxCompletedTasksPerFramework?: number;
  /** Tasks of lost agents remembered (max_unreachable_tasks_per_framework). Default 1000. */
  readonly maxUnreachableTasksPerFramework?: number;
}

/** The same with every default in place; durations in milliseconds. */
export interface ResolvedOptions {
  readonly cluster: string;
  readonly agentPingTimeout: number;
  readonly maxAgentPingTimeouts: number;
  readonly agentReregisterTimeout: number;
  readonly offerTimeout: number | undefined;
  readonly allocationInterval: number;
  readonly minAllocatable: readonly Record<string, number>[];
  readonly fairnessExcludedNames: readonly string[];
  readonly filterGpuResources: boolean;
  readonly domain: Domain | undefined;
  readonly weights: Readonly<Record<string, number>>;
  readonly maxCompletedFrameworks: number;
  readonly maxCompletedTasksPerFramework: number;
  readonly maxUnreachableTasksPerFramework: number;
}

/** Throws DURATION_INVALID, ResourcesParseError for minAllocatableResources, or RangeError for a time that is too short. */
export function resolveOptions(options: MasterOptions): ResolvedOptions {
  const offerTimeout = options.offerTimeout === undefined ? undefined : toMilliseconds(options.offerTimeout);
  if (offerTimeout === 0)
    throw new RangeError('Invalid offerTimeout 0: expected more than 0, or none to let offers stand');
  const allocationInterval = toMilliseconds(options.allocationInterval ?? '1s');
  if (allocationInterval < 1)
    throw new RangeError(`Invalid allocationInterval ${allocationInterval}: expected 1 ms or more`);
  return {
    cluster: options.cluster ?? 'mezzo',
    agentPingTimeout: toMilliseconds(options.agentPingTimeout ?? '15s'),
    maxAgentPingTimeouts: options.maxAgentPingTimeouts ?? 5,
    agentReregisterTimeout: toMilliseconds(options.agentReregisterTimeout ?? '10mins'),
    offerTimeout,
    allocationInterval,
    minAllocatable: alternatives(options.minAllocatableResources ?? 'cpus:0.01|mem:32'),
    fairnessExcludedNames: options.fairnessExcludedNames ?? [],
    filterGpuResources: options.filterGpuResources ?? true,
    domain: options.domain,
    weights: options.weights ?? {},
    maxCompletedFrameworks: options.maxCompletedFrameworks ?? 50,
    maxCompletedTasksPerFramework: options.maxCompletedTasksPerFramework ?? 1000,
    maxUnreachableTasksPerFramework: options.maxUnreachableTasksPerFramework ?? 1000,
  };
}

function alternatives(text: string): readonly Record<string, number>[] {
  const parts = text.split('|').filter((part) => part.trim() !== '');
  return parts.map((part) => Object.fromEntries(ResourceQuantities.parse(part)));
}
