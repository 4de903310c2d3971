import type { Duration, PID } from '@mezzo/process';
import type { ReconfigurationPolicy } from './recovery/agent-info-difference.ts';

/** Names and defaults are those of Mesos's agent flags, where it has them. */
export interface AgentOptions {
  /** Name of the cluster whose leader is followed. */
  readonly cluster: string;
  /** Absolute path of a folder of its own, made if missing (work_dir). */
  readonly workDirectory: string;
  /** Such as `cpus:4;mem:8192;ports:[31000-32000]`; `detectResources` completes it from what the machine has. */
  readonly resources: string;
  /** Role of resources whose text names none (default_role). Default `*`. */
  readonly defaultRole?: string;
  /** What offers say where the agent is. Default: the node's name. */
  readonly hostname?: string;
  /** Default: none. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Bound of the first, random wait before registering; it doubles with each attempt, up to 1 min. Default 1 s. */
  readonly registrationBackoffFactor?: Duration;
  /**
   * Kill all tasks, and take leave of the master for good, when the agent's node stops. If not, those of frameworks that
   * checkpoint run on, and the next agent with this work directory takes them up. Default true.
   */
  readonly killTasksOnStop?: boolean;
  /** How long an executor that is a program may take to register (executor_registration_timeout). Default 1 min. */
  readonly executorRegistrationTimeout?: Duration;
  /** How long an executor may take to end when it is asked to (executor_shutdown_grace_period). Default 5 s. */
  readonly executorShutdownGracePeriod?: Duration;
  /** How long executors wait for an agent that is away (recovery_timeout). Default 15 min. */
  readonly recoveryTimeout?: Duration;
  /** How long executors may take to come back after their agent has (executor_reregistration_timeout). Default 2 s, at most 15 s. */
  readonly executorReregistrationTimeout?: Duration;
  /** What to do with executors that an earlier agent left: take them up, or end them and then the agent (recover). Default `reconnect`. */
  readonly recover?: 'reconnect' | 'cleanup';
  /** Fail to start if any checkpoint cannot be read (strict). Default false: it is moved aside, and the rest is recovered. */
  readonly strict?: boolean;
  /** How the agent may differ from the one that was here before (reconfiguration_policy). Default `equal`. */
  readonly reconfigurationPolicy?: ReconfigurationPolicy;
  /** How long sandboxes are kept that nobody needs any more (gc_delay). Default 1 week. */
  readonly gcDelay?: Duration;
  /** Part of the disk, 0 to 1, for whose sake they go earlier (gc_disk_headroom). Default 0.1. */
  readonly gcDiskHeadroom?: number;
  /** How often the agent looks how full the disk is (disk_watch_interval). Default 1 min. */
  readonly diskWatchInterval?: Duration;
  /** How many executors that have ended `/state` still shows, of each framework (max_completed_executors_per_framework). Default 150. */
  readonly maxCompletedExecutorsPerFramework?: number;
  /** Environment of executors that are programs, such as how to reach the cluster's broker; Mesos's variables and the executor's own win. Default: none. */
  readonly executorEnvironment?: Readonly<Record<string, string>>;
  /** Where to learn who leads. Default: an AnnouncementDetector is spawned. */
  readonly detector?: PID;
  /** Called once if the agent ends by itself: the master told it to, or it cannot go on. */
  readonly onShutdown?: (message: string) => void;
}
