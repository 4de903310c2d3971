import { type ExitReason, type Message, type PID, Process, type Timer } from '@mezzo/process';
import {
  type AgentID,
  allocatorMessages,
  defaultFilters,
  type Filters,
  Resources,
  ResourcesParseError,
} from '@mezzo/protocol';
import { allocate } from './allocation-run.ts';
import type { AllocatorFramework as Framework } from './allocator-framework.ts';
import { AllocatorFramework } from './allocator-framework.ts';
import { AllocatorMetrics } from './allocator-metrics.ts';
import { AllocatorState, type AllocatorStateOptions } from './allocator-state.ts';
import { MinAllocatable } from './min-allocatable.ts';

export interface HierarchicalAllocatorOptions extends AllocatorStateOptions {
  /** Default `allocator`. */
  readonly id?: string;
  /** The only address (`id@node`) it takes a master from. Default: whoever comes while it has none. */
  readonly master?: PID;
}

/** Milliseconds; a shorter interval would leave no time for anything else. */
const shortestInterval = 1;

/** Longer refusals are cut to this, in seconds (Mesos: 365 days). */
const longestRefusal = 365 * 86_400;

/**
 * Decides which framework is offered what. It serves one master until that is gone, or started again, and then forgets
 * everything.
 */
export class HierarchicalAllocator extends Process {
  readonly #options: HierarchicalAllocatorOptions;
  readonly #candidates = new Set<AgentID>();
  #state: AllocatorState;
  #metrics: AllocatorMetrics | undefined;
  #minAllocatable = new MinAllocatable([]);
  #interval = 1000;
  #master: PID | undefined;
  #periodic: Timer | undefined;
  #triggeredAt: number | undefined;

  constructor(options: HierarchicalAllocatorOptions = {}) {
    super(options.id ?? 'allocator');
    this.#options = options;
    this.#state = this.#emptyState();
    this.#installAll();
  }

  protected override initialize(): void {
    this.#metrics = new AllocatorMetrics(this.runtime.metrics, () => this.#state);
  }

  protected override finalize(_reason: ExitReason): void {
    this.#metrics?.remove();
  }

  protected override exited(pid: PID): void {
    if (this.#master?.equals(pid) === true) this.#forget();
  }

  #installAll(): void {
    const messages = allocatorMessages;
    this.install(messages.InitializeAllocator, (body, from) =>
      this.#initialize(from, body.allocationInterval, body.minAllocatable),
    );
    this.#serve(messages.AddFramework, ({ frameworkId, roles, capabilities, used, active }) => {
      const framework = new AllocatorFramework(frameworkId, roles, capabilities, active);
      this.#state.addFramework(
        framework,
        used.map(({ agentId, resources }) => [agentId, Resources.of(resources)] as const),
      );
      if (active) this.#triggerAll();
    });
    this.#serve(messages.RemoveFramework, ({ frameworkId }) => this.#state.removeFramework(frameworkId));
    this.#serve(messages.ActivateFramework, ({ frameworkId }) => {
      this.#state.activateFramework(frameworkId);
      this.#triggerAll();
    });
    this.#serve(messages.DeactivateFramework, ({ frameworkId }) => this.#state.deactivateFramework(frameworkId));
    this.#serve(messages.UpdateFramework, ({ frameworkId, roles, capabilities }) =>
      this.#state.updateFramework(frameworkId, roles, capabilities),
    );
    this.#serve(messages.AddAgent, ({ agentId, total, used }) => {
      this.#state.addAgent(
        agentId,
        Resources.of(total),
        used.map(({ frameworkId, resources }) => [frameworkId, Resources.of(resources)] as const),
      );
      this.#metrics?.resourcesKnown(this.#state.totals.names);
      this.#trigger([agentId]);
    });
    this.#serve(messages.RemoveAgent, ({ agentId }) => {
      this.#state.removeAgent(agentId);
      this.#candidates.delete(agentId);
    });
    this.#serve(messages.ActivateAgent, ({ agentId }) => this.#setAgentActive(agentId, true));
    this.#serve(messages.DeactivateAgent, ({ agentId }) => this.#setAgentActive(agentId, false));
    this.#serve(messages.RecoverResources, ({ frameworkId, agentId, resources, filters }) => {
      const returned = this.#state.recover(frameworkId, agentId, Resources.of(resources));
      const framework = this.#state.frameworks.get(frameworkId);
      if (returned === undefined || framework === undefined || filters === undefined) return;
      for (const [role, part] of returned.allocations())
        this.#filter(framework, role, agentId, part.unallocate(), filters);
    });
    this.#serve(messages.SuppressOffers, ({ frameworkId, roles }) => this.#state.suppress(frameworkId, roles));
    this.#serve(messages.ReviveOffers, ({ frameworkId, roles }) => {
      this.#state.revive(frameworkId, roles);
      this.#triggerAll();
    });
    this.#serve(messages.UpdateWeights, ({ weights }) => {
      for (const { role, weight } of weights) if (weight > 0) this.#state.roleSorter.updateWeight(role, weight);
    });
  }

  /** Whoever is not the master that initialised it is not heard. */
  #serve<T>(kind: Message<T>, handle: (body: T) => void): void {
    this.install(kind, (body, from) => {
      if (this.#master?.equals(from) === true) handle(body);
      else this.#ignore(kind, from, 'it is not from the master that initialised this allocator');
    });
  }

  #ignore(kind: { readonly name: string }, from: PID, why: string): void {
    this.#metrics?.ignored.increment();
    this.runtime.log.warn({ from: from.address }, `ignored '${kind.name}': ${why}`);
  }

  #initialize(from: PID, interval: number, minAllocatable: readonly string[]): void {
    const fault = this.#faultOf(from) ?? intervalFault(interval);
    if (fault !== undefined) return this.#ignore(allocatorMessages.InitializeAllocator, from, fault);
    let least: MinAllocatable;
    try {
      least = new MinAllocatable(minAllocatable);
    } catch (error) {
      if (!(error instanceof ResourcesParseError)) throw error;
      return this.#ignore(allocatorMessages.InitializeAllocator, from, error.message);
    }
    this.#begin(from, interval, least);
  }

  /** Why it cannot be the master, or undefined. */
  #faultOf(from: PID): string | undefined {
    const { master: expected } = this.#options;
    const address = from.toString();
    if (expected !== undefined && expected.toString() !== address)
      return `it is from ${address}, not from ${expected.toString()}`;
    const present = this.#master;
    if (present === undefined || present.equals(from) || isSuccessor(from, present)) return undefined;
    return `this allocator serves ${present.address}`;
  }

  #begin(master: PID, interval: number, minAllocatable: MinAllocatable): void {
    this.#forget();
    this.#master = master;
    this.#interval = interval;
    this.#minAllocatable = minAllocatable;
    this.link(master);
    this.send(master, allocatorMessages.AllocatorInitialized, {});
    this.#startPeriod();
  }

  #forget(): void {
    for (const framework of this.#state.frameworks.values()) framework.filters.clear();
    for (const role of this.#state.roles.keys()) this.#metrics?.roleRemoved(role);
    this.#state = this.#emptyState();
    this.#candidates.clear();
    this.#periodic?.cancel();
    this.#master = undefined;
  }

  #emptyState(): AllocatorState {
    const observer = {
      roleAdded: (role: string) => this.#metrics?.roleAdded(role),
      roleRemoved: (role: string) => this.#metrics?.roleRemoved(role),
    };
    return new AllocatorState(observer, this.#options);
  }

  #setAgentActive(agentId: AgentID, isActive: boolean): void {
    const agent = this.#state.agents.get(agentId);
    if (agent !== undefined) agent.isActive = isActive;
  }

  #filter(framework: Framework, role: string, agentId: AgentID, refused: Resources, filters: Filters): void {
    const { refuseSeconds } = filters;
    if (refuseSeconds === 0) return;
    const valid = refuseSeconds > 0 ? Math.min(refuseSeconds, longestRefusal) : defaultFilters.refuseSeconds;
    // Not shorter than the interval, and one turn longer: it must be there in the next periodic run, due at the same time.
    const lasts = Math.max(this.#interval, valid * 1000);
    framework.filters.add(role, agentId, refused, (expire) => this.delay(lasts, this.defer(expire)));
  }

  #startPeriod(): void {
    this.#periodic = this.delay(this.#interval, () => {
      this.#triggerAll();
      this.#startPeriod();
    });
  }

  #triggerAll(): void {
    this.#trigger(this.#state.agents.keys());
  }

  /** What happens before the run's turn comes is served by one run. */
  #trigger(agents: Iterable<AgentID>): void {
    for (const id of agents) this.#candidates.add(id);
    if (this.#triggeredAt !== undefined) return;
    this.#triggeredAt = this.clock.now();
    this.defer(() => this.#run())();
  }

  #run(): void {
    const begun = this.clock.now();
    this.#metrics?.latencyMilliseconds.set(begun - (this.#triggeredAt ?? begun));
    this.#triggeredAt = undefined;
    const master = this.#master;
    if (master === undefined) return;
    const candidates = [...this.#candidates];
    this.#candidates.clear();
    const allocations = allocate(this.#state, candidates, this.#minAllocatable, this.random);
    for (const [frameworkId, list] of allocations) {
      this.send(master, allocatorMessages.Allocated, {
        frameworkId,
        allocations: list.map(({ role, agentId, resources }) => ({ role, agentId, resources: [...resources] })),
      });
    }
    this.#metrics?.runs.increment();
    this.#metrics?.runMilliseconds.set(this.clock.now() - begun);
  }
}

function intervalFault(interval: number): string | undefined {
  if (interval >= shortestInterval && Number.isFinite(interval)) return undefined;
  return `invalid allocation interval ${interval}: expected ${shortestInterval} ms or more`;
}

/** Started later under the same address. */
function isSuccessor(pid: PID, of: PID): boolean {
  if (pid.toString() !== of.toString()) return false;
  if (pid.incarnation !== of.incarnation) return pid.incarnation > of.incarnation;
  return pid.generation > of.generation;
}
