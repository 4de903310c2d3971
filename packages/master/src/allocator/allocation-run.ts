import type { Random } from '@mezzo/process';
import { type AgentID, type FrameworkID, ResourceQuantities, Resources } from '@mezzo/protocol';
import type { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorState } from './allocator-state.ts';
import type { Client } from './client.ts';
import { ClientOrder } from './client-order.ts';
import type { MinAllocatable } from './min-allocatable.ts';
import type { Placement } from './placement.ts';
import type { RoleNode } from './role-tree.ts';
import { shuffled } from './shuffle.ts';

export interface Allocation {
  readonly role: string;
  readonly agentId: AgentID;
  /** They carry the role. */
  readonly resources: Resources;
}

export interface RunOptions {
  readonly minAllocatable: MinAllocatable;
  /** Agents with GPUs are kept for frameworks that know of them (filter_gpu_resources). */
  readonly filterGpus: boolean;
  readonly random: Random;
  /** Default: agents are offered in random order. */
  readonly placement?: Placement | undefined;
}

/** How many agents are looked at between two looks at the clock. */
const stride = 16;

/**
 * One allocation run: first what roles are guaranteed, then fair sharing of the rest. Each candidate agent, in random order
 * unless there is a placement policy, is offered to whoever is next by role and then by framework, so fairness comes about across agents. It can pause
 * after any agent; what has happened meanwhile is seen.
 */
export class AllocationRun {
  readonly #state: AllocatorState;
  readonly #options: RunOptions;
  readonly #candidates: readonly AgentID[];
  /** Shared resources are on offer always, but to one framework in a run. */
  readonly #offeredShared = new Map<AllocatorAgent, Resources>();
  readonly #order = new ClientOrder();
  #allocations = new Map<FrameworkID, Allocation[]>();
  #stage: 'guarantees' | 'fair share' | 'done';
  #agents: readonly AgentID[];
  #next = 0;
  #hasGiven = false;

  constructor(state: AllocatorState, candidates: Iterable<AgentID>, options: RunOptions) {
    this.#state = state;
    this.#options = options;
    this.#candidates = [...candidates];
    this.#stage = state.hasQuotas ? 'guarantees' : 'fair share';
    this.#agents = this.#placed();
  }

  /** Goes on until it is done, or `mustPause` says so. True when done. */
  advance(mustPause: () => boolean): boolean {
    while (this.#stage !== 'done') {
      const headroom = this.#state.hasQuotas ? new Headroom(this.#state) : undefined;
      for (let looked = 1; this.#next < this.#agents.length; looked++) {
        const id = this.#agents[this.#next++];
        const agent = id === undefined ? undefined : this.#state.agents.get(id);
        if (agent !== undefined) this.#offer(agent, headroom);
        if (looked % stride === 0 && mustPause()) return false;
      }
      this.#nextStage();
    }
    return true;
  }

  /** What was allocated since the last call. */
  take(): ReadonlyMap<FrameworkID, readonly Allocation[]> {
    const allocations = this.#allocations;
    this.#allocations = new Map();
    return allocations;
  }

  get candidates(): readonly AgentID[] {
    return this.#candidates;
  }

  #nextStage(): void {
    this.#stage = this.#stage === 'guarantees' ? 'fair share' : 'done';
    if (this.#stage === 'done') {
      if (this.#hasGiven) this.#state.quotasReckoned();
      return;
    }
    this.#agents = this.#placed();
    this.#next = 0;
  }

  #placed(): readonly AgentID[] {
    const { placement, random } = this.#options;
    if (placement === undefined) return shuffled(this.#candidates, random);
    const offerable: AllocatorAgent[] = [];
    for (const id of this.#candidates) {
      const agent = this.#state.agents.get(id);
      if (agent !== undefined && isOfferable(agent)) offerable.push(agent);
    }
    return Array.from(placement(offerable, random), ({ id }) => id);
  }

  #offer(agent: AllocatorAgent, headroom: Headroom | undefined): void {
    const state = this.#state;
    if (!isOfferable(agent)) return;
    if (this.#stage === 'guarantees') {
      if (headroom !== undefined) this.#offerGuarantees(agent, headroom);
      return;
    }
    if (agent.settledIn === state.epoch) return;
    const { epoch } = state;
    const took = this.#offerFairShare(agent, headroom);
    if (!took && !agent.total.hasShared) agent.settledIn = epoch;
  }

  // ---- first stage

  #offerGuarantees(agent: AllocatorAgent, headroom: Headroom): void {
    for (const path of this.#state.roleSorter.sort()) {
      const role = this.#state.roles.get(path);
      if (role?.sorter === undefined || role.quota.guarantees.isEmpty) continue;
      if (agent.available.isEmpty) return;
      let wanted = headroom.unsatisfied(role);
      for (const id of wanted.isEmpty ? [] : role.sorter.sort()) {
        if (wanted.isEmpty) break;
        const client = role.clients.get(id as FrameworkID);
        if (client === undefined) continue;
        const rest = this.#rest(agent, role);
        if (rest.isEmpty) break;
        const available = this.#usable(client, agent, rest);
        if (available === undefined) continue;
        const counted = countedByQuota(available);
        const guaranteed = counted.shrink(wanted, this.#options.random);
        if (guaranteed.isEmpty) continue;
        let extra = counted.minus(guaranteed);
        extra = headroom.cutToLimits(role, extra, guaranteed.quantities, this.#options.random);
        extra = headroom.cutToHeadroom(extra, this.#options.random);
        const offered = guaranteed.plus(alongWithGuarantee(available, role.path)).plus(extra);
        if (!this.#accepts(client, agent, offered)) continue;
        this.#allocate(client, agent, offered);
        headroom.guaranteed(role, guaranteed.quantities, extra.quantities);
        wanted = headroom.unsatisfied(role);
      }
    }
  }

  // ---- second stage

  #offerFairShare(agent: AllocatorAgent, headroom: Headroom | undefined): boolean {
    const clients = this.#order.clients(this.#state);
    if (clients !== undefined) return this.#offerInOrder(agent, clients, headroom);
    let took = false;
    for (const path of this.#state.roleSorter.sort()) {
      const role = this.#state.roles.get(path);
      if (role?.sorter === undefined) continue;
      if (agent.available.isEmpty) break;
      for (const id of role.sorter.sort()) {
        const client = role.clients.get(id as FrameworkID);
        if (client === undefined) continue;
        const rest = this.#rest(agent, role);
        if (rest.isEmpty) break;
        took = this.#offerTo(client, agent, rest, headroom) || took;
      }
    }
    return took;
  }

  /** The same when the order of all is known. */
  #offerInOrder(agent: AllocatorAgent, clients: readonly Client[], headroom: Headroom | undefined): boolean {
    let took = false;
    for (const client of clients) {
      const rest = this.#rest(agent, client.role);
      if (!rest.isEmpty) took = this.#offerTo(client, agent, rest, headroom) || took;
      else if (agent.available.isEmpty) break;
    }
    return took;
  }

  #offerTo(client: Client, agent: AllocatorAgent, rest: Resources, headroom: Headroom | undefined): boolean {
    const available = this.#usable(client, agent, rest);
    if (available === undefined) return false;
    const offered = headroom === undefined ? available : this.#withinQuota(client.role, available, headroom);
    if (!this.#accepts(client, agent, offered)) return false;
    this.#allocate(client, agent, offered);
    headroom?.shared(client.role, countedByQuota(offered).quantities);
    return true;
  }

  #withinQuota(role: RoleNode, available: Resources, headroom: Headroom): Resources {
    const counted = countedByQuota(available);
    let extra = headroom.cutToLimits(role, counted, ResourceQuantities.empty, this.#options.random);
    extra = headroom.cutToHeadroom(extra, this.#options.random);
    return extra === counted ? available : available.minus(counted).plus(extra);
  }

  // ---- both

  /** What of the agent is left for the role. */
  #rest(agent: AllocatorAgent, role: RoleNode): Resources {
    const { available } = agent;
    const rest = available.hasReservations ? available.allocatableTo(role.path) : available;
    const shared = rest.hasShared ? this.#offeredShared.get(agent) : undefined;
    return shared === undefined ? rest : rest.minus(shared);
  }

  /** What of it the client can take in principle; undefined: nothing. */
  #usable(client: Client, agent: AllocatorAgent, rest: Resources): Resources | undefined {
    const { framework, constraints } = client;
    if (constraints?.allow(agent.info) === false) return undefined;
    if (!(client.minAllocatable ?? this.#options.minAllocatable).allows(rest)) return undefined;
    if (agent.hasGpus && this.#options.filterGpus && !framework.takesGpus) return undefined;
    if (agent.isRemote && !framework.takesRemote) return undefined;
    let usable = rest;
    if (usable.hasShared && !framework.takesShared) usable = usable.nonShared();
    if (usable.hasRevocable && !framework.takesRevocable) usable = usable.nonRevocable();
    if (usable.hasRefinedReservations && !framework.takesRefined) usable = unrefined(usable);
    return usable;
  }

  #accepts(client: Client, agent: AllocatorAgent, offered: Resources): boolean {
    const { framework, role } = client;
    if (!(client.minAllocatable ?? this.#options.minAllocatable).allows(offered)) return false;
    if (framework.isMultiRole && !agent.takesMultiRole) return false;
    if (role.isNested && !agent.takesHierarchicalRoles) return false;
    return !agent.filters.refuse(client, offered);
  }

  #allocate(client: Client, agent: AllocatorAgent, offered: Resources): void {
    const { framework, role } = client;
    if (offered.hasShared) {
      const before = this.#offeredShared.get(agent) ?? Resources.empty;
      this.#offeredShared.set(agent, before.plus(offered.shared()));
    }
    this.#hasGiven = true;
    const resources = this.#state.allocate(client, agent, offered);
    const allocation = { role: role.path, agentId: agent.id, resources };
    const list = this.#allocations.get(framework.id);
    if (list === undefined) this.#allocations.set(framework.id, [allocation]);
    else list.push(allocation);
  }
}

function isOfferable(agent: AllocatorAgent): boolean {
  return agent.isActive && agent.isWhitelisted && !agent.available.isEmpty;
}

function unrefined(resources: Resources): Resources {
  return resources.filter(({ reservations }) => reservations === undefined || reservations.length < 2);
}

/** Quota counts scalars that are neither reserved (those are counted as reservations) nor revocable. */
function countedByQuota(resources: Resources): Resources {
  const unreserved = resources.hasReservations ? resources.unreserved() : resources;
  return (unreserved.hasRevocable ? unreserved.nonRevocable() : unreserved).scalarsOnly();
}

/** What a role gets besides, on an agent that gives it something of its guarantee. */
function alongWithGuarantee(available: Resources, role: string): Resources {
  const rest = available.minus(countedByQuota(available));
  if (!rest.hasReservations) return rest;
  return rest.reserved(role).plus(rest.unreserved());
}

/**
 * What is left of quotas while a run goes on. What roles have is read from the state once, and kept up to date from then on:
 * a run that has paused begins with a new one.
 */
class Headroom {
  readonly #consumed = new Map<RoleNode, ResourceQuantities>();
  /** Guaranteed to somebody and not had yet. */
  #required = ResourceQuantities.empty;
  /** Free for anybody. */
  #available: ResourceQuantities;

  constructor(state: AllocatorState) {
    for (const role of state.roles.topLevel) {
      if (!role.hasQuota) continue;
      const consumed = role.offeredOrConsumed;
      this.#consumed.set(role, consumed);
      this.#required = this.#required.plus(role.quota.guarantees.minus(consumed));
    }
    const { root } = state.roles;
    this.#available = state.total.quantities
      .minus(state.held.quantities)
      .minus(root.reservations.minus(root.heldReserved.quantities));
    for (const agent of state.agents.values()) {
      if (agent.total.hasRevocable) this.#available = this.#available.minus(agent.available.revocable().quantities);
    }
  }

  /** What the role is guaranteed and does not have. */
  unsatisfied(role: RoleNode): ResourceQuantities {
    return role.quota.guarantees.minus(this.#consumedBy(role));
  }

  /** @param besides what the role gets in the same breath */
  cutToLimits(role: RoleNode, extra: Resources, besides: ResourceQuantities, random: Random): Resources {
    if (role.quota.limits.isEmpty || extra.isEmpty) return extra;
    return extra.shrinkToLimits(role.quota.limits.minus(this.#consumedBy(role)).minus(besides), random);
  }

  cutToHeadroom(extra: Resources, random: Random): Resources {
    if (this.#required.isEmpty || extra.isEmpty) return extra;
    return extra.shrink(this.#available.minus(this.#required), random);
  }

  guaranteed(role: RoleNode, guaranteed: ResourceQuantities, extra: ResourceQuantities): void {
    this.#required = this.#required.minus(guaranteed);
    this.shared(role, guaranteed.plus(extra));
  }

  shared(role: RoleNode, quantities: ResourceQuantities): void {
    this.#available = this.#available.minus(quantities);
    for (let node: RoleNode | undefined = role; node !== undefined; node = node.parent) {
      const consumed = this.#consumed.get(node);
      if (consumed !== undefined) this.#consumed.set(node, consumed.plus(quantities));
    }
  }

  #consumedBy(role: RoleNode): ResourceQuantities {
    return this.#consumed.get(role) ?? role.offeredOrConsumed;
  }
}
