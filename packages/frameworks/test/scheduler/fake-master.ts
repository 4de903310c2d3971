import { type BodyOf, type Message, type PID, Process, type Runtime } from '@mezzo/process';
import {
  AgentID,
  detectTopic,
  encodeLeader,
  FrameworkID,
  leaderTopic,
  type Offer,
  OfferID,
  Resources,
  schedulerMessages,
  type TaskID,
  type TaskState,
  type TaskStatus,
  type Term,
  type UpdateUUID,
} from '@mezzo/protocol';

type Calls = typeof schedulerMessages;
type CallName =
  | 'Subscribe'
  | 'Accept'
  | 'Decline'
  | 'Revive'
  | 'Suppress'
  | 'Kill'
  | 'Acknowledge'
  | 'Reconcile'
  | 'AcceptInverseOffers'
  | 'DeclineInverseOffers'
  | 'AcknowledgeOperation'
  | 'ReconcileOperations'
  | 'ShutdownExecutor'
  | 'MessageToExecutor'
  | 'Teardown';
type Body<N extends CallName> = Calls[N] extends Message<infer T> ? T : never;

const names: readonly CallName[] = [
  'Subscribe',
  'Accept',
  'Decline',
  'Revive',
  'Suppress',
  'Kill',
  'Acknowledge',
  'Reconcile',
  'AcceptInverseOffers',
  'DeclineInverseOffers',
  'AcknowledgeOperation',
  'ReconcileOperations',
  'ShutdownExecutor',
  'MessageToExecutor',
  'Teardown',
];

/** Leads a cluster of no agents: it keeps every call it gets and says only what the test makes it say. */
export class FakeMaster extends Process {
  readonly term: Term;
  /** Answers subscriptions by itself. */
  subscribes = true;
  scheduler: PID | undefined;
  /** Why it refuses updates of the framework; undefined if it does not. */
  refusal: string | undefined;
  readonly updates: BodyOf<typeof schedulerMessages.UpdateFramework>[] = [];
  readonly #calls: { readonly name: CallName; readonly body: unknown; readonly at: number }[] = [];
  #numbers = 0;

  constructor(created = 1) {
    super('master');
    this.term = { created, revision: 1 };
  }

  static on(runtime: Runtime, created?: number): FakeMaster {
    const master = new FakeMaster(created);
    runtime.spawn(master);
    return master;
  }

  protected override initialize(): void {
    for (const name of names) {
      this.install<unknown>(schedulerMessages[name] as Message<unknown>, (body, from) =>
        this.#called(name, body, from),
      );
    }
    this.answer(schedulerMessages.UpdateFramework, (body) => {
      this.updates.push(body);
      return this.refusal === undefined ? {} : { fault: this.refusal };
    });
    this.runtime.listen(
      detectTopic,
      this.defer(() => this.announce()),
    );
    this.announce();
  }

  announce(): void {
    this.runtime.announce(
      leaderTopic,
      encodeLeader({ cluster: 'test', address: this.self.address, term: this.term, url: 'http://leader' }),
    );
  }

  /** The bodies of all calls of one kind so far, oldest first. */
  calls<N extends CallName>(name: N): readonly Body<N>[] {
    return this.#calls.filter((call) => call.name === name).map(({ body }) => body as Body<N>);
  }

  /** When the calls of one kind came. */
  times(name: CallName): readonly number[] {
    return this.#calls.filter((call) => call.name === name).map(({ at }) => at);
  }

  say<T>(kind: Message<T>, body: T): void {
    if (this.scheduler === undefined) throw new Error('no scheduler has subscribed yet');
    // A message without a body is another overload.
    this.send(this.scheduler, kind as Message<unknown>, body);
  }

  subscribed(frameworkId = 'f1'): void {
    this.say(schedulerMessages.Subscribed, {
      term: this.term,
      frameworkId: FrameworkID(frameworkId),
      masterUrl: 'http://leader',
    });
  }

  offer(resources: string, options: { readonly agent?: string; readonly term?: Term } = {}): Offer {
    const agent = options.agent ?? 'a1';
    const offer: Offer = {
      id: OfferID(`o${++this.#numbers}`),
      frameworkId: FrameworkID('f1'),
      agentId: AgentID(agent),
      hostname: agent,
      role: '*',
      resources: [...Resources.parse(resources).allocate('*')],
      attributes: {},
      url: '',
    };
    this.say(schedulerMessages.Offers, { term: options.term ?? this.term, offers: [offer] });
    return offer;
  }

  /** An update as an agent would send it, with a uuid of its own; `given` overrides. */
  update(taskId: TaskID, state: TaskState, given: Partial<TaskStatus> = {}): TaskStatus {
    const status: TaskStatus = {
      taskId,
      state,
      source: 'SOURCE_EXECUTOR',
      agentId: AgentID('a1'),
      timestamp: this.clock.now(),
      uuid: this.random.uuid() as UpdateUUID,
      ...given,
    };
    this.say(schedulerMessages.Update, { term: this.term, status });
    return status;
  }

  /** An update that the master makes itself: without a uuid. */
  masterUpdate(taskId: TaskID, state: TaskState, reason: string): void {
    const { uuid: _, ...status } = this.statusOf(taskId, state);
    this.say(schedulerMessages.Update, { term: this.term, status: { ...status, source: 'SOURCE_MASTER', reason } });
  }

  /** Refuses the framework. */
  fail(message: string): void {
    this.say(schedulerMessages.FrameworkError, { term: this.term, message });
  }

  statusOf(taskId: TaskID, state: TaskState): TaskStatus {
    return { taskId, state, source: 'SOURCE_AGENT', agentId: AgentID('a1'), timestamp: this.clock.now() };
  }

  #called(name: CallName, body: unknown, from: PID): void {
    this.#calls.push({ name, body, at: this.clock.now() });
    if (name !== 'Subscribe') return;
    this.scheduler = from;
    if (this.subscribes) this.subscribed();
  }
}
