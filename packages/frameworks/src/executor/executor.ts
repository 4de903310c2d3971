import type { Duration, Timer } from '@mezzo/process';
import type {
  AgentID,
  AgentInfo,
  ContainerID,
  ExecutorID,
  ExecutorInfo,
  FrameworkID,
  FrameworkInfo,
  TaskID,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '@mezzo/protocol';

/** What the agent says at the beginning. */
export interface Registration {
  readonly executor: ExecutorInfo;
  readonly framework: FrameworkInfo;
  readonly agentId: AgentID;
  readonly agent: AgentInfo;
  readonly containerId: ContainerID;
}

/** What an agent says that has come back. */
export type Reregistration = Pick<Registration, 'agentId' | 'agent'>;

/**
 * What the author of an executor writes. Callbacks run one at a time, in turns of the driver's process, and must not wait; an
 * exception in one of them ends the driver.
 */
export interface Executor {
  /** The first word of the agent; from one that was started again meanwhile it is `reregistered`. */
  registered?(driver: ExecutorControl, registration: Registration): void;
  /** The agent is there again. What it had not acknowledged was sent again. */
  reregistered?(driver: ExecutorControl, registration: Reregistration): void;
  /** The agent is away; tasks go on, and updates are kept for it. */
  disconnected?(driver: ExecutorControl): void;
  /** @param sandbox where the task may write */
  launch(driver: ExecutorControl, task: TaskInfo, sandbox: string): void;
  /** All of these or none. Without this callback a group's tasks fail. */
  launchGroup?(driver: ExecutorControl, tasks: readonly TaskInfo[], sandbox: string): void;
  /** @param gracePeriod milliseconds between TERM and KILL; undefined: the task's own */
  kill(driver: ExecutorControl, taskId: TaskID, gracePeriod: number | undefined): void;
  /** From the framework's scheduler; others before it may have been lost. The bytes are the executor's own. */
  message?(driver: ExecutorControl, data: Uint8Array): void;
  /** End every task, say so, and call `stop`: the driver ends after the grace period at the latest, and the agent uses force. */
  shutdown(driver: ExecutorControl): void;
  /** Why the driver cannot go on; `shutdown` follows. */
  error?(driver: ExecutorControl, message: string): void;
}

/** What an executor says of a task; the driver adds the rest. */
export interface ExecutorStatus extends Pick<TaskStatus, 'taskId' | 'reason' | 'message' | 'data' | 'healthy'> {
  readonly state: Exclude<TaskState, 'TASK_STAGING' | 'TASK_UNREACHABLE' | 'TASK_UNKNOWN' | 'TASK_GONE_BY_OPERATOR'>;
}

/** What an executor can do. */
export interface ExecutorControl {
  readonly frameworkId: FrameworkID;
  readonly executorId: ExecutorID;
  /** Undefined before the registration. */
  readonly agentId: AgentID | undefined;
  readonly connected: boolean;

  /** Kept, and sent again, until the agent has stored it; in the order given, also when the agent is away. */
  update(status: ExecutorStatus): void;
  /** For the framework's scheduler; may be lost on its way. False if there is no connection and it was not sent. */
  sendToScheduler(data: Uint8Array): boolean;
  /** Ends the driver once the agent has stored every update, after a minute at the latest. */
  stop(): void;

  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `fn` after the given time in a turn of the driver. */
  delay(duration: Duration, fn: () => unknown): Timer;
}
