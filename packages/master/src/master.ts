import { type ExitReason, Future, type Message, type PID, Process, RateLimiter, type Request } from '@mezzo/process';
import {
  agentMessages,
  allocatorMessages,
  type FrameworkID,
  MasterID,
  schedulerMessages,
  type Term,
} from '@mezzo/protocol';
import { MasterReady } from './election/contender-messages.ts';
import { Agents } from './agents/agents.ts';
import { Recovery } from './agents/recovery.ts';
import { Removals } from './agents/removals.ts';
import { AllocatorClient } from './allocator-client.ts';
import type { Framework } from './frameworks/framework.ts';
import { Frameworks } from './frameworks/frameworks.ts';
import { PrincipalLimits } from './frameworks/principal-limits.ts';
import { History } from './history.ts';
import { type Endpoint, endpoints, pages } from './http/endpoints.ts';
import type { MasterContext } from './master-context.ts';
import { MasterMetrics } from './master-metrics.ts';
import { InverseOffers } from './offers/inverse-offers.ts';
import { OfferCalls } from './offers/offer-calls.ts';
import { Offers } from './offers/offers.ts';
import { type MasterOptions, resolveOptions } from './options.ts';
import { Operator } from './operator.ts';
import { Operations } from './operations/operations.ts';
import { RegistryClient } from './registrar/index.ts';
import { ExecutorCalls } from './tasks/executor-calls.ts';
import { TaskCalls } from './tasks/task-calls.ts';
import { Tasks } from './tasks/tasks.ts';
import { version } from './version.ts';

/** What this master can do that older ones cannot, in Mesos's names. */
const masterCapabilities = ['AGENT_UPDATE', 'AGENT_DRAINING', 'QUOTA_V2'] as const;

/** Longer than a registrar takes for anything (registry_fetch_timeout and registry_store_timeout together), in milliseconds. */
const registrarTimeout = 120_000;

export interface MasterParts extends MasterOptions {
  /** Where its allocator is, or will be. */
  readonly allocator: PID;
  /** What logs call it. Default: its address. */
  readonly allocatorName?: string;
  /** Where its registrar is. */
  readonly registrar: PID;
  /** Of this reign; in every message it sends. */
  readonly term: Term;
  /** Hears MasterReady once the registry is recovered. */
  readonly owner?: PID;
}

interface SchedulerListeners {
  readonly frameworks: Frameworks;
  readonly offerCalls: OfferCalls;
  readonly taskCalls: TaskCalls;
  readonly executorCalls: ExecutorCalls;
  readonly operations: Operations;
}

interface AgentListeners {
  readonly agents: Agents;
  readonly taskCalls: TaskCalls;
  readonly executorCalls: ExecutorCalls;
  readonly operations: Operations;
}

/** Brings frameworks and agents together: the process `master`. */
export class Master extends Process {
  readonly #parts: MasterParts;
  #context: MasterContext | undefined;
  #frameworks: Frameworks | undefined;
  #agents: Agents | undefined;
  #operator: Operator | undefined;
  #removals: RateLimiter | undefined;
  #limits: PrincipalLimits | undefined;

  constructor(parts: MasterParts) {
    super('master');
    this.#parts = parts;
    // A wrong option is the caller's to hear of, not a crash later.
    resolveOptions(parts);
  }

  protected override initialize(): void {
    const context = this.#makeContext();
    const offers = new Offers(context);
    const inverseOffers = new InverseOffers(context, () => offers.nextId());
    const tasks = new Tasks(context);
    const operations = new Operations(context);
    const frameworks = new Frameworks(context, { offers, inverseOffers, tasks });
    const agents = new Agents(context, { offers, inverseOffers, tasks, operations, frameworks });
    const executorCalls = new ExecutorCalls(context);
    const taskCalls = new TaskCalls(context, tasks);
    const offerCalls = new OfferCalls(context, { offers, inverseOffers, tasks, operations });
    this.#context = context;
    this.#frameworks = frameworks;
    this.#limits = new PrincipalLimits(context.options.rateLimits, {
      clock: this.clock,
      counter: (principal, what) => context.metrics.ofPrincipal(principal, what),
      defer: (call) => this.defer(call),
    });
    this.#agents = agents;
    this.#operator = new Operator(context, { offers, inverseOffers, operations, agents, frameworks });
    this.#serve(context);
    context.registry.recover(() => {
      // Whoever asked earlier was not heard, and asks again.
      new Recovery(context, agents).begin();
      this.#listenToSchedulers(context, { frameworks, offerCalls, taskCalls, executorCalls, operations });
      this.#listenToAgents(context, { agents, taskCalls, executorCalls, operations });
      this.#listenToAllocator(context, offers, inverseOffers);
      context.allocator.connect();
      if (this.#parts.owner !== undefined) this.send(this.#parts.owner, MasterReady, { term: context.term });
    });
  }

  /** What operators decide, for dispatches: `dispatch(master, (m) => m.operator.drainAgent(…))`. */
  get operator(): Operator {
    if (this.#operator === undefined) throw new Error('The master has not begun yet: call it by dispatch');
    return this.#operator;
  }

  /** @internal All that it knows, for tests that look on; undefined before it has begun. */
  get known(): MasterContext | undefined {
    return this.#context;
  }

  protected override finalize(_reason: ExitReason): void {
    this.#context?.metrics.remove();
    this.#removals?.stop();
    this.#limits?.stop();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (pid.toString() === this.#parts.registrar.toString()) this.#lost(`The registrar is gone (${reason.kind})`);
    if (this.#context?.allocator.is(pid) === true) this.#allocatorExited(this.#context, reason);
    const frameworks = this.#frameworks;
    const framework = frameworks?.subscribedFrom(pid);
    // After what it has said before.
    if (framework !== undefined) this.#limits?.after(framework.info.principal, () => frameworks?.exited(pid));
    this.#agents?.exited(pid);
  }

  #allocatorExited({ allocator, log }: MasterContext, reason: ExitReason): void {
    const why = reason.kind === 'crashed' ? `crashed: ${reason.message}` : `is gone (${reason.kind})`;
    // It is said once, not at every attempt to reach it.
    if (allocator.isReady) log.error({ allocator: allocator.name }, `the allocator '${allocator.name}' ${why}`);
    allocator.exited();
  }

  /** It may not go on: somebody else leads, or nobody knows. */
  #lost(message: string): void {
    this.runtime.log.error({ term: this.#parts.term }, message);
    this.terminate();
  }

  #makeContext(): MasterContext {
    const runtime = this.runtime;
    const options = resolveOptions(this.#parts);
    const frameworks: MasterContext['frameworks'] = new Map();
    const agents: MasterContext['agents'] = new Map();
    const ports = {
      send: <T>(to: PID, kind: Message<T>, body: T): void =>
        void this.send(to, kind, ...([body] as [T] extends [void] ? [] : [T])),
      link: (to: PID): void => void this.link(to),
      ask: <Q, A>(to: PID, kind: Request<Q, A>, body: Q) => this.ask(to, kind, body),
      delay: (milliseconds: number, call: () => void) => this.delay(milliseconds, call),
      deferred: <A extends unknown[], R>(call: (...values: A) => R) => this.deferred(call),
    };
    const { allocator: address, term } = this.#parts;
    const name = this.#parts.allocatorName ?? address.toString();
    const id = this.#parts.masterId ?? MasterID(this.random.uuid());
    const lost = (message: string): void => this.#lost(message);
    const registry = new RegistryClient({
      registrar: this.#parts.registrar,
      term,
      master: {
        id,
        address: this.self.address,
        hostname: runtime.name,
        url: runtime.url ?? '',
        version,
        capabilities: [...masterCapabilities],
        ...(options.domain === undefined ? undefined : { domain: options.domain }),
      },
      ...ports,
      ask: (to, kind, body) => this.ask(to, kind, body, { timeout: registrarTimeout }),
      lost,
    });
    const context: MasterContext = {
      id,
      term,
      options,
      frameworks,
      completedFrameworks: new History(options.maxCompletedFrameworks),
      agents,
      unreachableAgents: new Map(),
      recoveredAgents: new Map(),
      get goneAgents() {
        return registry.state.gone;
      },
      registry,
      removals: new Removals(
        () => this.#removals?.acquire() ?? Future.ready(undefined),
        (call) => this.defer(call),
      ),
      nobody: runtime.nobody,
      successor: (pid) => runtime.pid(pid.toString()),
      lost,
      offers: new Map(),
      allocator: new AllocatorClient({ address, name, options, frameworks, agents, ...ports }),
      metrics: new MasterMetrics(runtime.metrics),
      log: runtime.log,
      get url() {
        return runtime.url ?? '';
      },
      now: () => this.clock.now(),
      uuid: () => this.random.uuid(),
      relieved: (agent) => this.#agents?.scheduling.relieved(agent),
      changed: (agent) => this.#agents?.changed(agent),
      ...ports,
    };
    const { agentRemovalInterval } = options;
    if (agentRemovalInterval !== undefined) this.#removals = new RateLimiter(this.clock, 1, agentRemovalInterval);
    const startedAt = this.clock.now();
    context.metrics.watch(context, () => (this.clock.now() - startedAt) / 1000);
    return context;
  }

  #listenToSchedulers(
    context: MasterContext,
    { frameworks, offerCalls, taskCalls, executorCalls, operations }: SchedulerListeners,
  ): void {
    const { Subscribe, Accept, Decline, Revive, Suppress, Kill, Acknowledge, Reconcile, Teardown } = schedulerMessages;
    const { AcceptInverseOffers, DeclineInverseOffers, AcknowledgeOperation, ReconcileOperations } = schedulerMessages;
    const { ShutdownExecutor, MessageToExecutor, UpdateFramework } = schedulerMessages;
    const { allocator, metrics } = context;
    this.install(Subscribe, ({ framework, suppressedRoles }, from) => {
      const subscribe = (): void => {
        metrics.counter('messages_register_framework').increment();
        frameworks.subscribe(framework, suppressedRoles, from);
      };
      const known = frameworks.subscribedFrom(from);
      if (known === undefined) subscribe();
      else this.#throttle(context, Subscribe.name, known, subscribe);
    });
    const onCall = <T extends { readonly frameworkId: FrameworkID }>(
      kind: Message<T>,
      metric: string,
      handle: (framework: Framework, call: T) => void,
    ): void => {
      const counter = metrics.counter(metric);
      const process = (call: T, from: PID): void => {
        const framework = frameworks.calledBy(call.frameworkId, from);
        if (framework === undefined) {
          this.#drop(context, kind.name, from);
        } else {
          counter.increment();
          handle(framework, call);
        }
      };
      this.install(kind, (call, from) => {
        const framework = frameworks.calledBy(call.frameworkId, from);
        if (framework === undefined) process(call, from);
        else this.#throttle(context, kind.name, framework, () => process(call, from));
      });
    };
    onCall(Accept, 'messages_launch_tasks', (framework, call) => offerCalls.accept(framework, call));
    onCall(Decline, 'messages_decline_offers', (framework, call) => offerCalls.decline(framework, call));
    onCall(AcceptInverseOffers, 'messages_accept_inverse_offers', (framework, call) =>
      offerCalls.answerInverse(framework, 'ACCEPT', call),
    );
    onCall(DeclineInverseOffers, 'messages_decline_inverse_offers', (framework, call) =>
      offerCalls.answerInverse(framework, 'DECLINE', call),
    );
    onCall(Kill, 'messages_kill_task', (framework, call) => taskCalls.kill(framework, call));
    onCall(Acknowledge, 'messages_status_update_acknowledgement', (framework, call) =>
      taskCalls.acknowledge(framework, call),
    );
    onCall(Reconcile, 'messages_reconcile_tasks', (framework, call) => taskCalls.reconcile(framework, call.tasks));
    onCall(AcknowledgeOperation, 'messages_operation_status_update_acknowledgement', (framework, call) =>
      operations.acknowledge(framework, call),
    );
    onCall(ReconcileOperations, 'messages_reconcile_operations', (framework, call) =>
      operations.reconcile(framework, call.operations),
    );
    onCall(ShutdownExecutor, 'messages_shutdown_executor', (framework, call) =>
      executorCalls.shutdown(framework, call),
    );
    onCall(MessageToExecutor, 'messages_framework_to_executor', (framework, call) =>
      executorCalls.toExecutor(framework, call),
    );
    this.answer(UpdateFramework, ({ framework: info, suppressedRoles }, from) =>
      frameworks.update(info, suppressedRoles, from),
    );
    onCall(Teardown, 'messages_unregister_framework', (framework) => frameworks.teardown(framework));
    onCall(Revive, 'messages_revive_offers', (framework, { roles }) => {
      for (const role of roles.length === 0 ? framework.roles : roles) framework.suppressed.delete(role);
      allocator.revive(framework.id, roles);
    });
    onCall(Suppress, 'messages_suppress_offers', (framework, { roles }) => {
      for (const role of roles.length === 0 ? framework.roles : roles) framework.suppressed.add(role);
      allocator.suppress(framework.id, roles);
    });
  }

  #listenToAgents({ metrics }: MasterContext, { agents, taskCalls, executorCalls, operations }: AgentListeners): void {
    const onMessage = <T>(kind: Message<T>, metric: string, handle: (body: T, from: PID) => void): void => {
      const counter = metrics.counter(metric);
      this.install(kind, (body, from) => {
        counter.increment();
        handle(body, from);
      });
    };
    const { RegisterAgent, ReregisterAgent, UnregisterAgent, UpdateAgent, Pong, ForwardStatusUpdate } = agentMessages;
    const { UpdateOperationStatus, ExitedExecutor, ExecutorMessage } = agentMessages;
    onMessage(RegisterAgent, 'messages_register_slave', (introduction, from) => agents.register(introduction, from));
    onMessage(ReregisterAgent, 'messages_reregister_slave', (report, from) => agents.reregister(report, from));
    onMessage(UnregisterAgent, 'messages_unregister_slave', ({ agentId }, from) => agents.unregister(agentId, from));
    onMessage(UpdateAgent, 'messages_update_slave', (body, from) => agents.update(body, from));
    onMessage(ForwardStatusUpdate, 'messages_status_update', (body, from) => taskCalls.update(body, from));
    onMessage(UpdateOperationStatus, 'messages_operation_status_update', (body, from) => operations.update(body, from));
    onMessage(ExitedExecutor, 'messages_exited_executor', (body, from) => executorCalls.exited(body, from));
    onMessage(ExecutorMessage, 'messages_executor_to_framework', (body, from) => executorCalls.toFramework(body, from));
    this.install(Pong, ({ agentId }, from) => agents.pong(agentId, from));
  }

  #listenToAllocator(context: MasterContext, offers: Offers, inverseOffers: InverseOffers): void {
    this.install(allocatorMessages.AllocatorInitialized, (_body, from) => context.allocator.initialized(from));
    this.install(allocatorMessages.Allocated, (body, from) => {
      if (context.allocator.trusts(from)) offers.make(body);
      else this.#drop(context, allocatorMessages.Allocated.name, from);
    });
    this.install(allocatorMessages.InverseAllocated, (body, from) => {
      if (context.allocator.trusts(from)) inverseOffers.make(body);
      else this.#drop(context, allocatorMessages.InverseAllocated.name, from);
    });
  }

  /** Who says too much is told to end, as Mesos does it. */
  #throttle(context: MasterContext, kind: string, { info, pid }: Framework, call: () => void): void {
    this.#limits?.pass(info.principal, call, (capacity) => {
      const message = `Message ${kind} dropped: capacity(${capacity}) exceeded`;
      if (pid !== undefined) context.send(pid, schedulerMessages.FrameworkError, { term: context.term, message });
    });
  }

  /** Sent by somebody who has no right to, or has lost it. */
  #drop(context: MasterContext, kind: string, from: PID): void {
    context.metrics.droppedMessages.increment();
    context.log.warn({ from: from.toString() }, `dropped '${kind}': its sender is not who may send it`);
  }

  #serve(context: MasterContext): void {
    const startedAt = this.clock.now();
    const address = this.self.toString();
    for (const [path, { handler, help }] of Object.entries<Endpoint>(endpoints({ context, address, startedAt }))) {
      this.route(path, handler, { help });
    }
    for (const [path, file] of Object.entries(pages)) this.provide(path, file);
  }
}
