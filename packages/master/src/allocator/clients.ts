import type { Random } from '@mezzo/process';
import type { Resources } from '@mezzo/protocol';
import type { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorFramework } from './allocator-framework.ts';
import { Client } from './client.ts';
import type { ClusterTotals } from './cluster-totals.ts';
import { DrfSorter } from './drf-sorter.ts';
import type { OfferFilters } from './offer-filters.ts';
import { RoleTree } from './role-tree.ts';
import type { Sorter, SorterFactory, SorterOptions } from './sorter.ts';
import { TrackedQuantities } from './tracked-quantities.ts';

/** Hears of roles that come and go with their first and last framework. */
export interface RoleObserver {
  roleAdded(role: string): void;
  roleRemoved(role: string): void;
}

export interface ClientsOptions {
  readonly filters: OfferFilters;
  readonly random: Random;
  readonly observer: RoleObserver;
  /** Default: DrfSorter. */
  readonly roleSorter?: SorterFactory | undefined;
  /** Default: DrfSorter. */
  readonly frameworkSorter?: SorterFactory | undefined;
  /** Names of resources that do not count in shares. Default: none. */
  readonly fairnessExcluded?: readonly string[];
}

/** Frameworks in their roles: what each holds, and in which order they are served. */
export class Clients {
  readonly roles = new RoleTree();
  readonly roleSorter: Sorter;
  readonly filters: OfferFilters;
  /** Held or on offer, of all agents. */
  readonly held = new TrackedQuantities();
  /** Grows when somebody may take what nobody could before; of what changes on one agent that agent knows itself. */
  epoch = 0;
  /** Grows with every change that may put clients in another order. */
  order = 0;
  readonly #sorterOptions: SorterOptions;
  readonly #frameworkSorter: SorterFactory;
  readonly #observer: RoleObserver;
  readonly #freeSlots: number[] = [];
  #slots = 0;

  constructor(totals: ClusterTotals, options: ClientsOptions) {
    const { filters, random, observer, fairnessExcluded = [] } = options;
    this.filters = filters;
    this.#observer = observer;
    this.#frameworkSorter = options.frameworkSorter ?? drf;
    this.#sorterOptions = { totals, excluded: new Set(fairnessExcluded), random };
    this.roleSorter = (options.roleSorter ?? drf)(this.#sorterOptions);
  }

  /** Makes it if it is not there. */
  ensure(framework: AllocatorFramework, path: string): Client {
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
  dropIfUnused(client: Client): void {
    const { framework, role } = client;
    if (framework.roles.has(role.path) || client.agents.size > 0) return;
    this.filters.clearClient(client);
    framework.clients.delete(role.path);
    role.clients.delete(framework.id);
    role.sorter?.remove(framework.id);
    this.order++;
    this.#freeSlots.push(client.slot);
    if (role.clients.size > 0) return;
    role.sorter = undefined;
    this.roleSorter.remove(role.path);
    this.#observer.roleRemoved(role.path);
    this.roles.prune(role);
  }

  /** It wants, or does not want any more, offers for some of its roles. */
  refresh(framework: AllocatorFramework): void {
    this.order++;
    for (const [path, { role }] of framework.clients) {
      if (framework.wants(path)) role.sorter?.activate(framework.id);
      else role.sorter?.deactivate(framework.id);
    }
  }

  setWeight(path: string, weight: number): void {
    const role = this.roles.ensure(path);
    role.weight = weight;
    this.roleSorter.updateWeight(path, weight);
    this.order++;
    this.roles.prune(role);
  }

  // ---- what they hold

  /** @param resources of the agent's available ones; @returns the same with the role */
  allocate(client: Client, agent: AllocatorAgent, resources: Resources): Resources {
    const allocated = resources.allocate(client.role.path);
    this.#hold(client, agent, allocated);
    return allocated;
  }

  /** What it said it uses already when it came. */
  holdAll(agent: AllocatorAgent, framework: AllocatorFramework, resources: Resources): void {
    for (const [role, part] of resources.allocations()) {
      const client = this.ensure(framework, role);
      this.#hold(client, agent, part);
      this.use(client, agent, part);
    }
  }

  /** @returns what the client did hold of it */
  release(client: Client, agent: AllocatorAgent, resources: Resources): Resources {
    const { role, framework } = client;
    const returned = agent.giveBack(client, resources);
    if (returned.isEmpty) return returned;
    this.held.subtract(agent.id, returned);
    this.roles.release(role, agent.id, returned);
    this.roleSorter.unallocated(role.path, agent.id, returned);
    role.sorter?.unallocated(framework.id, agent.id, returned);
    this.order++;
    this.quantitiesChanged();
    return returned;
  }

  releaseAll(client: Client, agent: AllocatorAgent): void {
    this.disuse(client, agent, agent.usedBy(client));
    this.release(client, agent, agent.heldBy(client));
  }

  /** What it holds becomes something else. */
  convert(client: Client, agent: AllocatorAgent, from: Resources, to: Resources): void {
    const { role, framework } = client;
    this.held.subtract(agent.id, from);
    this.held.add(agent.id, to);
    this.roles.release(role, agent.id, from);
    this.roles.hold(role, agent.id, to);
    agent.giveBack(client, from);
    if (!to.isEmpty) agent.take(client, to);
    this.roleSorter.updated(role.path, agent.id, from, to);
    role.sorter?.updated(framework.id, agent.id, from, to);
    this.order++;
  }

  /** What it holds is in use from now on. */
  use(client: Client, agent: AllocatorAgent, resources: Resources): void {
    agent.setUsed(client, agent.usedBy(client).plus(resources));
    this.roles.use(client.role, agent.id, resources);
  }

  disuse(client: Client, agent: AllocatorAgent, resources: Resources): void {
    const present = agent.usedBy(client);
    if (present.isEmpty) return;
    const rest = present.minus(resources);
    agent.setUsed(client, rest);
    this.roles.disuse(client.role, agent.id, present.minus(rest));
  }

  /** What one role has decides what others may have, if there are quotas. */
  quantitiesChanged(): void {
    if (this.roles.hasQuotas) this.epoch++;
  }

  #hold(client: Client, agent: AllocatorAgent, resources: Resources): void {
    const { role, framework } = client;
    agent.take(client, resources);
    this.held.add(agent.id, resources);
    this.roles.hold(role, agent.id, resources);
    this.roleSorter.allocated(role.path, agent.id, resources);
    role.sorter?.allocated(framework.id, agent.id, resources);
    this.order++;
    this.quantitiesChanged();
  }
}

const drf: SorterFactory = (options) => new DrfSorter(options);
