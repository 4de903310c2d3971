import { Deferred, type Duration, Future, type PID, type Timer, toMilliseconds } from '@mezzo/process';
import {
  type AgentID,
  type Filters,
  type InverseOffer,
  type Offer,
  type Operation,
  type OperationStatus,
  schedulerMessages,
  type TaskID,
  type TaskInfo,
  type TaskStatus,
  type UpdateUUID,
} from '@mezzo/protocol';
import { Backoff } from '../backoff.ts';
import { DriverError } from '../driver-error.ts';
import { isSameProcess } from '../same-process.ts';
import { MasterConnection } from './master-connection.ts';
import { Reconciliation } from './reconciliation.ts';
import type { Driver, ExecutorReference, OperationReference, Subscription, TaskReference } from './scheduler.ts';
import {
  type FrameworkChanges,
  frameworkInfoOf,
  type FrameworkOptions,
  type SchedulerOptions,
} from './scheduler-options.ts';
import { UpdateHistory } from './update-history.ts';

const calls = schedulerMessages;

/** How many times its first length the wait for answers to a reconciliation may grow. */
const reconciliationGrowth = 16;

interface FrameworkChange {
  readonly changes: FrameworkChanges;
  readonly done: Deferred<void>;
}

/**
 * Connects a Scheduler to the leading master and stays connected: reconciles its tasks and operations until every one is
 * answered for, acknowledges updates, and drops what comes twice.
 */
export class SchedulerDriver extends MasterConnection implements Driver {
  readonly #options: SchedulerOptions;
  readonly #updates = new UpdateHistory();
  #framework: FrameworkOptions;
  #proposed: FrameworkOptions;
  #reconciliation: Reconciliation | undefined;
  /** Not answered yet, oldest first; the first one is with the master. */
  readonly #changes: FrameworkChange[] = [];
  #subscriptions = 0;
  #closing = false;

  constructor(options: SchedulerOptions & { readonly detector: PID }) {
    const { id = 'scheduler', framework, suppressedRoles = [] } = options;
    super({ ...options, id }, frameworkInfoOf(framework), suppressedRoles);
    this.#options = options;
    this.#framework = framework;
    this.#proposed = framework;
  }

  // ---- the calls

  accept(offers: Offer | readonly Offer[], work: readonly TaskInfo[] | readonly Operation[], filters?: Filters): void {
    const operations = operationsOf(work);
    if (operations.length === 0) {
      this.decline(offers, filters);
      return;
    }
    const [agentId] = listOf(offers).map((offer) => offer.agentId);
    for (const operation of operations) {
      for (const task of tasksOf(operation)) this.#reconciliation?.launched(task.taskId, task.agentId);
      if ('id' in operation && operation.id !== undefined) this.#reconciliation?.requested(operation.id, agentId);
    }
    const body = { offerIds: idsOf(offers), operations, ...optional('filters', filters) };
    if (!this.call(calls.Accept, body)) for (const operation of operations) this.#dropped(operation, agentId);
  }

  decline(offers: Offer | readonly Offer[], filters?: Filters): boolean {
    return this.call(calls.Decline, { offerIds: idsOf(offers), ...optional('filters', filters) });
  }

  acceptInverseOffers(offers: InverseOffer | readonly InverseOffer[], filters?: Filters): boolean {
    return this.call(calls.AcceptInverseOffers, { inverseOfferIds: idsOf(offers), ...optional('filters', filters) });
  }

  declineInverseOffers(offers: InverseOffer | readonly InverseOffer[], filters?: Filters): boolean {
    return this.call(calls.DeclineInverseOffers, { inverseOfferIds: idsOf(offers), ...optional('filters', filters) });
  }

  kill(taskId: TaskID, options: { readonly agentId?: AgentID; readonly gracePeriod?: Duration } = {}): boolean {
    const { agentId, gracePeriod } = options;
    return this.call(calls.Kill, {
      taskId,
      ...optional('agentId', agentId),
      ...optional('gracePeriod', gracePeriod === undefined ? undefined : toMilliseconds(gracePeriod)),
    });
  }

  revive(roles: readonly string[] = []): boolean {
    for (const role of roles.length === 0 ? [...this.suppressed] : roles) this.suppressed.delete(role);
    return this.call(calls.Revive, { roles: [...roles] });
  }

  suppress(roles: readonly string[] = []): boolean {
    for (const role of roles.length === 0 ? this.info.roles : roles)
      if (this.info.roles.includes(role)) this.suppressed.add(role);
    return this.call(calls.Suppress, { roles: [...roles] });
  }

  acknowledge({ taskId, agentId, uuid }: TaskStatus): boolean {
    if (uuid === undefined || agentId === undefined) return false;
    this.#updates.record(uuid, true);
    return this.call(calls.Acknowledge, { agentId, taskId, uuid });
  }

  acknowledgeOperation({ operationId, agentId, uuid }: OperationStatus): boolean {
    if (uuid === undefined || agentId === undefined || operationId === undefined) return false;
    this.#updates.record(uuid, true);
    return this.call(calls.AcknowledgeOperation, { agentId, operationId, uuid });
  }

  reconcile(tasks: readonly TaskReference[] = []): boolean {
    return this.call(calls.Reconcile, {
      tasks: tasks.map(({ taskId, agentId }) => ({ taskId, ...optional('agentId', agentId) })),
    });
  }

  reconcileOperations(operations: readonly OperationReference[] = []): boolean {
    return this.call(calls.ReconcileOperations, {
      operations: operations.map(({ operationId, agentId }) => ({ operationId, ...optional('agentId', agentId) })),
    });
  }

  shutdownExecutor({ agentId, executorId }: ExecutorReference): boolean {
    return this.call(calls.ShutdownExecutor, { agentId, executorId });
  }

  sendToExecutor({ agentId, executorId }: ExecutorReference, data: Uint8Array): boolean {
    return this.call(calls.MessageToExecutor, { agentId, executorId, data });
  }

  updateFramework(changes: FrameworkChanges): Future<void> {
    if (this.master === undefined) {
      const message =
        'The framework cannot be updated: there is no connection to the master. Try again once subscribed';
      return Future.failed(new DriverError('NOT_CONNECTED', message));
    }
    const change = { changes, done: new Deferred<void>() };
    this.#changes.push(change);
    if (this.#changes.length === 1) this.#propose(change);
    return change.done.future;
  }

  teardown(): void {
    this.#closing = true;
    if (this.call(calls.Teardown, {})) this.terminate();
  }

  stop(): void {
    this.terminate();
  }

  now(): number {
    return this.clock.now();
  }

  override delay(duration: Duration, fn: () => unknown): Timer {
    return super.delay(duration, fn);
  }

  // ---- the connection

  protected override initialize(): void {
    super.initialize();
    const question = toMilliseconds(this.#options.reconciliationBackoff ?? '2secs');
    this.#reconciliation = new Reconciliation({
      askForTasks: (tasks) => this.reconcile(tasks.map(({ id, ...where }) => ({ taskId: id, ...where }))),
      askForOperations: (operations) =>
        this.reconcileOperations(operations.map(({ id, ...where }) => ({ operationId: id, ...where }))),
      delay: (milliseconds, call) => this.delay(milliseconds, call),
      backoff: new Backoff(this.random, question, question * reconciliationGrowth),
    });
    this.#reconcileAlways();
    this.#listen();
  }

  protected override subscribed(subscription: Subscription): void {
    if (this.#closing) {
      this.teardown();
      return;
    }
    const isFirst = ++this.#subscriptions === 1;
    this.#options.scheduler.subscribed?.(this, subscription);
    // What an earlier run of this framework began is known to the master alone.
    if (subscription.again && isFirst) {
      this.reconcile();
      this.reconcileOperations();
    }
    this.#reconciliation?.begin();
  }

  protected override lost(): void {
    this.#reconciliation?.pause();
    const message = 'The connection to the master broke before it agreed to the update of the framework';
    for (const { done } of this.#changes.splice(0)) done.fail(new DriverError('NOT_CONNECTED', message));
    this.#options.scheduler.disconnected?.(this);
  }

  protected override refused(message: string): void {
    this.#reconciliation?.pause();
    this.#options.scheduler.error?.(this, message);
  }

  // ---- the events

  #listen(): void {
    const { scheduler } = this.#options;
    this.hear(calls.Offers, ({ offers }) => scheduler.offers(this, offers));
    this.hear(calls.Rescind, ({ offerId }) => scheduler.rescinded?.(this, offerId));
    this.hear(calls.InverseOffers, ({ inverseOffers }) => scheduler.inverseOffers?.(this, inverseOffers));
    this.hear(calls.RescindInverseOffer, ({ inverseOfferId }) =>
      scheduler.inverseOfferRescinded?.(this, inverseOfferId),
    );
    this.hear(calls.Update, ({ status }) => this.#update(status));
    this.hear(calls.UpdateOperation, ({ status }) => this.#operationUpdate(status));
    this.hear(calls.Failure, ({ agentId, executorId, status }) => {
      if (executorId === undefined) scheduler.failure?.(this, agentId);
      else scheduler.executorFailed?.(this, { agentId, executorId, ...optional('status', status) });
    });
    this.install(calls.UpdateFramework.reply, ({ fault }, from) => {
      if (this.master !== undefined && isSameProcess(from, this.master)) this.#answered(fault);
    });
    this.hear(calls.MessageFromExecutor, ({ agentId, executorId, data }) =>
      // What came over the wire is a view of its frame.
      scheduler.message?.(this, { agentId, executorId, data: data.slice() }),
    );
  }

  /** One at a time: each builds upon what became of the one before. */
  #propose({ changes }: FrameworkChange): void {
    if (this.master === undefined) return;
    this.#proposed = { ...this.#framework, ...changes };
    const info = frameworkInfoOf({ ...this.#proposed, ...optional('id', this.frameworkId) });
    const suppressedRoles = [...this.suppressed].filter((role) => info.roles.includes(role));
    // Not an ask, whose sender is not this process: the master heeds the process that subscribed.
    this.send(this.master, calls.UpdateFramework, { framework: info, suppressedRoles });
  }

  #answered(fault: string | undefined): void {
    const change = this.#changes.shift();
    if (change === undefined) return;
    if (fault === undefined) {
      this.#framework = this.#proposed;
      this.info = frameworkInfoOf({ ...this.#framework, ...optional('id', this.frameworkId) });
      for (const role of this.suppressed) if (!this.info.roles.includes(role)) this.suppressed.delete(role);
      change.done.set();
    } else change.done.fail(new DriverError('FRAMEWORK_REFUSED', fault));
    const [next] = this.#changes;
    if (next !== undefined) this.#propose(next);
  }

  #update(status: TaskStatus): void {
    this.#once(
      status.uuid,
      () => this.acknowledge(status),
      () => {
        this.#reconciliation?.heardOfTask(status);
        this.#options.scheduler.update(this, status);
      },
    );
  }

  #operationUpdate(status: OperationStatus): void {
    this.#once(
      status.uuid,
      () => this.acknowledgeOperation(status),
      () => {
        this.#reconciliation?.heardOfOperation(status);
        this.#options.scheduler.operationUpdate?.(this, status);
      },
    );
  }

  #once(uuid: UpdateUUID | undefined, acknowledge: () => void, show: () => void): void {
    const acknowledged = uuid === undefined ? undefined : this.#updates.seen(uuid);
    if (acknowledged !== undefined) {
      // The acknowledgement was lost, or the scheduler does not hold the update yet.
      if (acknowledged) acknowledge();
      return;
    }
    if (uuid !== undefined) this.#updates.record(uuid, false);
    show();
    if (this.#options.acknowledge !== 'manual') acknowledge();
  }

  /** Tells the scheduler that nobody heard of it, in a turn of its own: it is in the middle of the call that failed. */
  #dropped(operation: Operation, agentId: AgentID | undefined): void {
    const why = 'there is no connection to the master';
    const state = this.info.capabilities.includes('PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST';
    for (const task of tasksOf(operation)) {
      const status: TaskStatus = {
        taskId: task.taskId,
        agentId: task.agentId,
        state,
        source: 'SOURCE_MASTER',
        reason: 'REASON_MASTER_DISCONNECTED',
        message: `The task was not launched: ${why}`,
        timestamp: this.now(),
      };
      this.defer(() => this.#update(status))();
    }
    if (!('id' in operation) || operation.id === undefined) return;
    const status: OperationStatus = {
      operationId: operation.id,
      state: 'OPERATION_DROPPED',
      message: `The operation was not requested: ${why}`,
      ...optional('agentId', agentId),
    };
    this.defer(() => this.#operationUpdate(status))();
  }

  #reconcileAlways(): void {
    this.delay(this.#options.reconciliationInterval ?? '15mins', () => {
      if (this.connected) this.#reconciliation?.begin();
      this.#reconcileAlways();
    });
  }
}

function operationsOf(work: readonly TaskInfo[] | readonly Operation[]): Operation[] {
  const operations: Operation[] = [];
  const tasks: TaskInfo[] = [];
  for (const item of work) {
    if ('type' in item) operations.push(item);
    else tasks.push(item);
  }
  return tasks.length === 0 ? operations : [...operations, { type: 'LAUNCH', tasks }];
}

function tasksOf(operation: Operation): readonly TaskInfo[] {
  return 'tasks' in operation ? operation.tasks : [];
}

function listOf<T>(given: T | readonly T[]): readonly T[] {
  return isList(given) ? given : [given];
}

function isList<T>(given: T | readonly T[]): given is readonly T[] {
  return Array.isArray(given);
}

function idsOf<Id>(offers: { readonly id: Id } | readonly { readonly id: Id }[]): Id[] {
  return listOf(offers).map(({ id }) => id);
}

/** A property that is left out rather than undefined. */
function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { [P in K]?: V };
}
