import { type ExitReason, Future, type Message, type PID, Process } from '@mezzo/process';
import {
  agentMessages,
  allocatorMessages,
  type FrameworkID,
  MasterID,
  ResourceQuantities,
  roleFault,
  schedulerMessages,
  type Term,
} from '@mezzo/protocol';
import { Agents } from './agents/agents.ts';
import { AllocatorClient } from './allocator-client.ts';
import type { Framework } from './frameworks/framework.ts';
import { Frameworks } from './frameworks/frameworks.ts';
import { History } from './history.ts';
import { type Endpoint, endpoints, pages } from './http/endpoints.ts';
import type { MasterContext } from './master-context.ts';
import { MasterMetrics } from './master-metrics.ts';
import { OfferCalls } from './offers/offer-calls.ts';
import { Offers } from './offers/offers.ts';
import { type MasterOptions, resolveOptions } from './options.ts';
import { TaskCalls } from './tasks/task-calls.ts';
import { Tasks } from './tasks/tasks.ts';
import { judgeQuotas, type QuotaText } from './validation/quota.ts';

/** Agents that are remembered after they became unreachable (registry_max_agent_count). */
const maxUnreachableAgents = 102_400;

export interface MasterParts extends MasterOptions {
  /** Where its allocator is, or will be. */
  readonly allocator: PID;
  /** What logs call it. Default: its address. */
  readonly allocatorName?: string;
  /** Of this reign; in every message it sends. */
  readonly term: Term;
}

/** Brings frameworks and agents together: the process `master`. */
export class Master extends Process {
  readonly #parts: MasterParts;
  #context: MasterContext | undefined;
  #frameworks: Frameworks | undefined;
  #agents: Agents | undefined;

  constructor(parts: MasterParts) {
    super('master');
    this.#parts = parts;
    // A wrong option is the caller's to hear of, not a crash later.
    resolveOptions(parts);
  }

  protected override initialize(): void {
    const context = this.#makeContext();
    const offers = new Offers(context);
    const tasks = new Tasks(context);
    const frameworks = new Frameworks(context, offers, tasks);
    const agents = new Agents(context, offers, tasks, frameworks);
    this.#context = context;
    this.#frameworks = frameworks;
    this.#agents = agents;
    this.#listenToSchedulers(
      frameworks,
      new OfferCalls(context, offers, tasks),
      new TaskCalls(context, tasks),
      context,
    );
    this.#listenToAgents(agents, new TaskCalls(context, tasks), context);
    this.#listenToAllocator(offers, context);
    this.#serve(context);
    context.allocator.connect();
  }

  // ---- what an operator decides, by dispatch: what is wrong fails the call, not the master

  /**
   * Sets what roles are guaranteed and may have at most, in the text form of quantities: `{ ads: { guarantees: 'cpus:8',
   * limits: 'cpus:16' } }`. What is left out is no guarantee, and no limit. Nothing is changed if anything is wrong: FAILED
   * with ResourcesParseError, or with RangeError for a role that is invalid or lies below another one, guarantees above
   * their limits, or above what the cluster has.
   *
   * @param options `force` admits guarantees that the agents of now cannot keep.
   */
  setQuotas(quotas: Readonly<Record<string, QuotaText>>, options: { readonly force?: boolean } = {}): Future<void> {
    const { allocator, agents } = this.#active;
    let total = ResourceQuantities.empty;
    for (const agent of agents.values()) total = total.plus(agent.total.quantities);
    const judged = judgeQuotas(quotas, allocator.quotas, total, options.force ?? false);
    if (judged instanceof Error) return Future.failed(judged);
    for (const [role, quota] of judged) allocator.setQuota(role, quota);
    return Future.ready(undefined);
  }

  /**
   * How much roles count in fair sharing, above 0; default 1. Those of other roles stay as they are. FAILED with RangeError.
   */
  setWeights(weights: Readonly<Record<string, number>>): Future<void> {
    for (const [role, weight] of Object.entries(weights)) {
      const fault = roleFault(role) ?? (weight > 0 && Number.isFinite(weight) ? undefined : 'expected more than 0');
      if (fault !== undefined)
        return Future.failed(new RangeError(`Invalid weight ${weight} of role '${role}': ${fault}`));
    }
    this.#active.allocator.setWeights(weights);
    return Future.ready(undefined);
  }

  /** Only agents on these hosts are offered from now on; without a list all are, with an empty one none. */
  setWhitelist(hostnames: readonly string[] | undefined): void {
    this.#active.allocator.setWhitelist(hostnames);
  }

  get #active(): MasterContext {
    if (this.#context === undefined) throw new Error('The master has not begun yet: call it by dispatch');
    return this.#context;
  }

  protected override finalize(_reason: ExitReason): void {
    this.#context?.metrics.remove();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (this.#context?.allocator.is(pid) === true) this.#allocatorExited(this.#context, reason);
    this.#frameworks?.exited(pid);
    this.#agents?.exited(pid);
  }

  #allocatorExited({ allocator, log }: MasterContext, reason: ExitReason): void {
    const why = reason.kind === 'crashed' ? `crashed: ${reason.message}` : `is gone (${reason.kind})`;
    // It is said once, not at every attempt to reach it.
    if (allocator.isReady) log.error({ allocator: allocator.name }, `the allocator '${allocator.name}' ${why}`);
    allocator.exited();
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
      delay: (milliseconds: number, call: () => void) => this.delay(milliseconds, call),
    };
    const { allocator: address, term } = this.#parts;
    const name = this.#parts.allocatorName ?? address.toString();
    const context: MasterContext = {
      id: this.#parts.masterId ?? MasterID(this.random.uuid()),
      term,
      options,
      frameworks,
      completedFrameworks: new History(options.maxCompletedFrameworks),
      agents,
      unreachableAgents: new History(maxUnreachableAgents),
      offers: new Map(),
      allocator: new AllocatorClient({ address, name, options, frameworks, agents, ...ports }),
      metrics: new MasterMetrics(runtime.metrics),
      log: runtime.log,
      get url() {
        return runtime.url ?? '';
      },
      now: () => this.clock.now(),
      ...ports,
    };
    const startedAt = this.clock.now();
    context.metrics.watch(context, () => (this.clock.now() - startedAt) / 1000);
    return context;
  }

  #listenToSchedulers(frameworks: Frameworks, offers: OfferCalls, tasks: TaskCalls, context: MasterContext): void {
    const { Subscribe, Accept, Decline, Revive, Suppress, Kill, Acknowledge, Reconcile, Teardown } = schedulerMessages;
    const { allocator, metrics } = context;
    this.install(Subscribe, ({ framework, suppressedRoles }, from) => {
      metrics.counter('messages_register_framework').increment();
      frameworks.subscribe(framework, suppressedRoles, from);
    });
    const onCall = <T extends { readonly frameworkId: FrameworkID }>(
      kind: Message<T>,
      metric: string,
      handle: (framework: Framework, call: T) => void,
    ): void => {
      const counter = metrics.counter(metric);
      this.install(kind, (call, from) => {
        const framework = frameworks.calledBy(call.frameworkId, from);
        if (framework === undefined) {
          this.#drop(context, kind.name, from);
        } else {
          counter.increment();
          handle(framework, call);
        }
      });
    };
    onCall(Accept, 'messages_launch_tasks', (framework, call) => offers.accept(framework, call));
    onCall(Decline, 'messages_decline_offers', (framework, call) => offers.decline(framework, call));
    onCall(Kill, 'messages_kill_task', (framework, call) => tasks.kill(framework, call));
    onCall(Acknowledge, 'messages_status_update_acknowledgement', (framework, call) =>
      tasks.acknowledge(framework, call),
    );
    onCall(Reconcile, 'messages_reconcile_tasks', (framework, call) => tasks.reconcile(framework, call.tasks));
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

  #listenToAgents(agents: Agents, tasks: TaskCalls, { metrics }: MasterContext): void {
    const onMessage = <T>(kind: Message<T>, metric: string, handle: (body: T, from: PID) => void): void => {
      const counter = metrics.counter(metric);
      this.install(kind, (body, from) => {
        counter.increment();
        handle(body, from);
      });
    };
    const { RegisterAgent, ReregisterAgent, UnregisterAgent, Pong, ForwardStatusUpdate } = agentMessages;
    onMessage(RegisterAgent, 'messages_register_slave', ({ agent, version }, from) =>
      agents.register(agent, version, from),
    );
    onMessage(ReregisterAgent, 'messages_reregister_slave', (report, from) => agents.reregister(report, from));
    onMessage(UnregisterAgent, 'messages_unregister_slave', ({ agentId }, from) => agents.unregister(agentId, from));
    onMessage(ForwardStatusUpdate, 'messages_status_update', (body, from) => tasks.update(body, from));
    this.install(Pong, ({ agentId }, from) => agents.pong(agentId, from));
  }

  #listenToAllocator(offers: Offers, context: MasterContext): void {
    this.install(allocatorMessages.AllocatorInitialized, (_body, from) => context.allocator.initialized(from));
    this.install(allocatorMessages.Allocated, (body, from) => {
      if (context.allocator.trusts(from)) offers.make(body);
      else this.#drop(context, allocatorMessages.Allocated.name, from);
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
