import type { AllocatorFactory, AllocatorOptions } from '@mezzo/master';
import { type Message, type PID, Process, type Timer } from '@mezzo/process';
import { type AgentID, allocatorMessages as messages, type FrameworkID, Resources } from '@mezzo/protocol';

interface Framework {
  roles: readonly string[];
  suppressed: Set<string>;
  isActive: boolean;
  /** What it does not want now, of which agent. */
  readonly declined: Set<{ readonly agentId: AgentID; readonly resources: Resources }>;
}

interface Agent {
  total: Resources;
  isActive: boolean;
  /** By framework, in use or on offer. */
  readonly held: Map<FrameworkID, Resources>;
}

/**
 * A whole allocator: who came first gets all that it does not decline, the others what is left. It knows roles, reservations and
 * filters, and passes over messages about anything else. Two things keep it right: it remembers what it has given away until that
 * comes back, and it believes its master: an agent that is added again is as the master says, whatever it was before.
 */
class FirstComeFirstServed extends Process {
  readonly #options: AllocatorOptions;
  /** In the order in which they came: this is the queue. */
  readonly #frameworks = new Map<FrameworkID, Framework>();
  readonly #agents = new Map<AgentID, Agent>();
  #master: PID | undefined;
  #timer: Timer | undefined;

  constructor(options: AllocatorOptions) {
    super('allocator');
    this.#options = options;
  }

  protected override initialize(): void {
    // A master begins with this, and is answered; then it tells all there is, and from then on every change.
    this.install(messages.InitializeAllocator, ({ allocationInterval }, from) => {
      if (from.toString() !== (this.#options.master ?? from).toString()) return;
      this.#forget();
      this.#master = from;
      this.link(from);
      this.send(from, messages.AllocatorInitialized, {});
      this.#runEvery(allocationInterval);
    });
    this.#hear(messages.AddFramework, ({ frameworkId, roles, suppressedRoles, active }) => {
      const suppressed = new Set(suppressedRoles);
      this.#frameworks.set(frameworkId, { roles, suppressed, isActive: active, declined: new Set() });
    });
    this.#hear(messages.RemoveFramework, ({ frameworkId }) => {
      this.#frameworks.delete(frameworkId);
      for (const { held } of this.#agents.values()) held.delete(frameworkId);
    });
    this.#ofFramework(messages.UpdateFramework, (framework, { roles, suppressedRoles }) => {
      Object.assign(framework, { roles, suppressed: new Set(suppressedRoles) });
    });
    this.#ofFramework(messages.ActivateFramework, (framework) => void (framework.isActive = true));
    this.#ofFramework(messages.DeactivateFramework, (framework) => void (framework.isActive = false));
    this.#ofFramework(messages.SuppressOffers, (framework, { roles }) => {
      for (const role of roles.length === 0 ? framework.roles : roles) framework.suppressed.add(role);
    });
    this.#ofFramework(messages.ReviveOffers, (framework, { roles }) => {
      for (const role of roles.length === 0 ? framework.roles : roles) framework.suppressed.delete(role);
      framework.declined.clear();
    });
    this.#hear(messages.AddAgent, ({ agentId, total, used }) => {
      const held = new Map(
        used.map(({ frameworkId, resources }) => [frameworkId, Resources.of(resources).unallocate()]),
      );
      this.#agents.set(agentId, { total: Resources.of(total), isActive: true, held });
    });
    this.#hear(messages.RemoveAgent, ({ agentId }) => void this.#agents.delete(agentId));
    this.#ofAgent(messages.UpdateAgent, (agent, { total }) => void (agent.total = Resources.of(total ?? agent.total)));
    this.#ofAgent(messages.ActivateAgent, (agent) => void (agent.isActive = true));
    this.#ofAgent(messages.DeactivateAgent, (agent) => void (agent.isActive = false));
    this.#ofAgent(messages.RecoverResources, ({ held }, { frameworkId, agentId, resources, filters }) => {
      // They come with the role for which they were given; free is free for all.
      const returned = Resources.of(resources).unallocate();
      held.set(frameworkId, (held.get(frameworkId) ?? Resources.empty).minus(returned));
      if (filters === undefined || !(filters.refuseSeconds > 0)) return;
      const declined = this.#frameworks.get(frameworkId)?.declined;
      const refusal = { agentId, resources: returned };
      declined?.add(refusal);
      this.delay(Math.min(filters.refuseSeconds * 1000, 365 * 24 * 3_600_000), () => declined?.delete(refusal));
    });
  }

  protected override exited(pid: PID): void {
    if (this.#master?.equals(pid) === true) this.#forget();
  }

  #runEvery(interval: number): void {
    this.#timer = this.delay(interval, () => {
      for (const [id, framework] of this.#frameworks) if (framework.isActive) this.#allocate(id, framework);
      this.#runEvery(interval);
    });
  }

  /** One message for each framework; the master makes one offer of each allocation in it. */
  #allocate(frameworkId: FrameworkID, { roles, suppressed, declined }: Framework): void {
    const allocations = [];
    for (const [agentId, { isActive, total, held }] of this.#agents) {
      for (const role of isActive ? roles : []) {
        const free = total.minus(Resources.sum(held.values())).allocatableTo(role);
        if (suppressed.has(role) || free.isEmpty) continue;
        if ([...declined].some((no) => no.agentId === agentId && no.resources.contains(free))) continue;
        held.set(frameworkId, (held.get(frameworkId) ?? Resources.empty).plus(free));
        allocations.push({ role, agentId, resources: [...free.allocate(role)] });
      }
    }
    if (this.#master === undefined || allocations.length === 0) return;
    this.send(this.#master, messages.Allocated, { frameworkId, allocations });
  }

  #forget(): void {
    this.#timer?.cancel();
    this.#frameworks.clear();
    this.#agents.clear();
    this.#master = undefined;
  }

  #hear<T>(kind: Message<T>, handle: (body: T) => void): void {
    this.install(kind, (body, from) => void (this.#master?.equals(from) === true && handle(body)));
  }

  /** What is said of somebody who is not there is passed over. */
  #ofFramework<T extends { frameworkId: FrameworkID }>(kind: Message<T>, act: (it: Framework, body: T) => void): void {
    this.#hear(kind, (body) => {
      const framework = this.#frameworks.get(body.frameworkId);
      if (framework !== undefined) act(framework, body);
    });
  }

  #ofAgent<T extends { agentId: AgentID }>(kind: Message<T>, act: (it: Agent, body: T) => void): void {
    this.#hear(kind, (body) => {
      const agent = this.#agents.get(body.agentId);
      if (agent !== undefined) act(agent, body);
    });
  }
}

/** What a module needs to export to be given as `--allocator ./first-come-first-served.js`. */
export default ((options) => new FirstComeFirstServed(options)) satisfies AllocatorFactory;
