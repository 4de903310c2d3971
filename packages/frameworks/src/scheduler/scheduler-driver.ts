import { type Duration, type ExitReason, type PID, Process, type Timer, toMilliseconds } from '@mezzo/process';
import {
  type AgentID,
  compareTerms,
  Detect,
  Detected,
  type Filters,
  type FrameworkID,
  type FrameworkInfo,
  type Leader,
  type Offer,
  schedulerMessages,
  type TaskID,
  type TaskInfo,
  type TaskStatus,
  type Term,
} from '@mezzo/protocol';
import { Backoff } from './backoff.ts';
import { OpenTasks } from './open-tasks.ts';
import type { Driver, Scheduler } from './scheduler.ts';
import { frameworkInfoOf, type SchedulerOptions } from './scheduler-options.ts';
import { UpdateHistory } from './update-history.ts';

const {
  Accept,
  Acknowledge,
  Decline,
  Failure,
  FrameworkError,
  Kill,
  Offers,
  Reconcile,
  Rescind,
  Revive,
  Subscribe,
  Subscribed,
  Suppress,
  Teardown,
  Update,
} = schedulerMessages;

/** How many times its first length the wait for answers to a reconciliation may grow. */
const reconciliationGrowth = 16;

/**
 * Connects a Scheduler to the leading master, whichever that is: subscribes with backoff, again under the same framework
 * id after every loss of the leader or of the session to it, reconciles its tasks until every one is answered for,
 * acknowledges updates, and drops what comes twice or from a leader of the past.
 */
export class SchedulerDriver extends Process implements Driver {
  readonly #scheduler: Scheduler;
  readonly #options: SchedulerOptions & { readonly detector: PID };
  readonly #tasks = new OpenTasks();
  readonly #updates = new UpdateHistory();
  #info: FrameworkInfo;
  #subscriptions = 0;
  #term: Term | undefined;
  #master: PID | undefined;
  #connected = false;
  #closing = false;
  #registration: Backoff | undefined;
  #attempt: Timer | undefined;
  #questions: Backoff | undefined;
  #question: Timer | undefined;

  constructor(options: SchedulerOptions & { readonly detector: PID }) {
    super(options.id ?? 'scheduler');
    this.#options = options;
    this.#scheduler = options.scheduler;
    this.#info = frameworkInfoOf(options.framework);
  }

  // ---- the calls

  get frameworkId(): FrameworkID | undefined {
    return this.#info.id;
  }

  get connected(): boolean {
    return this.#connected;
  }

  accept(offers: Offer | readonly Offer[], tasks: readonly TaskInfo[], filters?: Filters): void {
    if (tasks.length === 0) {
      this.decline(offers, filters);
      return;
    }
    for (const task of tasks) this.#tasks.launched(task);
    const offerIds = idsOf(offers);
    const operations = [{ type: 'LAUNCH' as const, tasks: [...tasks] }];
    const sent = this.#call((master, frameworkId) =>
      this.send(master, Accept, { frameworkId, offerIds, operations, ...(filters === undefined ? {} : { filters }) }),
    );
    if (!sent) for (const task of tasks) this.#dropped(task);
  }

  decline(offers: Offer | readonly Offer[], filters?: Filters): boolean {
    const offerIds = idsOf(offers);
    return this.#call((master, frameworkId) =>
      this.send(master, Decline, { frameworkId, offerIds, ...(filters === undefined ? {} : { filters }) }),
    );
  }

  kill(taskId: TaskID, options: { readonly agentId?: AgentID; readonly gracePeriod?: Duration } = {}): boolean {
    const { agentId, gracePeriod } = options;
    return this.#call((master, frameworkId) =>
      this.send(master, Kill, {
        frameworkId,
        taskId,
        ...(agentId === undefined ? {} : { agentId }),
        ...(gracePeriod === undefined ? {} : { gracePeriod: toMilliseconds(gracePeriod) }),
      }),
    );
  }

  revive(roles: readonly string[] = []): boolean {
    return this.#call((master, frameworkId) => this.send(master, Revive, { frameworkId, roles: [...roles] }));
  }

  suppress(roles: readonly string[] = []): boolean {
    return this.#call((master, frameworkId) => this.send(master, Suppress, { frameworkId, roles: [...roles] }));
  }

  acknowledge({ taskId, agentId, uuid }: TaskStatus): boolean {
    if (uuid === undefined || agentId === undefined) return false;
    this.#updates.record(uuid, true);
    return this.#call((master, frameworkId) => this.send(master, Acknowledge, { frameworkId, agentId, taskId, uuid }));
  }

  reconcile(tasks: readonly { readonly taskId: TaskID; readonly agentId?: AgentID | undefined }[] = []): boolean {
    const asked = tasks.map(({ taskId, agentId }) => (agentId === undefined ? { taskId } : { taskId, agentId }));
    return this.#call((master, frameworkId) => this.send(master, Reconcile, { frameworkId, tasks: asked }));
  }

  teardown(): void {
    this.#closing = true;
    if (this.#call((master, frameworkId) => this.send(master, Teardown, { frameworkId }))) this.terminate();
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

  // ---- the life of the process

  protected override initialize(): void {
    const { registrationBackoffFactor, registrationRetryIntervalMax, reconciliationBackoff, detector } = this.#options;
    const longest = toMilliseconds(registrationRetryIntervalMax ?? '1mins');
    this.#registration = new Backoff(this.random, toMilliseconds(registrationBackoffFactor ?? '2secs'), longest);
    const question = toMilliseconds(reconciliationBackoff ?? '2secs');
    this.#questions = new Backoff(this.random, question, question * reconciliationGrowth);
    this.install(Detected, ({ leader }, from) => this.#detected(leader, from));
    this.install(Subscribed, (body, from) => this.#subscribed(body, from));
    this.install(Offers, ({ term, offers }, from) =>
      this.#hear(term, from, () => this.#scheduler.offers(this, offers)),
    );
    this.install(Rescind, ({ term, offerId }, from) =>
      this.#hear(term, from, () => this.#scheduler.rescinded?.(this, offerId)),
    );
    this.install(Update, ({ term, status }, from) => this.#hear(term, from, () => this.#update(status)));
    this.install(Failure, ({ term, agentId }, from) =>
      this.#hear(term, from, () => this.#scheduler.failure?.(this, agentId)),
    );
    this.install(FrameworkError, ({ term, message }, from) => this.#failed(term, message, from));
    this.link(detector);
    this.send(detector, Detect, {});
    this.#reconcileAlways();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (same(pid, this.#options.detector)) {
      throw new Error(`The leader cannot be followed any more: detector ${pid.toString()} has ended (${reason.kind})`);
    }
    if (this.#master === undefined || !same(pid, this.#master)) return;
    this.#disconnect();
    // The leader may be alive and only the session to it gone, so it is tried again until the detector knows better.
    this.#subscribeLater();
  }

  #detected(leader: Leader | undefined, from: PID): void {
    if (!same(from, this.#options.detector)) return;
    this.send(this.#options.detector, Detect, leader === undefined ? {} : { previous: leader });
    if (leader !== undefined && this.#isPast(leader.term)) return;
    this.#disconnect();
    this.#registration?.reset();
    this.#master = leader === undefined ? undefined : this.runtime.pid(leader.address);
    if (leader !== undefined) this.#term = leader.term;
    this.#subscribe();
  }

  #subscribe(): void {
    if (this.#master === undefined) return;
    this.link(this.#master);
    this.send(this.#master, Subscribe, { framework: this.#info });
    this.#subscribeLater();
  }

  #subscribeLater(): void {
    this.#attempt?.cancel();
    this.#attempt = this.delay(this.#registration?.next() ?? 0, () => this.#subscribe());
  }

  #disconnect(): void {
    this.#attempt?.cancel();
    this.#question?.cancel();
    if (!this.#connected) return;
    this.#connected = false;
    this.#scheduler.disconnected?.(this);
  }

  // ---- the events

  #subscribed(
    body: { readonly term: Term; readonly frameworkId: FrameworkID; readonly masterUrl: string },
    from: PID,
  ): void {
    if (this.#connected || !this.#isLeader(body.term, from)) return;
    const { frameworkId, masterUrl } = body;
    const again = this.#info.id !== undefined;
    const isFirst = ++this.#subscriptions === 1;
    this.#info = { ...this.#info, id: frameworkId };
    this.#connected = true;
    this.#attempt?.cancel();
    this.#registration?.reset();
    if (this.#closing) {
      this.teardown();
      return;
    }
    this.#scheduler.subscribed?.(this, { frameworkId, masterUrl, again });
    // Tasks of an earlier run of this framework are known to the master alone.
    if (again && isFirst) this.reconcile();
    this.#reconcileOpen();
  }

  #update(status: TaskStatus): void {
    const { uuid } = status;
    const acknowledged = uuid === undefined ? undefined : this.#updates.seen(uuid);
    if (acknowledged !== undefined) {
      // The acknowledgement was lost, or the scheduler does not hold the update yet.
      if (acknowledged) this.acknowledge(status);
      return;
    }
    if (uuid !== undefined) this.#updates.record(uuid, false);
    this.#tasks.observe(status);
    this.#scheduler.update(this, status);
    if (this.#options.acknowledge !== 'manual') this.acknowledge(status);
  }

  #failed(term: Term, message: string, from: PID): void {
    if (!this.#isLeader(term, from)) return;
    this.#connected = false;
    this.#scheduler.error?.(this, message);
    this.terminate();
  }

  #hear(term: Term, from: PID, event: () => void): void {
    if (this.#connected && !this.#closing && this.#isLeader(term, from)) event();
  }

  /** Anybody on the network can send a message, but only the leader's count, and only those of its newest reign. */
  #isLeader(term: Term, from: PID): boolean {
    if (this.#master === undefined || !same(from, this.#master) || this.#isPast(term)) return false;
    this.#term = term;
    return true;
  }

  #isPast(term: Term): boolean {
    return this.#term !== undefined && compareTerms(term, this.#term) < 0;
  }

  #call(send: (master: PID, frameworkId: FrameworkID) => boolean): boolean {
    const { id } = this.#info;
    return this.#connected && this.#master !== undefined && id !== undefined && send(this.#master, id);
  }

  #dropped({ taskId, agentId }: TaskInfo): void {
    const status: TaskStatus = {
      taskId,
      agentId,
      state: this.#info.capabilities.includes('PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST',
      source: 'SOURCE_MASTER',
      reason: 'REASON_MASTER_DISCONNECTED',
      message: 'The task was not launched: there is no connection to the master',
      timestamp: this.now(),
    };
    // In a turn of its own: the scheduler is in the middle of the call that failed.
    this.defer(() => this.#update(status))();
  }

  // ---- reconciliation

  #reconcileOpen(): void {
    this.#questions?.reset();
    this.#tasks.question();
    this.#ask();
  }

  #ask(): void {
    this.#question?.cancel();
    const { unanswered } = this.#tasks;
    if (unanswered.length === 0 || !this.#connected) return;
    this.reconcile(unanswered);
    this.#question = this.delay(this.#questions?.next() ?? 0, () => this.#ask());
  }

  #reconcileAlways(): void {
    this.delay(this.#options.reconciliationInterval ?? '15mins', () => {
      if (this.#connected) this.#reconcileOpen();
      this.#reconcileAlways();
    });
  }
}

function idsOf(offers: Offer | readonly Offer[]): Offer['id'][] {
  return 'id' in offers ? [offers.id] : offers.map(({ id }) => id);
}

/** A bare address stands for whoever holds it. */
function same(pid: PID, known: PID): boolean {
  return known.isExact && pid.isExact ? pid.equals(known) : pid.toString() === known.toString();
}
