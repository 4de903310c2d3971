import {
  type AgentID,
  type AgentInfo,
  type Domain,
  type FrameworkID,
  type OfferConstraints,
  type ResourceConversion,
  type ResourceLimits,
  type Resource,
  type ResourceQuantities,
  Resources,
  unallocatedConversion,
} from '@mezzo/protocol';
import { AllocatorAgent, sameAttributes, sameInfo } from './allocator-agent.ts';
import { AllocatorFramework } from './allocator-framework.ts';
import type { Client } from './client.ts';
import { Clients, type ClientsOptions } from './clients.ts';
import { ClusterTotals } from './cluster-totals.ts';
import { MinAllocatable } from './min-allocatable.ts';
import { ConstraintGroups } from './offer-constraints.ts';
import { TrackedQuantities } from './tracked-quantities.ts';

export interface AllocatorStateOptions extends ClientsOptions {
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

/** The cluster as the master has told it: agents, frameworks, and what they hold. Knows no time and sends nothing. */
export class AllocatorState {
  readonly totals = new ClusterTotals();
  /** What all agents have. */
  readonly total = new TrackedQuantities();
  readonly frameworks = new Map<FrameworkID, AllocatorFramework>();
  readonly agents = new Map<AgentID, AllocatorAgent>();
  readonly clients: Clients;
  readonly #domain: Domain | undefined;
  #whitelist: ReadonlySet<string> | undefined;

  constructor(options: AllocatorStateOptions) {
    this.clients = new Clients(this.totals, options);
    this.#domain = options.domain;
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
    this.clients.refresh(framework);
    for (const [agentId, resources] of used) {
      const agent = this.agents.get(agentId);
      if (agent !== undefined && !holdsAnything(framework, agent)) this.clients.holdAll(agent, framework, resources);
    }
    this.clients.epoch++;
  }

  /** Gives back all it holds. */
  removeFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.isSubscribed = false;
    framework.roles = new Set();
    for (const client of [...framework.clients.values()]) {
      for (const agent of [...client.agents]) this.clients.releaseAll(client, agent);
      this.#drop(client);
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
    this.clients.refresh(framework);
    this.clients.epoch++;
  }

  /** Its filters are forgotten, what it holds stays. */
  deactivateFramework(id: FrameworkID): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.isActive = false;
    framework.inverseFilters.clear();
    for (const client of framework.clients.values()) this.clients.filters.clearClient(client);
    this.clients.refresh(framework);
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
      this.clients.filters.clearClient(client);
      this.#drop(client);
    }
    const revived = [...framework.suppressed].filter((role) => !settings.suppressedRoles.includes(role));
    for (const role of settings.suppressedRoles) framework.suppressed.add(role);
    for (const role of revived) this.#unsuppress(framework, role);
    this.clients.refresh(framework);
    this.clients.epoch++;
  }

  /** Without roles: all it is subscribed to. */
  suppress(id: FrameworkID, roles: readonly string[]): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    for (const role of roles.length === 0 ? framework.roles : roles)
      if (framework.roles.has(role)) framework.suppressed.add(role);
    this.clients.refresh(framework);
  }

  /** Without roles: all it is subscribed to. Forgets the filters of the roles. */
  revive(id: FrameworkID, roles: readonly string[]): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    framework.inverseFilters.clear();
    for (const role of roles.length === 0 ? framework.roles : roles) this.#unsuppress(framework, role);
    this.clients.refresh(framework);
    this.clients.epoch++;
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
    this.clients.order++;
    this.clients.roles.addReservations(total);
    for (const [frameworkId, resources] of used) this.clients.holdAll(agent, this.#framework(frameworkId), resources);
    this.clients.quantitiesChanged();
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
      if (!sameAttributes(agent.info, info)) this.clients.filters.clearAgent(agent);
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
      this.clients.releaseAll(client, agent);
      this.#drop(client);
    }
    this.clients.filters.clearAgent(agent);
    for (const framework of this.frameworks.values()) framework.inverseFilters.delete(id);
    this.agents.delete(id);
    this.totals.subtract(agent.total);
    this.total.subtract(id, agent.total);
    this.clients.order++;
    this.clients.roles.removeReservations(agent.total);
    this.clients.quantitiesChanged();
  }

  setTotal(agent: AllocatorAgent, total: Resources): void {
    const before = agent.total;
    agent.total = total;
    if (!before.quantities.equals(total.quantities)) {
      this.clients.order++;
      this.totals.subtract(before);
      this.totals.add(total);
    }
    // Also when the sums are the same: what is shared counts by agent.
    this.total.subtract(agent.id, before);
    this.total.add(agent.id, total);
    this.clients.roles.removeReservations(before);
    this.clients.roles.addReservations(total);
    this.clients.quantitiesChanged();
  }

  /** A resource provider on the agent brings more. */
  addProvider(agent: AllocatorAgent, total: Resources, used: Used<FrameworkID>): void {
    this.setTotal(agent, agent.total.plus(total));
    for (const [frameworkId, resources] of used) this.clients.holdAll(agent, this.#framework(frameworkId), resources);
  }

  /** Agents on other hosts are not offered; without a list all are. */
  setWhitelist(hostnames: readonly string[] | undefined): void {
    this.#whitelist = hostnames === undefined ? undefined : new Set(hostnames);
    for (const agent of this.agents.values()) this.#place(agent);
  }

  setQuota(role: string, guarantees: ResourceQuantities, limits: ResourceLimits): void {
    this.clients.roles.setQuota(role, guarantees, limits);
    this.clients.epoch++;
  }

  // ---- what is held

  /** @returns what was in fact held, by client, and is free now */
  recover(
    frameworkId: FrameworkID,
    agentId: AgentID,
    resources: readonly Resource[],
    isUsed: boolean,
  ): readonly (readonly [Client, Resources])[] {
    const agent = this.agents.get(agentId);
    const framework = this.frameworks.get(frameworkId);
    if (agent === undefined || framework === undefined) return [];
    const returned: (readonly [Client, Resources])[] = [];
    for (const [client, part] of partsOf(framework, agent, resources)) {
      if (isUsed) this.clients.disuse(client, agent, part);
      const given = this.clients.release(client, agent, part);
      if (!given.isEmpty) returned.push([client, given]);
      this.#drop(client);
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
      if (client !== undefined) this.clients.use(client, agent, part);
    }
  }

  /**
   * Part of what the framework holds becomes something else, and the agent's total with it; the rest is not touched, as
   * agents may have thousands of reservations. False if it has nothing of what was offered there; throws
   * ResourceConversionError, and changes nothing, if what is to be converted is missing.
   */
  convert(
    framework: AllocatorFramework,
    agent: AllocatorAgent,
    offered: readonly Resource[],
    conversions: readonly ResourceConversion[],
  ): boolean {
    const role = offered.find(({ allocationRole }) => allocationRole !== undefined)?.allocationRole;
    const client = role === undefined ? undefined : framework.clients.get(role);
    if (client === undefined || !client.agents.has(agent)) return false;
    // Copies that remain are of this offer or of none.
    const isWhole = conversions.some(({ takesEveryCopy }) => takesEveryCopy === true);
    let held = isWhole ? Resources.of(offered) : agent.heldBy(client);
    if (isWhole && !agent.heldBy(client).contains(held)) return false;
    for (const conversion of conversions) held = held.apply(conversion);
    // Another copy of what is shared consumes nothing.
    const ofTotal = conversions.filter(({ consumed }) => !consumed.isEmpty).map(unallocatedConversion);
    const total = ofTotal.reduce((rest, conversion) => rest.apply(conversion), agent.total);
    for (const { consumed, converted } of conversions) this.clients.convert(client, agent, consumed, converted);
    this.#convertTotal(agent, total, ofTotal);
    return true;
  }

  /** Throws ResourceConversionError if somebody has it, or it is not there. */
  convertAvailable(agent: AllocatorAgent, conversions: readonly ResourceConversion[]): void {
    let { available, total } = agent;
    for (const conversion of conversions) {
      available = available.apply(conversion);
      total = total.apply(conversion);
    }
    this.#convertTotal(agent, total, conversions);
  }

  // ---- inside

  #setUp(framework: AllocatorFramework, settings: FrameworkSettings): void {
    const { roles, capabilities, minAllocatable, offerConstraints = {} } = settings;
    framework.roles = new Set(roles);
    framework.setCapabilities(capabilities);
    const constraints = ConstraintGroups.byRole(offerConstraints, framework.roles);
    for (const role of framework.roles) {
      const client = this.clients.ensure(framework, role);
      const own = Object.hasOwn(minAllocatable, role) ? minAllocatable[role] : undefined;
      client.minAllocatable = own === undefined ? undefined : new MinAllocatable(own);
      client.constraints = constraints.get(role);
    }
  }

  #unsuppress(framework: AllocatorFramework, role: string): void {
    framework.suppressed.delete(role);
    const client = framework.clients.get(role);
    if (client !== undefined) this.clients.filters.clearClient(client);
  }

  #framework(id: FrameworkID): AllocatorFramework {
    let framework = this.frameworks.get(id);
    if (framework === undefined) {
      framework = new AllocatorFramework(id);
      this.frameworks.set(id, framework);
    }
    return framework;
  }

  #drop(client: Client): void {
    const { framework } = client;
    this.clients.dropIfUnused(client);
    if (!framework.isSubscribed && framework.clients.size === 0) this.frameworks.delete(framework.id);
  }

  /** @param total what the conversions make of the agent's */
  #convertTotal(agent: AllocatorAgent, total: Resources, conversions: readonly ResourceConversion[]): void {
    agent.total = total;
    for (const { consumed, converted } of conversions) {
      if (!consumed.quantities.equals(converted.quantities)) {
        this.clients.order++;
        this.totals.subtract(consumed);
        this.totals.add(converted);
      }
      this.total.subtract(agent.id, consumed);
      this.total.add(agent.id, converted);
      this.clients.roles.addReservations(converted);
      this.clients.roles.removeReservations(consumed);
    }
    this.clients.quantitiesChanged();
  }

  #place(agent: AllocatorAgent): void {
    const { hostname, domain } = agent.info;
    agent.isRemote = this.#domain !== undefined && domain !== undefined && domain.region !== this.#domain.region;
    agent.isWhitelisted = this.#whitelist === undefined || this.#whitelist.has(hostname);
    agent.changed();
  }
}

/** By client. Mostly it is all that one holds there, which need not be made again. */
function partsOf(
  framework: AllocatorFramework,
  agent: AllocatorAgent,
  resources: readonly Resource[],
): readonly (readonly [Client, Resources])[] {
  const holder = framework.clients.get(resources[0]?.allocationRole ?? '');
  if (holder !== undefined) {
    const held = agent.heldBy(holder);
    if (held.isWrittenAs(resources)) return [[holder, held]];
  }
  const parts: (readonly [Client, Resources])[] = [];
  for (const [role, part] of Resources.of(resources).allocations()) {
    const client = framework.clients.get(role);
    if (client !== undefined) parts.push([client, part]);
  }
  return parts;
}

function holdsAnything(framework: AllocatorFramework, agent: AllocatorAgent): boolean {
  for (const client of framework.clients.values()) if (client.agents.has(agent)) return true;
  return false;
}
