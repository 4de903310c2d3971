import type { AgentID, Resources } from '@mezzo/protocol';
import type { ClusterTotals } from './cluster-totals.ts';
import { Quantities } from './quantities.ts';
import type { Sorter } from './sorter.ts';

interface Client {
  readonly path: string;
  readonly held: Quantities;
  isActive: boolean;
  /** Allocations ever made: among equals the one that was served less often comes first. */
  count: number;
  share: number;
}

/**
 * Dominant resource fairness (Ghodsi et al., 2011): a client's share is its largest fraction of any resource of the
 * cluster, divided by its weight; the smallest share is served first. Ties: fewer allocations, then the smaller name.
 */
export class DrfSorter implements Sorter {
  readonly #totals: ClusterTotals;
  readonly #excluded: ReadonlySet<string>;
  readonly #clients = new Map<string, Client>();
  readonly #weights = new Map<string, number>();
  #order: Client[] = [];
  #names: readonly string[] | undefined;
  #isStale = false;
  #version = -1;

  constructor(totals: ClusterTotals, excluded: ReadonlySet<string> = new Set()) {
    this.#totals = totals;
    this.#excluded = excluded;
  }

  add(path: string): void {
    if (!this.#clients.has(path)) {
      this.#clients.set(path, { path, held: new Quantities(), isActive: false, count: 0, share: 0 });
    }
  }

  remove(path: string): void {
    this.#clients.delete(path);
    this.#isStale = true;
  }

  has(path: string): boolean {
    return this.#clients.has(path);
  }

  activate(path: string): void {
    this.#setActive(path, true);
  }

  deactivate(path: string): void {
    this.#setActive(path, false);
  }

  updateWeight(path: string, weight: number): void {
    this.#weights.set(path, weight);
    this.#isStale = true;
  }

  allocated(path: string, _agentId: AgentID, resources: Resources): void {
    const client = this.#clients.get(path);
    if (client === undefined) return;
    client.held.add(resources);
    client.count++;
    if (this.#isFresh && client.isActive) this.#reposition(client);
    else this.#isStale = true;
  }

  unallocated(path: string, _agentId: AgentID, resources: Resources): void {
    this.#clients.get(path)?.held.subtract(resources);
    this.#isStale = true;
  }

  share(path: string): number {
    const client = this.#clients.get(path);
    return client === undefined ? 0 : this.#shareOf(client);
  }

  sort(): readonly string[] {
    if (!this.#isFresh) {
      this.#order = [...this.#clients.values()].filter((client) => client.isActive);
      for (const client of this.#order) client.share = this.#shareOf(client);
      this.#order.sort(compare);
      this.#isStale = false;
      this.#version = this.#totals.version;
      this.#names = undefined;
    }
    this.#names ??= this.#order.map((client) => client.path);
    return this.#names;
  }

  get #isFresh(): boolean {
    return !this.#isStale && this.#version === this.#totals.version;
  }

  #setActive(path: string, isActive: boolean): void {
    const client = this.#clients.get(path);
    if (client === undefined || client.isActive === isActive) return;
    client.isActive = isActive;
    this.#isStale = true;
  }

  /** After an allocation only one client moves, and only backwards: a run need not sort everything again. */
  #reposition(client: Client): void {
    const at = this.#order.indexOf(client);
    client.share = this.#shareOf(client);
    let low = at;
    let high = this.#order.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      const other = this.#order[middle];
      if (other !== undefined && compare(other, client) < 0) low = middle;
      else high = middle - 1;
    }
    if (low === at) return;
    this.#order.copyWithin(at, at + 1, low + 1);
    this.#order[low] = client;
    this.#names = undefined;
  }

  #shareOf({ path, held }: Client): number {
    let share = 0;
    for (const name of held.names) {
      const total = this.#totals.get(name);
      if (total > 0 && !this.#excluded.has(name)) share = Math.max(share, held.get(name) / total);
    }
    return share / (this.#weights.get(path) ?? 1);
  }
}

function compare(left: Client, right: Client): number {
  if (left.share !== right.share) return left.share - right.share;
  if (left.count !== right.count) return left.count - right.count;
  return left.path < right.path ? -1 : 1;
}
