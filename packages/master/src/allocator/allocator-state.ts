import type { AgentID, FrameworkID, Resources } from '@mezzo/protocol';
import { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorFramework } from './allocator-framework.ts';
import { ClusterTotals } from './cluster-totals.ts';
import { DrfSorter } from './drf-sorter.ts';
import { Quantities } from './quantities.ts';
import type { Sorter, SorterFactory } from './sorter.ts';

/** Orders the frameworks of one role; a framework belongs to a role while it is subscribed or still holds something in it. */
export interface RoleFrameworks {
  readonly sorter: Sorter;
  readonly members: Set<FrameworkID>;
}

/** Hears of roles that come and go with their first and last framework. */
export interface RoleObserver {
  roleAdded(role: string): void;
  roleRemoved(role: string): void;
}

export interface AllocatorStateOptions {
  /** Default: DrfSorter. */
  readonly roleSorter?: SorterFactory;
  /** Default: DrfSorter. */
  readonly frameworkSorter?: SorterFactory;
  /** Names of resources that do not count in shares (fair_sharing_excluded_resource_names). Default: none. */
  readonly fairnessExcludedNames?: readonly string[];
}

const drf: SorterFactory = (totals, excluded) => new DrfSorter(totals, excluded);

/** Who holds what, and in which order roles and their frameworks are served. Knows no time and sends nothing. */
export class AllocatorState {
  readonly totals = new ClusterTotals();
  readonly offeredOrAllocated = new Quantities();
  readonly frameworks = new Map<FrameworkID, AllocatorFramework>();
  readonly agents = new Map<AgentID, AllocatorAgent>();
  readonly roles = new Map<string, RoleFrameworks>();
  readonly roleSorter: Sorter;
  readonly #frameworkSorter: SorterFactory;
  readonly #excluded: ReadonlySet<string>;
  readonly #observer: RoleObserver;

  constructor(observer: RoleObserver, options: AllocatorStateOptions = {}) {
    this.#observer = observer;
    this.#excluded = new Set(options.fairnessExcludedNames);
    this.#frameworkSorter = options.frameworkSorter ?? drf;
    this.roleSorter = (options.roleSorter ?? drf)(this.totals, this.#excluded);
  }

  // ---- frameworks

  /** @param used what it holds already; on agents that are not known yet it is left to `addAgent`. */
  addFramework(framework: AllocatorFramework, used: Iterable<readonly [AgentID, Resources]> = []): void {
    this.removeFramework(framework.id);
    this.frameworks.set(framework.id, framework);
    for (const role of framework.roles) this.#track(framework, role);
    for (const [agentId, resources] of used) {
      const agent = this.agents.get(agentId);
      if (agent !== undefined && agent.heldBy(framework.id).isEmpty) this.#hold(agent, framework.id, resources);
    }
    // What agents that came first said it holds was in nobody's share so far.
    for (const agent of this.agents.values()) this.#count(agent, framework, agent.heldBy(framework.id));
  }

  /** Gives back all it holds. */
  removeFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.filters.clear();
    this.frameworks.delete(id);
    for (const agent of this.agents.values()) {
      const held = agent.heldBy(id);
      if (held.isEmpty) continue;
      agent.giveBack(id, held);
      this.offeredOrAllocated.subtract(held);
      for (const [role, resources] of held.allocations()) this.roleSorter.unallocated(role, agent.id, resources);
    }
    for (const [role, { members }] of [...this.roles]) if (members.has(id)) this.#untrack(framework, role);
  }

  activateFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.isActive = true;
    this.#refresh(framework);
  }

  /** Its filters are forgotten, what it holds stays. */
  deactivateFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.isActive = false;
    framework.filters.clear();
    this.#refresh(framework);
  }

  updateFramework(id: FrameworkID, roles: Iterable<string>, capabilities: Iterable<string>): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    const previous = framework.roles;
    framework.roles = new Set(roles);
    framework.capabilities = new Set(capabilities);
    for (const role of framework.roles) this.#track(framework, role);
    for (const role of previous) {
      if (framework.roles.has(role)) continue;
      framework.filters.clearRole(role);
      framework.suppressed.delete(role);
      this.#untrackIfUnused(framework, role);
    }
    this.#refresh(framework);
  }

  /** Without roles: all it is subscribed to. */
  suppress(id: FrameworkID, roles: readonly string[]): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    for (const role of roles.length === 0 ? framework.roles : roles) framework.suppressed.add(role);
    this.#refresh(framework);
  }

  /** Without roles: all it is subscribed to. Forgets the filters of the roles. */
  revive(id: FrameworkID, roles: readonly string[]): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    for (const role of roles.length === 0 ? framework.roles : roles) {
      framework.suppressed.delete(role);
      framework.filters.clearRole(role);
    }
    this.#refresh(framework);
  }

  // ---- agents

  addAgent(id: AgentID, total: Resources, used: Iterable<readonly [FrameworkID, Resources]> = []): void {
    this.removeAgent(id);
    const agent = new AllocatorAgent(id, total);
    this.agents.set(id, agent);
    this.totals.set(id, total);
    for (const [frameworkId, resources] of used) {
      this.#hold(agent, frameworkId, resources);
      const framework = this.frameworks.get(frameworkId);
      if (framework !== undefined) this.#count(agent, framework, resources);
    }
  }

  removeAgent(id: AgentID): void {
    const agent = this.agents.get(id);
    if (agent === undefined) return;
    for (const frameworkId of [...agent.frameworks]) this.recover(frameworkId, id, agent.heldBy(frameworkId));
    for (const framework of this.frameworks.values()) framework.filters.clearAgent(id);
    this.agents.delete(id);
    this.totals.remove(id);
  }

  // ---- allocation

  /** @param resources of the agent's available ones */
  allocate(framework: AllocatorFramework, role: string, agent: AllocatorAgent, resources: Resources): Resources {
    const allocated = resources.allocate(role);
    this.#hold(agent, framework.id, allocated);
    this.#count(agent, framework, allocated);
    return allocated;
  }

  /** @returns what was in fact held, and is free now */
  recover(frameworkId: FrameworkID, agentId: AgentID, resources: Resources): Resources | undefined {
    const agent = this.agents.get(agentId);
    if (agent === undefined) return undefined;
    const returned = agent.giveBack(frameworkId, resources);
    this.offeredOrAllocated.subtract(returned);
    const framework = this.frameworks.get(frameworkId);
    if (framework === undefined) return returned;
    for (const [role, part] of returned.allocations()) {
      this.roleSorter.unallocated(role, agentId, part);
      this.roles.get(role)?.sorter.unallocated(frameworkId, agentId, part);
      if (!framework.roles.has(role)) this.#untrackIfUnused(framework, role);
    }
    return returned;
  }

  #hold(agent: AllocatorAgent, frameworkId: FrameworkID, resources: Resources): void {
    agent.take(frameworkId, resources);
    this.offeredOrAllocated.add(resources);
  }

  /** Into the shares of the framework and its roles. */
  #count(agent: AllocatorAgent, framework: AllocatorFramework, resources: Resources): void {
    for (const [role, part] of resources.allocations()) {
      this.#track(framework, role);
      this.roleSorter.allocated(role, agent.id, part);
      this.roles.get(role)?.sorter.allocated(framework.id, agent.id, part);
    }
  }

  // ---- roles

  #track(framework: AllocatorFramework, role: string): void {
    let frameworks = this.roles.get(role);
    if (frameworks === undefined) {
      frameworks = { sorter: this.#frameworkSorter(this.totals, this.#excluded), members: new Set() };
      this.roles.set(role, frameworks);
      this.roleSorter.add(role);
      this.roleSorter.activate(role);
      this.#observer.roleAdded(role);
    }
    if (frameworks.members.has(framework.id)) return;
    frameworks.members.add(framework.id);
    frameworks.sorter.add(framework.id);
    if (framework.wants(role)) frameworks.sorter.activate(framework.id);
  }

  #untrack(framework: AllocatorFramework, role: string): void {
    const frameworks = this.roles.get(role);
    if (frameworks === undefined) return;
    frameworks.members.delete(framework.id);
    frameworks.sorter.remove(framework.id);
    if (frameworks.members.size > 0) return;
    this.roles.delete(role);
    this.roleSorter.remove(role);
    this.#observer.roleRemoved(role);
  }

  #untrackIfUnused(framework: AllocatorFramework, role: string): void {
    for (const agent of this.agents.values()) if (agent.heldBy(framework.id).allocations().has(role)) return;
    this.#untrack(framework, role);
  }

  #refresh(framework: AllocatorFramework): void {
    for (const [role, { sorter, members }] of this.roles) {
      if (!members.has(framework.id)) continue;
      if (framework.wants(role)) sorter.activate(framework.id);
      else sorter.deactivate(framework.id);
    }
  }
}
