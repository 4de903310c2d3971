import type { Random } from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  type Domain,
  type FrameworkID,
  type OfferConstraints,
  type ResourceConversion,
  type ResourceLimits,
  type ResourceQuantities,
  type Resources,
  unallocatedConversion,
} from '@mezzo/protocol';
import { AllocatorAgent } from './allocator-agent.ts';
import { AllocatorFramework } from './allocator-framework.ts';
import { Client } from './client.ts';
import { ClusterTotals } from './cluster-totals.ts';
import { DrfSorter } from './drf-sorter.ts';
import { TrackedQuantities } from './tracked-quantities.ts';
import { MinAllocatable } from './min-allocatable.ts';
import { ConstraintGroups } from './offer-constraints.ts';
import type { OfferFilters } from './offer-filters.ts';
import { noQuota, RoleTree } from './role-tree.ts';
import type { Sorter, SorterFactory, SorterOptions } from './sorter.ts';

/** Hears of roles that come and go with their first and last framework. */
export interface RoleObserver {
  roleAdded(role: string): void;
  roleRemoved(role: string): void;
}

export interface AllocatorStateOptions {
  readonly filters: OfferFilters;
  readonly random: Random;
  readonly observer: RoleObserver;
  /** Default: DrfSorter. */
  readonly roleSorter?: SorterFactory | undefined;
  /** Default: DrfSorter. */
  readonly frameworkSorter?: SorterFactory | undefined;
  /** Names of resources that do not count in shares. Default: none. */
  readonly fairnessExcluded?: readonly string[];
  /** Where the master stands. Default: agents are nowhere remote. */
  readonly domain?: Domain | undefined;
}

export interface FrameworkSettings {
  readonly roles: readonly string[];
  readonly suppressedRoles: readonly string[];
  readonly capabilities: readonly string[];
  readonly minAllocatable: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>;
  readonly offerConstraints?: OfferConstraints | undefined;
}

type Used<Id> = Iterable<readonly [Id, Resources]>;

/** Who holds what, and in which order roles and their frameworks are served. Knows no time and sends nothing. */
export class AllocatorState {
  readonly totals = new ClusterTotals();
  /** What all agents have. */
  readonly total = new TrackedQuantities();
  /** Held or on offer, of all agents. */
  readonly held = new TrackedQuantities();
  readonly frameworks = new Map<FrameworkID, AllocatorFramework>();
  readonly agents = new Map<AgentID, AllocatorAgent>();
  readonly roles = new RoleTree();
  readonly roleSorter: Sorter;
  readonly filters: OfferFilters;
  /** Grows when somebody may take what nobody could before; of what changes on one agent that agent knows itself. */
  epoch = 0;
  /** Grows with every change that may put clients in another order. */
  order = 0;
  readonly #sorterOptions: SorterOptions;
  readonly #frameworkSorter: SorterFactory;
  readonly #observer: RoleObserver;
  readonly #domain: Domain | undefined;
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #quotas = 0;
  #whitelist: ReadonlySet<string> | undefined;

  constructor(options: AllocatorStateOptions) {
    const { filters, random, observer, fairnessExcluded = [], domain } = options;
    this.filters = filters;
    this.#observer = observer;
    this.#domain = domain;
    this.#frameworkSorter = options.frameworkSorter ?? drf;
    this.#sorterOptions = { totals: this.totals, excluded: new Set(fairnessExcluded), random };
    this.roleSorter = (options.roleSorter ?? drf)(this.#sorterOptions);
  }

  get hasQuotas(): boolean {
    return this.#quotas > 0;
  }

  // ---- frameworks

  /** @param used what it holds already; on agents that are not known yet it is left to `addAgent`. */
  addFramework(id: FrameworkID, settings: FrameworkSettings, isActive: boolean, used: Used<AgentID> = []): void {
    if (this.frameworks.get(id)?.isSubscribed === true) this.removeFramework(id);
    const framework = this.#framework(id);
    framework.isSubscribed = true;
    framework.isActive = isActive;
    for (const role of settings.suppressedRoles) framework.suppressed.add(role);
    this.#setUp(framework, settings);
    // An agent may have made it known before.
    this.#refresh(framework);
    for (const [agentId, resources] of used) {
      const agent = this.agents.get(agentId);
      if (agent !== undefined && !holdsAnything(framework, agent)) this.#holdAll(agent, framework, resources);
    }
    this.epoch++;
  }

  /** Gives back all it holds. */
  removeFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.isSubscribed = false;
    framework.roles = new Set();
    for (const client of [...framework.clients.values()]) {
      for (const agent of [...client.agents]) this.#releaseAll(client, agent);
      this.#dropIfUnused(client);
    }
    this.frameworks.delete(id);
    for (const { maintenance } of this.agents.values()) {
      maintenance?.outstanding.delete(id);
      maintenance?.statuses.delete(id);
    }
  }

  activateFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.isActive = true;
    this.#refresh(framework);
    this.epoch++;
  }

  /** Its filters are forgotten, what it holds stays. */
  deactivateFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.isActive = false;
    framework.inverseFilters.clear();
    for (const client of framework.clients.values()) this.filters.clearClient(client);
    this.#refresh(framework);
  }

  /** Filters of roles that are not suppressed any more are forgotten. */
  updateFramework(id: FrameworkID, settings: FrameworkSettings): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined || !framework.isSubscribed) return;
    const before = framework.roles;
    framework.inverseFilters.clear();
    this.#setUp(framework, settings);
    for (const role of before) {
      if (framework.roles.has(role)) continue;
      framework.suppressed.delete(role);
      const client = framework.clients.get(role);
      if (client === undefined) continue;
      this.filters.clearClient(client);
      this.#dropIfUnused(client);
    }
    const revived = [...framework.suppressed].filter((role) => !settings.suppressedRoles.includes(role));
    for (const role of settings.suppressedRoles) framework.suppressed.add(role);
    for (const role of revived) this.#unsuppress(framework, role);
    this.#refresh(framework);
    this.epoch++;
  }

  /** Without roles: all it is subscribed to. */
  suppress(id: FrameworkID, roles: readonly string[]): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    for (const role of roles.length === 0 ? framework.roles : roles)
      if (framework.roles.has(role)) framework.suppressed.add(role);
    this.#refresh(framework);
  }

  /** Without roles: all it is subscribed to. Forgets the filters of the roles. */
  revive(id: FrameworkID, roles: readonly string[]): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.inverseFilters.clear();
    for (const role of roles.length === 0 ? framework.roles : roles) this.#unsuppress(framework, role);
    this.#refresh(framework);
    this.epoch++;
  }

  // ---- agents

  addAgent(
    id: AgentID,
    info: AgentInfo,
    capabilities: readonly string[],
    total: Resources,
    used: Used<FrameworkID> = [],
  ): AllocatorAgent {
    this.removeAgent(id);
    const agent = new AllocatorAgent(id, info, total);
    agent.setCapabilities(capabilities);
    this.#place(agent);
    this.agents.set(id, agent);
    this.totals.add(total);
    this.total.add(id, total);
    this.order++;
    this.roles.addReservations(total);
    for (const [frameworkId, resources] of used) this.#holdAll(agent, this.#framework(frameworkId), resources);
    this.#quantitiesChanged();
    return agent;
  }

  /** What is left out is as before. False if nothing is new. */
  updateAgent(
    agent: AllocatorAgent,
    info: AgentInfo,
    capabilities: readonly string[] | undefined,
    total: Resources | undefined,
  ): boolean {
    const isOther = !sameInfo(agent.info, info);
    if (isOther) {
      if (!sameAttributes(agent.info, info)) this.filters.clearAgent(agent);
      agent.info = info;
      this.#place(agent);
    }
    const { takesMultiRole, takesHierarchicalRoles } = agent;
    if (capabilities !== undefined) agent.setCapabilities(capabilities);
    const isAbler = takesMultiRole !== agent.takesMultiRole || takesHierarchicalRoles !== agent.takesHierarchicalRoles;
    const isResized = total !== undefined && !total.equals(agent.total);
    if (total !== undefined && isResized) this.setTotal(agent, total);
    if (!isOther && !isAbler && !isResized) return false;
    agent.changed();
    return true;
  }

  removeAgent(id: AgentID): void {
    const agent = this.agents.get(id);
    if (agent === undefined) return;
    for (const client of [...agent.holdings.keys()]) {
      this.#releaseAll(client, agent);
      this.#dropIfUnused(client);
    }
    this.filters.clearAgent(agent);
    for (const framework of this.frameworks.values()) framework.inverseFilters.delete(id);
    this.agents.delete(id);
    this.totals.subtract(agent.total);
    this.total.subtract(id, agent.total);
    this.order++;
    this.roles.removeReservations(agent.total);
    this.#quantitiesChanged();
  }

  setTotal(agent: AllocatorAgent, total: Resources): void {
    const before = agent.total;
    agent.total = total;
    if (!before.quantities.equals(total.quantities)) {
      this.order++;
      this.totals.subtract(before);
      this.totals.add(total);
      this.total.subtract(agent.id, before);
      this.total.add(agent.id, total);
    }
    this.roles.removeReservations(before);
    this.roles.addReservations(total);
    this.#quantitiesChanged();
  }

  /** A resource provider on the agent brings more. */
  addProvider(agent: AllocatorAgent, total: Resources, used: Used<FrameworkID>): void {
    this.setTotal(agent, agent.total.plus(total));
    for (const [frameworkId, resources] of used) this.#holdAll(agent, this.#framework(frameworkId), resources);
  }

  /** Agents on other hosts are not offered; without a list all are. */
  setWhitelist(hostnames: readonly string[] | undefined): void {
    this.#whitelist = hostnames === undefined ? undefined : new Set(hostnames);
    for (const agent of this.agents.values()) this.#place(agent);
  }

  // ---- roles

  setQuota(role: string, guarantees: ResourceQuantities, limits: ResourceLimits): void {
    const node = this.roles.ensure(role);
    if (node.hasQuota) this.#quotas--;
    node.quota = guarantees.isEmpty && limits.isEmpty ? noQuota : { guarantees, limits };
    if (node.hasQuota) this.#quotas++;
    this.roles.prune(node);
    this.epoch++;
  }

  setWeight(role: string, weight: number): void {
    const node = this.roles.ensure(role);
    node.weight = weight;
    this.roleSorter.updateWeight(role, weight);
    this.order++;
    this.roles.prune(node);
  }

  // ---- allocation

  /** @param resources of the agent's available ones; @returns the same with the role */
  allocate(client: Client, agent: AllocatorAgent, resources: Resources): Resources {
    const allocated = resources.allocate(client.role.path);
    this.#hold(client, agent, allocated);
    return allocated;
  }

  /** @returns what was in fact held, by client, and is free now */
  recover(
    frameworkId: FrameworkID,
    agentId: AgentID,
    resources: Resources,
    isUsed: boolean,
  ): readonly (readonly [Client, Resources])[] {
    const agent = this.agents.get(agentId);
    const framework = this.frameworks.get(frameworkId);
    if (agent === undefined || framework === undefined) return [];
    const returned: (readonly [Client, Resources])[] = [];
    for (const [role, part] of resources.allocations()) {
      const client = framework.clients.get(role);
      if (client === undefined) continue;
      if (isUsed) this.#disuse(client, agent, part);
      const given = this.#release(client, agent, part);
      if (!given.isEmpty) returned.push([client, given]);
      this.#dropIfUnused(client);
    }
    return returned;
  }

  /** What was on offer is in use. */
  use(frameworkId: FrameworkID, agentId: AgentID, resources: Resources): void {
    const agent = this.agents.get(agentId);
    const clients = this.frameworks.get(frameworkId)?.clients;
    if (agent === undefined || clients === undefined) return;
    for (const [role, part] of resources.allocations()) {
      const client = clients.get(role);
      if (client !== undefined) this.#use(client, agent, part);
    }
  }

  /**
   * What the framework holds becomes something else, and the agent's total with it. False if it does not hold what was
   * offered; throws ResourceConversionError if that does not hold what is to be converted.
   */
  convert(
    framework: AllocatorFramework,
    agent: AllocatorAgent,
    offered: Resources,
    conversions: readonly ResourceConversion[],
  ): boolean {
    const [role] = [...offered.allocations().keys()];
    const client = role === undefined ? undefined : framework.clients.get(role);
    if (client === undefined || !agent.heldBy(client).contains(offered)) return false;
    let converted = offered;
    for (const conversion of conversions) converted = converted.apply(conversion);
    let { total } = agent;
    for (const conversion of conversions) {
      // Another copy of what is shared consumes nothing.
      if (!conversion.consumed.isEmpty) total = total.apply(unallocatedConversion(conversion));
    }
    const { role: node, framework: holder } = client;
    this.held.subtract(agent.id, offered);
    this.held.add(agent.id, converted);
    this.roles.release(node, agent.id, offered);
    this.roles.hold(node, agent.id, converted);
    agent.giveBack(client, offered);
    if (!converted.isEmpty) agent.take(client, converted);
    this.roleSorter.updated(node.path, agent.id, offered, converted);
    node.sorter?.updated(holder.id, agent.id, offered, converted);
    this.order++;
    this.setTotal(agent, total);
    return true;
  }

  /** Throws ResourceConversionError if somebody has it, or it is not there. */
  convertAvailable(agent: AllocatorAgent, conversions: readonly ResourceConversion[]): void {
    let { available, total } = agent;
    for (const conversion of conversions) {
      available = available.apply(conversion);
      total = total.apply(conversion);
    }
    this.setTotal(agent, total);
  }

  // ---- inside

  #setUp(framework: AllocatorFramework, settings: FrameworkSettings): void {
    const { roles, capabilities, minAllocatable, offerConstraints = {} } = settings;
    framework.roles = new Set(roles);
    framework.setCapabilities(capabilities);
    const constraints = ConstraintGroups.byRole(offerConstraints, framework.roles);
    for (const role of framework.roles) {
      const client = this.#client(framework, role);
      const own = Object.hasOwn(minAllocatable, role) ? minAllocatable[role] : undefined;
      client.minAllocatable = own === undefined ? undefined : new MinAllocatable(own);
      client.constraints = constraints.get(role);
    }
  }

  #unsuppress(framework: AllocatorFramework, role: string): void {
    framework.suppressed.delete(role);
    const client = framework.clients.get(role);
    if (client !== undefined) this.filters.clearClient(client);
  }

  #framework(id: FrameworkID): AllocatorFramework {
    let framework = this.frameworks.get(id);
    if (framework === undefined) {
      framework = new AllocatorFramework(id);
      this.frameworks.set(id, framework);
    }
    return framework;
  }

  #client(framework: AllocatorFramework, path: string): Client {
    const known = framework.clients.get(path);
    if (known !== undefined) return known;
    const role = this.roles.ensure(path);
    if (role.sorter === undefined) {
      role.sorter = this.#frameworkSorter(this.#sorterOptions);
      this.roleSorter.add(path);
      this.roleSorter.activate(path);
      this.#observer.roleAdded(path);
    }
    const client = new Client(framework, role, this.#freeSlots.pop() ?? this.#slots++, this.filters.nextEpoch());
    framework.clients.set(path, client);
    role.clients.set(framework.id, client);
    role.sorter.add(framework.id);
    this.order++;
    if (framework.wants(path)) role.sorter.activate(framework.id);
    return client;
  }

  /** A framework belongs to a role while it is subscribed to it or still holds something in it. */
  #dropIfUnused(client: Client): void {
    const { framework, role } = client;
    if (framework.roles.has(role.path) || client.agents.size > 0) return;
    this.filters.clearClient(client);
    framework.clients.delete(role.path);
    role.clients.delete(framework.id);
    role.sorter?.remove(framework.id);
    this.order++;
    this.#freeSlots.push(client.slot);
    if (!framework.isSubscribed && framework.clients.size === 0) this.frameworks.delete(framework.id);
    if (role.clients.size > 0) return;
    role.sorter = undefined;
    this.roleSorter.remove(role.path);
    this.#observer.roleRemoved(role.path);
    this.roles.prune(role);
  }

  #refresh(framework: AllocatorFramework): void {
    this.order++;
    for (const [path, { role }] of framework.clients) {
      if (framework.wants(path)) role.sorter?.activate(framework.id);
      else role.sorter?.deactivate(framework.id);
    }
  }

  /** What it said it uses already when it came. */
  #holdAll(agent: AllocatorAgent, framework: AllocatorFramework, resources: Resources): void {
    for (const [role, part] of resources.allocations()) {
      const client = this.#client(framework, role);
      this.#hold(client, agent, part);
      this.#use(client, agent, part);
    }
  }

  #hold(client: Client, agent: AllocatorAgent, resources: Resources): void {
    const { role, framework } = client;
    agent.take(client, resources);
    this.held.add(agent.id, resources);
    this.roles.hold(role, agent.id, resources);
    this.roleSorter.allocated(role.path, agent.id, resources);
    role.sorter?.allocated(framework.id, agent.id, resources);
    this.order++;
    this.#quantitiesChanged();
  }

  #release(client: Client, agent: AllocatorAgent, resources: Resources): Resources {
    const { role, framework } = client;
    const returned = agent.giveBack(client, resources);
    if (returned.isEmpty) return returned;
    this.held.subtract(agent.id, returned);
    this.roles.release(role, agent.id, returned);
    this.roleSorter.unallocated(role.path, agent.id, returned);
    role.sorter?.unallocated(framework.id, agent.id, returned);
    this.order++;
    this.#quantitiesChanged();
    return returned;
  }

  #releaseAll(client: Client, agent: AllocatorAgent): void {
    this.#disuse(client, agent, agent.usedBy(client));
    this.#release(client, agent, agent.heldBy(client));
  }

  #use(client: Client, agent: AllocatorAgent, resources: Resources): void {
    agent.setUsed(client, agent.usedBy(client).plus(resources));
    this.roles.use(client.role, agent.id, resources);
  }

  #disuse(client: Client, agent: AllocatorAgent, resources: Resources): void {
    const present = agent.usedBy(client);
    if (present.isEmpty) return;
    const rest = present.minus(resources);
    agent.setUsed(client, rest);
    this.roles.disuse(client.role, agent.id, present.minus(rest));
  }

  #place(agent: AllocatorAgent): void {
    const { hostname, domain } = agent.info;
    agent.isRemote = this.#domain !== undefined && domain !== undefined && domain.region !== this.#domain.region;
    agent.isWhitelisted = this.#whitelist === undefined || this.#whitelist.has(hostname);
    agent.changed();
  }

  /** A run is over: what it gave below a role with a quota counts as a guarantee that was kept from the next run on. */
  quotasReckoned(): void {
    this.#quantitiesChanged();
  }

  /** What one role has decides what others may have, if there are quotas. */
  #quantitiesChanged(): void {
    if (this.#quotas > 0) this.epoch++;
  }
}

const drf: SorterFactory = (options) => new DrfSorter(options);

function holdsAnything(framework: AllocatorFramework, agent: AllocatorAgent): boolean {
  for (const client of framework.clients.values()) if (client.agents.has(agent)) return true;
  return false;
}

function sameInfo(a: AgentInfo, b: AgentInfo): boolean {
  return (
    a.hostname === b.hostname &&
    a.domain?.region === b.domain?.region &&
    a.domain?.zone === b.domain?.zone &&
    sameAttributes(a, b)
  );
}

function sameAttributes({ attributes: a }: AgentInfo, { attributes: b }: AgentInfo): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}
