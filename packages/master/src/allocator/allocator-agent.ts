import { type AgentID, type AgentInfo, type FrameworkID, Resources, type Unavailability } from '@mezzo/protocol';
import type { Client } from './client.ts';
import { AgentFilters } from './agent-filters.ts';

/** An agent whose machine will be away. */
export interface Maintenance {
  readonly unavailability: Unavailability;
  /** Who has been asked and has not answered. */
  readonly outstanding: Set<FrameworkID>;
  readonly statuses: Map<FrameworkID, { readonly status: 'ACCEPT' | 'DECLINE'; readonly time: number }>;
}

/** An agent as the allocator sees it. */
export class AllocatorAgent {
  readonly id: AgentID;
  info: AgentInfo;
  takesMultiRole = false;
  takesHierarchicalRoles = false;
  isActive = true;
  isWhitelisted = true;
  /** In another region than the master. */
  isRemote = false;
  maintenance: Maintenance | undefined;
  /** What clients do not want to be offered of it. */
  filters = new AgentFilters();
  /** Nobody could take anything in this epoch of the state, and nothing has changed here since. */
  settledIn = -1;
  readonly #holdings = new Map<Client, Resources>();
  #total: Resources;
  /** Once somebody asks. */
  #hasGpus: boolean | undefined;
  readonly #used = new Map<Client, Resources>();
  #held = Resources.empty;
  #available: Resources | undefined;

  constructor(id: AgentID, info: AgentInfo, total: Resources) {
    this.id = id;
    this.info = info;
    this.#total = total;
  }

  /** @param capabilities Mesos's names. */
  setCapabilities(capabilities: readonly string[]): void {
    this.takesMultiRole = capabilities.includes('MULTI_ROLE');
    this.takesHierarchicalRoles = capabilities.includes('HIERARCHICAL_ROLE');
  }

  get total(): Resources {
    return this.#total;
  }

  set total(total: Resources) {
    this.#total = total;
    this.#hasGpus = undefined;
    this.changed();
  }

  get hasGpus(): boolean {
    return (this.#hasGpus ??= this.#total.scalar('gpus') > 0);
  }

  /** By client, with the roles of the allocations. */
  get holdings(): ReadonlyMap<Client, Resources> {
    return this.#holdings;
  }

  /** Held or on offer by all together, without roles of allocations. */
  get held(): Resources {
    return this.#held;
  }

  /** What may be offered: what nobody holds, and shared resources always. Without roles of allocations. */
  get available(): Resources {
    this.#available ??= this.#total.hasShared
      ? this.#total.nonShared().minus(this.#held.nonShared()).plus(this.#total.shared())
      : this.#total.minus(this.#held);
    return this.#available;
  }

  heldBy(client: Client): Resources {
    return this.#holdings.get(client) ?? Resources.empty;
  }

  /** The part of what it holds that is in use. */
  usedBy(client: Client): Resources {
    return this.#used.get(client) ?? Resources.empty;
  }

  /** @param resources with the role of the allocation */
  take(client: Client, resources: Resources): void {
    const present = this.#holdings.get(client);
    this.#holdings.set(client, present === undefined ? resources : present.plus(resources));
    client.agents.add(this);
    const plain = resources.unallocate();
    this.#held = this.#held.plus(plain);
    const available = this.#available;
    this.changed();
    if (available !== undefined && !plain.hasShared) this.#available = available.minus(plain);
  }

  /** Takes back what the client holds of it, and says what that was. */
  giveBack(client: Client, resources: Resources): Resources {
    const present = this.#holdings.get(client);
    if (present === undefined) return Resources.empty;
    const isAll = present.equals(resources);
    const rest = isAll ? Resources.empty : present.minus(resources);
    const returned = isAll || present.contains(resources) ? resources : present.minus(rest);
    if (rest.isEmpty) {
      this.#holdings.delete(client);
      client.agents.delete(this);
    } else {
      this.#holdings.set(client, rest);
    }
    this.#held = this.#holdings.size === 0 ? Resources.empty : this.#held.minus(returned.unallocate());
    this.changed();
    return returned;
  }

  setUsed(client: Client, resources: Resources): void {
    if (resources.isEmpty) this.#used.delete(client);
    else this.#used.set(client, resources);
  }

  /** Something may be offered now that could not be before. */
  changed(): void {
    this.#available = undefined;
    this.settledIn = -1;
  }
}

export function sameInfo(a: AgentInfo, b: AgentInfo): boolean {
  return (
    a.hostname === b.hostname &&
    a.domain?.region === b.domain?.region &&
    a.domain?.zone === b.domain?.zone &&
    sameAttributes(a, b)
  );
}

export function sameAttributes({ attributes: a }: AgentInfo, { attributes: b }: AgentInfo): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}
