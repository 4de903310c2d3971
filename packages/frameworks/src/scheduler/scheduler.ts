import type { Duration, Future, Timer } from '@mezzo/process';
import type {
  AgentID,
  ExecutorID,
  Filters,
  FrameworkID,
  InverseOffer,
  Offer,
  OfferID,
  Operation,
  OperationStatus,
  TaskID,
  TaskInfo,
  TaskStatus,
} from '@mezzo/protocol';
import type { FrameworkChanges } from './scheduler-options.ts';

/** What the master says at the beginning of a connection. */
export interface Subscription {
  readonly frameworkId: FrameworkID;
  /** The master's page; empty without one. */
  readonly masterUrl: string;
  /** False the first time; true after a new leader, a lost session or the scheduler's own restart. */
  readonly again: boolean;
}

/** A task as a reconciliation names it. */
export interface TaskReference {
  readonly taskId: TaskID;
  readonly agentId?: AgentID | undefined;
}

/** An operation by the id that the framework gave it. */
export interface OperationReference {
  readonly operationId: string;
  readonly agentId?: AgentID | undefined;
}

export interface ExecutorReference {
  readonly agentId: AgentID;
  readonly executorId: ExecutorID;
}

export interface ExecutorFailure extends ExecutorReference {
  /** As wait(2) gives it; absent if it is not known. */
  readonly status?: number;
}

export interface ExecutorMessage extends ExecutorReference {
  /** The scheduler's own: nobody else has these bytes. */
  readonly data: Uint8Array;
}

/**
 * What a framework author writes. Callbacks run one at a time, in turns of the driver's process, and must not wait; an
 * exception in one of them ends the driver.
 */
export interface Scheduler {
  /** Offers and inverse offers from before are void. The driver asks for the state of all its tasks right after this. */
  subscribed?(driver: Driver, subscription: Subscription): void;
  /** Each offer must be accepted or declined. */
  offers(driver: Driver, offers: readonly Offer[]): void;
  rescinded?(driver: Driver, offerId: OfferID): void;
  /** Machines will be away: what the framework has there is asked back. Whoever does not answer has not agreed. */
  inverseOffers?(driver: Driver, inverseOffers: readonly InverseOffer[]): void;
  inverseOfferRescinded?(driver: Driver, inverseOfferId: OfferID): void;
  /** The state of a task. Seen at least once per update; answers to reconciliation repeat states and carry no uuid and no data. */
  update(driver: Driver, status: TaskStatus): void;
  /** The state of an operation that was given an id; seen as often as updates of tasks are. */
  operationUpdate?(driver: Driver, status: OperationStatus): void;
  /** An agent is lost; updates for its tasks come separately. */
  failure?(driver: Driver, agentId: AgentID): void;
  /** An executor has ended, also one that ended well; updates for its tasks come separately. */
  executorFailed?(driver: Driver, failure: ExecutorFailure): void;
  /** From an executor; others before it may have been lost. */
  message?(driver: Driver, message: ExecutorMessage): void;
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
   * Launches tasks, or performs operations in their order, on an agent with what its offers hold; with neither it declines
   * them. What is left is offered again after `filters.refuseSeconds` (Mesos's default: 5). Tasks that cannot be sent come
   * back as TASK_LOST, or TASK_DROPPED to a PARTITION_AWARE framework; operations with an id as OPERATION_DROPPED.
   */
  accept(offers: Offer | readonly Offer[], work: readonly TaskInfo[] | readonly Operation[], filters?: Filters): void;
  decline(offers: Offer | readonly Offer[], filters?: Filters): boolean;
  /** The framework will be off these agents in time; it has to see to that itself. */
  acceptInverseOffers(offers: InverseOffer | readonly InverseOffer[], filters?: Filters): boolean;
  /** The framework will not leave; it is asked again after `filters.refuseSeconds` (Mesos's default: 5). */
  declineInverseOffers(offers: InverseOffer | readonly InverseOffer[], filters?: Filters): boolean;
  /** The end comes as an update. `gracePeriod` lies between TERM and KILL and overrides the task's own. */
  kill(taskId: TaskID, options?: { readonly agentId?: AgentID; readonly gracePeriod?: Duration }): boolean;
  /** Offers again at once, filters forgotten; without roles for all of them. Without a connection: from the next one on. */
  revive(roles?: readonly string[]): boolean;
  /**
   * No more offers until revived, also from the next leaders; without roles for all of them. Without a connection: from the
   * next one on.
   */
  suppress(roles?: readonly string[]): boolean;
  /** For drivers with `acknowledge: 'manual'`: the update is held and need not come again. Nothing without a uuid. */
  acknowledge(status: TaskStatus): boolean;
  /** The same for an update of an operation. */
  acknowledgeOperation(status: OperationStatus): boolean;
  /** Asks for the state of these tasks now, or of all that the master knows. The driver does it by itself where it must be done. */
  reconcile(tasks?: readonly TaskReference[]): boolean;
  /** The same for operations that were given an id. */
  reconcileOperations(operations?: readonly OperationReference[]): boolean;
  /** One of the framework's executors must end, and with it its tasks; `executorFailed` tells when it has. */
  shutdownExecutor(executor: ExecutorReference): boolean;
  /** May be lost on its way, without a word. */
  sendToExecutor(executor: ExecutorReference, data: Uint8Array): boolean;
  /**
   * Changes what the framework is, now and for later subscriptions; what is not named stays. Offers for roles that it gives
   * up are rescinded.
   *
   * FAILED with DriverError FRAMEWORK_REFUSED, or NOT_CONNECTED: if the connection broke before the answer, the next
   * subscription takes it back.
   */
  updateFramework(changes: FrameworkChanges): Future<void>;
  /** The framework is done: its tasks are killed and the driver ends. While disconnected, once it is connected again. */
  teardown(): void;
  /** The driver ends and the tasks stay, for as long as the framework's failover timeout. */
  stop(): void;

  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `fn` after the given time in a turn of the driver. */
  delay(duration: Duration, fn: () => unknown): Timer;
}
