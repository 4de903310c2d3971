import {
  type BodyOf,
  type ExitReason,
  type Future,
  type Message,
  type PID,
  Process,
  type Request,
} from '@mezzo/process';
import {
  AgentID,
  agentMessages,
  type AgentInfo,
  allocatorMessages,
  type FrameworkID,
  type FrameworkInfo,
  type Offer,
  type Operation,
  type OperationStatus,
  Resources,
  schedulerMessages,
  type Task,
  TaskID,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  UpdateUUID,
} from '@mezzo/protocol';

/** What a peer got, in order: the kind's name and the body. */
export interface Received<T = unknown> {
  readonly kind: string;
  readonly body: T;
}

abstract class Peer extends Process {
  readonly received: Received[] = [];
  readonly exits: PID[] = [];
  master: PID | undefined;

  protected abstract readonly kinds: readonly Message<unknown>[];

  protected override initialize(): void {
    for (const kind of this.kinds) {
      this.install(kind, (body, from) => {
        this.received.push({ kind: kind.name, body });
        this.heard(kind.name, body, from);
      });
    }
  }

  protected override exited(pid: PID, _reason: ExitReason): void {
    this.exits.push(pid);
  }

  protected heard(_kind: string, _body: unknown, _from: PID): void {}

  question<Q, A>(kind: Request<Q, A>, body: Q): Future<A> {
    return this.ask(this.master ?? this.runtime.pid('master@master'), kind, body);
  }

  /** Speaks to the master at this address from now on. */
  follow(address: string): void {
    this.master = this.runtime.pid(address);
  }

  /** What a peer says first to a node that was started again is lost: the session was with the one before. */
  knock(): void {
    this.tell(agentMessages.Pong, { agentId: AgentID('nobody') });
  }

  /** All bodies of one kind, in order. */
  got<T>(kind: Message<T>): T[] {
    // Bodies of this kind were installed with this kind's type.
    return this.received.filter((message) => message.kind === kind.name).map((message) => message.body as T);
  }

  tell<T>(kind: Message<T>, body: T): void {
    this.send(this.master ?? this.runtime.pid('master@master'), kind, ...([body] as [T] extends [void] ? [] : [T]));
  }
}

export const frameworkInfo: FrameworkInfo = {
  name: 'test',
  roles: ['*'],
  failoverTimeout: 0,
  checkpoint: false,
  capabilities: [],
};

/** A scheduler that does what the test says, and nothing else. */
export class FakeScheduler extends Peer {
  protected readonly kinds = [
    schedulerMessages.Subscribed,
    schedulerMessages.Offers,
    schedulerMessages.Rescind,
    schedulerMessages.Update,
    schedulerMessages.Failure,
    schedulerMessages.FrameworkError,
    schedulerMessages.InverseOffers,
    schedulerMessages.RescindInverseOffer,
    schedulerMessages.UpdateOperation,
    schedulerMessages.MessageFromExecutor,
  ];
  /** Set to acknowledge every update that has a uuid. */
  acknowledges = true;

  constructor(id = 'scheduler') {
    super(id);
  }

  get id(): FrameworkID {
    const subscribed = this.got(schedulerMessages.Subscribed).at(-1);
    if (subscribed === undefined) throw new Error('not subscribed');
    return subscribed.frameworkId;
  }

  get offers(): Offer[] {
    const rescinded = new Set(this.got(schedulerMessages.Rescind).map((body) => body.offerId));
    return this.got(schedulerMessages.Offers)
      .flatMap((body) => body.offers)
      .filter((offer) => !rescinded.has(offer.id));
  }

  get lastOffer(): Offer {
    const offer = this.offers.at(-1);
    if (offer === undefined) throw new Error('no offer');
    return offer;
  }

  get statuses(): TaskStatus[] {
    return this.got(schedulerMessages.Update).map((body) => body.status);
  }

  /** `TASK_RUNNING SOURCE_EXECUTOR`, `TASK_LOST SOURCE_MASTER REASON_…` of each update, in order. */
  get told(): string[] {
    return this.statuses.map(({ taskId, state, source, reason }) =>
      [taskId, state, source, reason].filter((part) => part !== undefined).join(' '),
    );
  }

  subscribe(info: Partial<FrameworkInfo> = {}): void {
    this.tell(schedulerMessages.Subscribe, { framework: { ...frameworkInfo, ...info } });
  }

  launch(offers: Offer | readonly Offer[], tasks: readonly TaskInfo[], refuseSeconds?: number): void {
    const all = Array.isArray(offers) ? offers : [offers];
    const operations: Operation[] = [{ type: 'LAUNCH', tasks: [...tasks] }];
    this.tell(schedulerMessages.Accept, {
      frameworkId: this.id,
      offerIds: all.map((offer: Offer) => offer.id),
      operations,
      ...(refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } }),
    });
  }

  /** Does these with the offers. */
  accept(offers: Offer | readonly Offer[], operations: readonly Operation[], refuseSeconds?: number): void {
    const all: readonly Offer[] = 'id' in offers ? [offers] : offers;
    this.tell(schedulerMessages.Accept, {
      frameworkId: this.id,
      offerIds: all.map(({ id }) => id),
      operations: [...operations],
      ...(refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } }),
    });
  }

  acknowledgeOperation(operationId: string, agentId: AgentID, uuid: UpdateUUID): void {
    this.tell(schedulerMessages.AcknowledgeOperation, { frameworkId: this.id, agentId, operationId, uuid });
  }

  reconcileOperations(ids: readonly string[] = [], agentId?: AgentID): void {
    const operations = ids.map((operationId) => (agentId === undefined ? { operationId } : { operationId, agentId }));
    this.tell(schedulerMessages.ReconcileOperations, { frameworkId: this.id, operations });
  }

  /** States of operations, as they were told. */
  get operationStatuses(): OperationStatus[] {
    return this.got(schedulerMessages.UpdateOperation).map(({ status }) => status);
  }

  decline(offer: Offer, refuseSeconds?: number): void {
    this.tell(schedulerMessages.Decline, {
      frameworkId: this.id,
      offerIds: [offer.id],
      ...(refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } }),
    });
  }

  kill(taskId: string, agentId?: AgentID): void {
    this.tell(schedulerMessages.Kill, {
      frameworkId: this.id,
      taskId: TaskID(taskId),
      ...(agentId === undefined ? undefined : { agentId }),
    });
  }

  acknowledge({ agentId, taskId, uuid }: TaskStatus): void {
    if (agentId === undefined || uuid === undefined) throw new Error('not to be acknowledged');
    this.tell(schedulerMessages.Acknowledge, { frameworkId: this.id, agentId, taskId, uuid });
  }

  reconcile(tasks: readonly { readonly taskId: TaskID; readonly agentId?: AgentID }[] = []): void {
    this.tell(schedulerMessages.Reconcile, { frameworkId: this.id, tasks: [...tasks] });
  }

  protected override heard(kind: string, body: unknown): void {
    if (kind !== schedulerMessages.Update.name || !this.acknowledges) return;
    const { status } = body as { readonly status: TaskStatus };
    if (status.uuid !== undefined) this.acknowledge(status);
  }
}

export function taskInfo(id: string, agentId: AgentID, resources: string, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    // The test of a bad id needs one that is not checked here.
    taskId: id as TaskID,
    name: id,
    agentId,
    resources: [...Resources.parse(resources)],
    command: { value: 'true', shell: true, arguments: [], environment: {} },
    ...more,
  };
}

/** An agent that does what the test says, answers pings unless told not to, and nothing else. */
export class FakeAgent extends Peer {
  protected readonly kinds = [
    agentMessages.AgentRegistered,
    agentMessages.AgentReregistered,
    agentMessages.Ping,
    agentMessages.RunTask,
    agentMessages.KillTask,
    agentMessages.AcknowledgeStatusUpdate,
    agentMessages.ShutdownFramework,
    agentMessages.ShutdownAgent,
    agentMessages.RunTaskGroup,
    agentMessages.UpdateFramework,
    agentMessages.ShutdownAgentExecutor,
    agentMessages.FrameworkMessage,
    agentMessages.ApplyOperation,
    agentMessages.AcknowledgeOperationStatus,
    agentMessages.ReconcileOperations,
    agentMessages.DrainAgent,
  ];
  readonly info: AgentInfo;
  answersPings = true;
  /** What it says that it can. */
  capabilities = [
    'MULTI_ROLE',
    'HIERARCHICAL_ROLE',
    'RESERVATION_REFINEMENT',
    'RESIZE_VOLUME',
    'AGENT_OPERATION_FEEDBACK',
    'AGENT_DRAINING',
  ];
  agentId: AgentID | undefined;

  constructor(resources = 'cpus:4;mem:4096', more: Partial<AgentInfo> = {}, id = 'agent') {
    super(id);
    this.info = {
      hostname: 'host',
      resources: [...Resources.parse(resources)],
      attributes: {},
      url: '',
      ...more,
    };
  }

  get id(): AgentID {
    if (this.agentId === undefined) throw new Error('not registered');
    return this.agentId;
  }

  get runs(): TaskInfo[] {
    return this.got(agentMessages.RunTask).map((body) => body.task);
  }

  register(version = '0.1.0'): void {
    this.tell(agentMessages.RegisterAgent, { agent: this.info, version, capabilities: this.capabilities });
  }

  reregister(
    tasks: readonly Task[] = [],
    frameworks: readonly FrameworkInfo[] = [],
    id = this.id,
    more: Partial<BodyOf<typeof agentMessages.ReregisterAgent>> = {},
  ): void {
    this.tell(agentMessages.ReregisterAgent, {
      agent: { ...this.info, id },
      version: '0.1.0',
      capabilities: this.capabilities,
      tasks: [...tasks],
      frameworks: [...frameworks],
      ...more,
    });
  }

  /** Sends an update of a task, with a uuid, and returns that. */
  update(
    frameworkId: FrameworkID,
    taskId: string,
    state: TaskState,
    more: Partial<TaskStatus> & { readonly latestState?: TaskState } = {},
  ): UpdateUUID {
    const uuid = UpdateUUID(this.runtime.random.uuid());
    const { latestState = state, ...fields } = more;
    this.tell(agentMessages.ForwardStatusUpdate, {
      update: {
        frameworkId,
        agentId: this.id,
        latestState,
        status: {
          taskId: TaskID(taskId),
          state,
          source: 'SOURCE_EXECUTOR',
          agentId: this.id,
          timestamp: this.runtime.clock.now(),
          uuid,
          ...fields,
        },
      },
    });
    return uuid;
  }

  protected override heard(kind: string, body: unknown, from: PID): void {
    if (kind === agentMessages.AgentRegistered.name) this.agentId = (body as { readonly agentId: AgentID }).agentId;
    if (kind === agentMessages.Ping.name && this.answersPings && this.agentId !== undefined) {
      this.send(from, agentMessages.Pong, { agentId: this.agentId });
    }
  }
}

/** As an agent reports a task that it runs. */
export function reported(
  frameworkId: FrameworkID,
  agentId: AgentID,
  id: string,
  resources: string,
  state: TaskState = 'TASK_RUNNING',
): Task {
  return {
    taskId: TaskID(id),
    frameworkId,
    agentId,
    name: id,
    state,
    resources: [...Resources.parse(resources).allocate('*')],
    statuses: [],
  };
}

/** An allocator that allocates what the test says, and keeps what it is told. */
export class FakeAllocator extends Peer {
  protected readonly kinds = Object.values(allocatorMessages).filter(
    (kind) => kind !== allocatorMessages.AllocatorInitialized && kind !== allocatorMessages.Allocated,
  );

  constructor() {
    super('allocator');
  }

  allocate(frameworkId: FrameworkID, agentId: AgentID, resources: string): void {
    const allocation = { role: '*', agentId, resources: [...Resources.parse(resources).allocate('*')] };
    this.tell(allocatorMessages.Allocated, { frameworkId, allocations: [allocation] });
  }

  protected override heard(kind: string): void {
    if (kind === allocatorMessages.InitializeAllocator.name) this.tell(allocatorMessages.AllocatorInitialized, {});
  }
}
