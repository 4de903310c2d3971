import type { Random } from '@mezzo/process';
import { type AgentID, type FrameworkID, ResourceQuantities, Resources } from '@mezzo/protocol';
import type { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorState } from './allocator-state.ts';
import type { Client } from './client.ts';
import { ClientOrder } from './client-order.ts';
import type { MinAllocatable } from './min-allocatable.ts';
import type { Placement } from './placement.ts';
import type { RoleNode } from './role-tree.ts';
import { Headroom } from './headroom.ts';
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
  readonly #chance: Chance;
  #allocations = new Map<FrameworkID, Allocation[]>();
  #stage: 'guarantees' | 'fair share' | 'done';
  #agents: readonly AgentID[];
  #next = 0;
  #hasGiven = false;
  #headroom: Headroom | undefined;
  /** The state's when it paused. */
  #epoch = -1;

  constructor(state: AllocatorState, candidates: Iterable<AgentID>, options: RunOptions) {
    this.#state = state;
    this.#options = options;
    this.#chance = new Chance(options.random);
    this.#candidates = [...candidates];
    this.#stage = state.clients.roles.hasQuotas ? 'guarantees' : 'fair share';
    this.#agents = this.#placed();
  }

  /** Goes on until it is done, or `mustPause` says so. True when done. */
  advance(mustPause: () => boolean): boolean {
    const { clients, agents } = this.#state;
    // What has been told since may be of any kind.
    if (clients.epoch !== this.#epoch) this.#headroom = undefined;
    while (this.#stage !== 'done') {
      if (clients.roles.hasQuotas) this.#headroom ??= new Headroom(this.#state);
      for (let looked = 1; this.#next < this.#agents.length; looked++) {
        const id = this.#agents[this.#next++];
        const agent = id === undefined ? undefined : agents.get(id);
        if (agent !== undefined) this.#offer(agent, this.#headroom);
        if (looked % stride === 0 && mustPause()) {
          this.#epoch = clients.epoch;
          return false;
        }
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
    this.#headroom = undefined;
    if (this.#stage === 'done') {
      // What it gave below a role with a quota counts as a guarantee that was kept from the next run on.
      if (this.#hasGiven) this.#state.clients.quantitiesChanged();
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
    if (!isOfferable(agent)) return;
    if (this.#stage === 'guarantees') {
      if (headroom !== undefined) this.#offerGuarantees(agent, headroom);
      return;
    }
    const { epoch } = this.#state.clients;
    if (agent.settledIn === epoch) return;
    this.#chance.hasDecided = false;
    const took = this.#offerFairShare(agent, headroom);
    if (!took && !agent.total.hasShared && !this.#chance.hasDecided) agent.settledIn = epoch;
  }

  // ---- first stage

  #offerGuarantees(agent: AllocatorAgent, headroom: Headroom): void {
    if (!headroom.isWanted) return;
    const { roles, roleSorter } = this.#state.clients;
    for (const path of roleSorter.sort()) {
      if (agent.available.isEmpty) return;
      if (!headroom.mayWant(path)) continue;
      const role = roles.get(path);
      if (role?.sorter === undefined) continue;
      let wanted = role.missing;
      for (const id of wanted.isEmpty ? [] : role.sorter.sort()) {
        if (wanted.isEmpty) break;
        const client = role.clients.get(id as FrameworkID);
        if (client === undefined) continue;
        const rest = this.#rest(agent, role);
        if (rest.isEmpty) break;
        const available = this.#usable(client, agent, rest);
        if (available === undefined) continue;
        const counted = countedByQuota(available);
        const guaranteed = counted.shrink(wanted, this.#chance);
        if (guaranteed.isEmpty) continue;
        let extra = counted.minus(guaranteed);
        extra = withinLimits(role, extra, guaranteed.quantities, this.#chance);
        extra = headroom.cut(extra, this.#chance);
        const offered = guaranteed.plus(alongWithGuarantee(available, role.path)).plus(extra);
        if (!this.#accepts(client, agent, offered)) continue;
        this.#allocate(client, agent, offered);
        headroom.guaranteed(role, guaranteed.quantities);
        headroom.given(guaranteed.quantities.plus(extra.quantities));
        wanted = role.missing;
      }
    }
  }

  // ---- second stage

  #offerFairShare(agent: AllocatorAgent, headroom: Headroom | undefined): boolean {
    const { clients } = this.#state;
    const inOrder = this.#order.clients(clients);
    if (inOrder !== undefined) {
      const { available } = agent;
      const isLimited = headroom !== undefined && countedByQuota(available) === available;
      const takers = isLimited ? this.#order.withRoomFor(available.quantities, clients) : inOrder;
      return this.#offerInOrder(agent, takers, headroom);
    }
    let took = false;
    for (const path of clients.roleSorter.sort()) {
      const role = clients.roles.get(path);
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
    headroom?.given(countedByQuota(offered).quantities);
    return true;
  }

  #withinQuota(role: RoleNode, available: Resources, headroom: Headroom): Resources {
    const counted = countedByQuota(available);
    if (counted === available && !role.room.hasRoomFor(counted.quantities)) return Resources.empty;
    let extra = withinLimits(role, counted, ResourceQuantities.empty, this.#chance);
    extra = headroom.cut(extra, this.#chance);
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
    const resources = this.#state.clients.allocate(client, agent, offered);
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

/** @param besides what the role gets in the same breath */
function withinLimits(role: RoleNode, extra: Resources, besides: ResourceQuantities, chance: Chance): Resources {
  if (role.quota.limits.isEmpty || extra.isEmpty) return extra;
  return extra.shrinkToLimits(role.room.minus(besides), chance);
}

/** What is cut by chance would be cut otherwise another time: then nothing follows from an attempt that failed. */
class Chance {
  readonly #random: Random;
  hasDecided = false;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): number {
    this.hasDecided = true;
    return this.#random.next();
  }
}
