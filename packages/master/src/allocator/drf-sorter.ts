import { Resources, type AgentID } from '@mezzo/protocol';
import { ClientTree, type ClientNode } from './client-tree.ts';
import type { Sorter, SorterOptions } from './sorter.ts';

/**
 * Dominant resource fairness (Ghodsi et al., 2011): a client's share is its largest fraction of any resource of the
 * cluster, divided by its weight; the smallest share is served first. Ties: fewer allocations, then the smaller path.
 * Clients below others are served in the turn of the branch they are in, whose share is that of all of them together.
 */
export class DrfSorter implements Sorter {
  readonly #tree: ClientTree;
  #isStale = false;
  #version = -1;
  /** Active clients in order, while it holds. */
  #listing: string[] | undefined;
  #isHandedOut = false;

  constructor(options: SorterOptions) {
    this.#tree = new ClientTree(options);
  }

  add(client: string): void {
    // Inactive, it changes no order.
    this.#tree.add(client);
  }

  remove(client: string): void {
    this.#tree.remove(client);
    this.#restructured();
  }

  has(client: string): boolean {
    return this.#tree.has(client);
  }

  activate(client: string): void {
    const leaf = this.#tree.get(client);
    if (leaf === undefined || leaf.isActive) return;
    this.#tree.activate(leaf);
    this.#restructured();
  }

  deactivate(client: string): void {
    const leaf = this.#tree.get(client);
    if (leaf === undefined || !leaf.isActive) return;
    this.#tree.deactivate(leaf);
    this.#listing = undefined;
  }

  updateWeight(path: string, weight: number): void {
    if (this.#tree.updateWeight(path, weight) !== undefined) this.#isStale = true;
  }

  allocated(client: string, agentId: AgentID, resources: Resources): void {
    this.#change(client, agentId, Resources.empty, resources, 1);
  }

  unallocated(client: string, agentId: AgentID, resources: Resources): void {
    this.#change(client, agentId, resources, Resources.empty, 0);
  }

  updated(client: string, agentId: AgentID, from: Resources, to: Resources): void {
    this.#change(client, agentId, from, to, 0);
  }

  share(client: string): number {
    const leaf = this.#tree.get(client);
    return leaf === undefined ? 0 : this.#tree.shareOf(leaf);
  }

  sort(): readonly string[] {
    if (!this.#isFresh) {
      if (this.#refresh(this.#tree.root)) this.#listing = undefined;
      this.#isStale = false;
      this.#version = this.#tree.version;
    }
    if (this.#listing === undefined) list(this.#tree.root, (this.#listing = []));
    this.#isHandedOut = true;
    return this.#listing;
  }

  get #isFresh(): boolean {
    return !this.#isStale && this.#version === this.#tree.version;
  }

  #restructured(): void {
    this.#isStale = true;
    this.#listing = undefined;
  }

  #change(client: string, agentId: AgentID, from: Resources, to: Resources, allocations: 0 | 1): void {
    for (let node = this.#tree.get(client); node?.parent !== undefined; node = node.parent) {
      const place = this.#placeOf(node);
      node.holdings.change(agentId, from, to);
      node.count += allocations;
      this.#move(node, place);
    }
  }

  /** Computes all shares anew and says whether that changed any order. */
  #refresh(branch: ClientNode): boolean {
    let isMoved = false;
    for (const node of branch.listed) {
      node.share = this.#tree.shareOf(node);
      if (node.listed.length > 0 && this.#refresh(node)) isMoved = true;
    }
    return sortAgain(branch.listed) || isMoved;
  }

  /** Where a node stands that is about to change; -1 if its place does not matter. */
  #placeOf(node: ClientNode): number {
    if (!this.#isFresh || node.parent === undefined || !node.isListed) return -1;
    return firstNotBefore(node.parent.listed, node, 0, node.parent.listed.length);
  }

  /** A change moves one node of each level: a run need not sort everything again. */
  #move(node: ClientNode, from: number): void {
    if (from === -1 || node.parent === undefined) return;
    const { listed } = node.parent;
    node.share = this.#tree.shareOf(node);
    const next = listed[from + 1];
    const to =
      next !== undefined && compare(next, node) < 0
        ? firstNotBefore(listed, node, from + 1, listed.length) - 1
        : firstNotBefore(listed, node, 0, from);
    if (to === from) return;
    shift(listed, from, to);
    this.#moved(from, to);
  }

  /** As long as every child of the root stands for one client, what moves there moves in the listing. */
  #moved(from: number, to: number): void {
    const listing = this.#listing;
    if (listing === undefined) return;
    if (listing.length !== this.#tree.root.listed.length) {
      this.#listing = undefined;
      return;
    }
    this.#listing = this.#isHandedOut ? listing.slice() : listing;
    this.#isHandedOut = false;
    shift(this.#listing, from, to);
  }
}

function compare(left: ClientNode, right: ClientNode): number {
  if (left.share !== right.share) return left.share - right.share;
  if (left.count !== right.count) return left.count - right.count;
  return left.path < right.path ? -1 : 1;
}

/** Between `low` and `high`, or `high`. */
function firstNotBefore(sorted: readonly ClientNode[], node: ClientNode, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sorted[middle];
    if (other !== undefined && compare(other, node) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shift<T>(list: T[], from: number, to: number): void {
  const [moved] = list.splice(from, 1);
  if (moved !== undefined) list.splice(to, 0, moved);
}

/** Sorts what was in order until some shares changed; says whether anything moved. */
function sortAgain(nodes: ClientNode[]): boolean {
  let steps = 0;
  let isMoved = false;
  for (let i = 1; i < nodes.length; i++) {
    const node = nodes[i];
    if (node === undefined) break;
    let to = i;
    for (let before = nodes[to - 1]; before !== undefined && compare(node, before) < 0; before = nodes[to - 1]) {
      nodes[to--] = before;
      steps++;
    }
    nodes[to] = node;
    isMoved ||= to !== i;
    if (steps > 8 * nodes.length) {
      nodes.sort(compare);
      return true;
    }
  }
  return isMoved;
}

function list(branch: ClientNode, listing: string[]): void {
  for (const node of branch.listed) {
    if (node.client === undefined) list(node, listing);
    else listing.push(node.client);
  }
}
