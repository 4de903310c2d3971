import type { ClusterTotals, Sorter, SorterFactory } from '@mezzo/master';
import { type AgentID, Resources } from '@mezzo/protocol';

/** A client is a role, or a framework of one role: sorters need not know which. */
interface Client {
  isActive: boolean;
  /** Of all agents together. */
  held: Resources;
  /** The number of the allocation that it got last; 0 if it has not had any. */
  servedIn: number;
}

/**
 * Serves whoever has waited longest, however much it has got: turns are shared, not resources. Clients that ask for little get
 * little; under DRF they would get more turns. Weights have no meaning here.
 */
class LeastRecentlyServedSorter implements Sorter {
  readonly #clients = new Map<string, Client>();
  readonly #totals: ClusterTotals;
  #allocations = 0;
  /** The order, until something changes it: `sort` is called once for each agent. */
  #order: readonly string[] | undefined;

  constructor(totals: ClusterTotals) {
    this.#totals = totals;
  }

  add(client: string): void {
    if (this.#clients.has(client)) return;
    this.#clients.set(client, { isActive: false, held: Resources.empty, servedIn: 0 });
  }

  remove(client: string): void {
    this.#clients.delete(client);
    this.#order = undefined;
  }

  has(client: string): boolean {
    return this.#clients.has(client);
  }

  activate(client: string): void {
    this.#setActive(client, true);
  }

  /** It is not listed any more, and keeps its place in the queue and what it holds. */
  deactivate(client: string): void {
    this.#setActive(client, false);
  }

  updateWeight(): void {}

  /** This is where a client loses its place: here a sorter learns that its order was followed. */
  allocated(client: string, _agentId: AgentID, resources: Resources): void {
    const known = this.#clients.get(client);
    if (known === undefined) return;
    known.held = known.held.plus(resources);
    known.servedIn = ++this.#allocations;
    this.#order = undefined;
  }

  unallocated(client: string, _agentId: AgentID, resources: Resources): void {
    const known = this.#clients.get(client);
    if (known !== undefined) known.held = known.held.minus(resources);
  }

  /** A reservation was made, or a volume: it holds the same in another form, and this was no turn of its own. */
  updated(client: string, _agentId: AgentID, from: Resources, to: Resources): void {
    const known = this.#clients.get(client);
    if (known !== undefined) known.held = known.held.minus(from).plus(to);
  }

  /** Only shown to people, as the metric `allocator/mesos/roles/<role>/shares/dominant`. */
  share(client: string): number {
    let share = 0;
    for (const [name, amount] of this.#clients.get(client)?.held.quantities ?? []) {
      const total = this.#totals.get(name);
      if (total > 0) share = Math.max(share, amount / total);
    }
    return share;
  }

  /** A new array each time something changed, so that whoever walks along an earlier one is not disturbed. */
  sort(): Iterable<string> {
    this.#order ??= [...this.#clients]
      .filter(([, { isActive }]) => isActive)
      .sort(([a, { servedIn: first }], [b, { servedIn: second }]) => first - second || (a < b ? -1 : 1))
      .map(([client]) => client);
    return this.#order;
  }

  #setActive(client: string, isActive: boolean): void {
    const known = this.#clients.get(client);
    if (known !== undefined) known.isActive = isActive;
    this.#order = undefined;
  }
}

/** What a module needs to export to be given as `--role-sorter ./least-recently-served.js`. */
const leastRecentlyServed: SorterFactory = ({ totals }) => new LeastRecentlyServedSorter(totals);

export default leastRecentlyServed;
