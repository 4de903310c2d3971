import type { Duration, PID } from '@mezzo/process';

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
  /** Kill tasks when the agent's node stops. If not, they run on until an agent with the same work directory starts. Default true. */
  readonly killTasksOnStop?: boolean;
  /** Where to learn who leads. Default: an AnnouncementDetector is spawned. */
  readonly detector?: PID;
  /** Called once if the agent ends by itself: the master told it to, or it cannot go on. */
  readonly onShutdown?: (message: string) => void;
}
