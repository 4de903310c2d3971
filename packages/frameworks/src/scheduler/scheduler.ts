import type { Duration, Timer } from '@mezzo/process';
import type { AgentID, Filters, FrameworkID, Offer, OfferID, TaskID, TaskInfo, TaskStatus } from '@mezzo/protocol';

/** What the master says at the beginning of a connection. */
export interface Subscription {
  readonly frameworkId: FrameworkID;
  /** The master's page; empty without one. */
  readonly masterUrl: string;
  /** False the first time; true after a new leader, a lost session or the scheduler's own restart. */
  readonly again: boolean;
}

/**
 * What a framework author writes. Callbacks run one at a time, in turns of the driver's process, and must not wait; an
 * exception in one of them ends the driver.
 */
export interface Scheduler {
  /** Offers from before are void. The driver asks for the state of all its tasks right after this. */
  subscribed?(driver: Driver, subscription: Subscription): void;
  /** Each offer must be accepted or declined. */
  offers(driver: Driver, offers: readonly Offer[]): void;
  rescinded?(driver: Driver, offerId: OfferID): void;
  /** The state of a task. Seen at least once per update; answers to reconciliation repeat states and carry no uuid and no data. */
  update(driver: Driver, status: TaskStatus): void;
  /** An agent is lost; updates for its tasks come separately. */
  failure?(driver: Driver, agentId: AgentID): void;
  /** The framework was refused or replaced: the driver ends after this. */
  error?(driver: Driver, message: string): void;
  /** No leader is known, or the connection to it broke; the driver subscribes again by itself. */
  disconnected?(driver: Driver): void;
}

/** What a scheduler can do. Calls that return a boolean give false when there is no connection and the call was not sent. */
export interface Driver {
  /** Undefined before the first subscription, unless one was given. Keep it to come back as the same framework. */
  readonly frameworkId: FrameworkID | undefined;
  readonly connected: boolean;

  /**
   * Launches tasks on an agent with what its offers hold; without tasks it declines them. What the tasks leave is offered
   * again after `filters.refuseSeconds` (Mesos's default: 5). Tasks that cannot be sent come back as TASK_LOST, or
   * TASK_DROPPED to a PARTITION_AWARE framework.
   */
  accept(offers: Offer | readonly Offer[], tasks: readonly TaskInfo[], filters?: Filters): void;
  decline(offers: Offer | readonly Offer[], filters?: Filters): boolean;
  /** The end comes as an update. `gracePeriod` lies between TERM and KILL and overrides the task's own. */
  kill(taskId: TaskID, options?: { readonly agentId?: AgentID; readonly gracePeriod?: Duration }): boolean;
  /** Offers again at once, filters forgotten; without roles for all of them. */
  revive(roles?: readonly string[]): boolean;
  /** No more offers until revived; without roles for all of them. */
  suppress(roles?: readonly string[]): boolean;
  /** For drivers with `acknowledge: 'manual'`: the update is held and need not come again. Nothing without a uuid. */
  acknowledge(status: TaskStatus): boolean;
  /** Asks for the state of these tasks now, or of all that the master knows. The driver does it by itself where it must be done. */
  reconcile(tasks?: readonly { readonly taskId: TaskID; readonly agentId?: AgentID | undefined }[]): boolean;
  /** The framework is done: its tasks are killed and the driver ends. While disconnected, once it is connected again. */
  teardown(): void;
  /** The driver ends and the tasks stay, for as long as the framework's failover timeout. */
  stop(): void;

  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `fn` after the given time in a turn of the driver. */
  delay(duration: Duration, fn: () => unknown): Timer;
}
