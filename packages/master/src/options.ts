import { type Duration, parseRate, toMilliseconds } from '@mezzo/process';
import { type Domain, type MasterID, ResourceQuantities, UNRESERVED } from '@mezzo/protocol';
import { checkRateLimits, type RateLimits } from './frameworks/principal-limits.ts';
import { defaultGarbageLimits, garbageInterval, type GarbageLimits } from './registrar/index.ts';

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
  /** How many agents may be marked unreachable in a time, such as `1/10mins` (agent_removal_rate_limit). Default: any. */
  readonly agentRemovalRateLimit?: string;
  /**
   * Which part of the agents may be missing after a failover, from 0 to 1 (recovery_agent_removal_limit): if more are, the
   * master ends instead of giving them up. Default 1.
   */
  readonly recoveryAgentRemovalLimit?: number;
  /** Only agents that say where they stand may register (require_agent_domain). Default false. */
  readonly requireAgentDomain?: boolean;
  /** How often agents are forgotten that are unreachable or gone for too long (registry_gc_interval). Default 15 min. */
  readonly registryGcInterval?: Duration;
  /** So long they are remembered (registry_max_agent_age). Default 2 weeks. */
  readonly registryMaxAgentAge?: Duration;
  /** So many of either are remembered (registry_max_agent_count). Default 102,400. */
  readonly registryMaxAgentCount?: number;
  /** With quotas, after a failover, offers wait for this part of the agents (allocator_agent_recovery_factor). Default 0.8. */
  readonly agentRecoveryFactor?: number;
  /** They wait so long at most (allocator_recovery_timeout). Default 10 min. */
  readonly recoveryTimeout?: Duration;
  /** After this an unused offer is rescinded (offer_timeout). Default: never. */
  readonly offerTimeout?: Duration;
  /** Time between periodic allocation runs, at least 1 ms (allocation_interval). Default 1 s. */
  readonly allocationInterval?: Duration;
  /** What an offer must at least hold, alternatives separated by `|` (min_allocatable_resources). Default `cpus:0.01|mem:32`. */
  readonly minAllocatableResources?: string;
  /** The only roles that frameworks may have beside `*` (roles). Default: any. */
  readonly roles?: readonly string[];
  /** How many messages frameworks may send, by principal (rate_limits). Default: any. */
  readonly rateLimits?: RateLimits;
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
  /** Milliseconds between removals. */
  readonly agentRemovalInterval: number | undefined;
  readonly recoveryAgentRemovalLimit: number;
  readonly requireAgentDomain: boolean;
  readonly registryGcInterval: number;
  readonly garbage: GarbageLimits;
  readonly agentRecoveryFactor: number;
  readonly recoveryTimeout: number;
  readonly offerTimeout: number | undefined;
  readonly allocationInterval: number;
  readonly minAllocatable: readonly Record<string, number>[];
  readonly fairnessExcludedNames: readonly string[];
  readonly filterGpuResources: boolean;
  readonly domain: Domain | undefined;
  readonly roles: ReadonlySet<string> | undefined;
  readonly rateLimits: RateLimits | undefined;
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
  if (options.rateLimits !== undefined) checkRateLimits(options.rateLimits);
  return {
    cluster: options.cluster ?? 'mezzo',
    agentPingTimeout: toMilliseconds(options.agentPingTimeout ?? '15s'),
    maxAgentPingTimeouts: options.maxAgentPingTimeouts ?? 5,
    agentReregisterTimeout: toMilliseconds(options.agentReregisterTimeout ?? '10mins'),
    agentRemovalInterval:
      options.agentRemovalRateLimit === undefined ? undefined : parseRate(options.agentRemovalRateLimit),
    recoveryAgentRemovalLimit: part('recoveryAgentRemovalLimit', options.recoveryAgentRemovalLimit ?? 1),
    requireAgentDomain: options.requireAgentDomain ?? false,
    registryGcInterval: toMilliseconds(options.registryGcInterval ?? garbageInterval),
    garbage: {
      maxAge: toMilliseconds(options.registryMaxAgentAge ?? defaultGarbageLimits.maxAge),
      maxCount: options.registryMaxAgentCount ?? defaultGarbageLimits.maxCount,
    },
    agentRecoveryFactor: part('agentRecoveryFactor', options.agentRecoveryFactor ?? 0.8),
    recoveryTimeout: toMilliseconds(options.recoveryTimeout ?? '10mins'),
    offerTimeout,
    allocationInterval,
    minAllocatable: alternatives(options.minAllocatableResources ?? 'cpus:0.01|mem:32'),
    fairnessExcludedNames: options.fairnessExcludedNames ?? [],
    filterGpuResources: options.filterGpuResources ?? true,
    domain: options.domain,
    roles: options.roles === undefined ? undefined : new Set([UNRESERVED, ...options.roles]),
    rateLimits: options.rateLimits,
    weights: options.weights ?? {},
    maxCompletedFrameworks: options.maxCompletedFrameworks ?? 50,
    maxCompletedTasksPerFramework: options.maxCompletedTasksPerFramework ?? 1000,
    maxUnreachableTasksPerFramework: options.maxUnreachableTasksPerFramework ?? 1000,
  };
}

function part(name: string, value: number): number {
  if (value >= 0 && value <= 1) return value;
  throw new RangeError(`Invalid ${name} ${value}: expected a part, from 0 to 1`);
}

function alternatives(text: string): readonly Record<string, number>[] {
  const parts = text.split('|').filter((part) => part.trim() !== '');
  return parts.map((part) => Object.fromEntries(ResourceQuantities.parse(part)));
}
