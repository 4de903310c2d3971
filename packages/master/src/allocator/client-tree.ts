import type { ClusterTotals } from './cluster-totals.ts';
import { Holdings } from './holdings.ts';
import type { SorterOptions } from './sorter.ts';

/** The name, below a client that has others below it, of what it holds itself. No role may be called so. */
const SELF = '.';

/** A client, or a branch: all clients below it together. */
export class ClientNode {
  readonly path: string;
  readonly name: string;
  readonly parent: ClientNode | undefined;
  weight: number;
  holdings: Holdings;
  /** The path given to the sorter; undefined for a branch. */
  client: string | undefined;
  isActive = false;
  /** Allocations ever made here and below. */
  count = 0;
  /** As of the last time that the sorter looked. */
  share = 0;
  /** undefined for a client. */
  children: Map<string, ClientNode> | undefined;
  /** Those children that are active clients or have some below, in the order that the sorter gives them. */
  listed: ClientNode[] = [];

  constructor(path: string, name: string, parent: ClientNode | undefined, weight: number, holdings: Holdings) {
    this.path = path;
    this.name = name;
    this.parent = parent;
    this.weight = weight;
    this.holdings = holdings;
  }

  /** It is, or has below it, an active client. */
  get isListed(): boolean {
    return this.isActive || this.listed.length > 0;
  }
}

/**
 * Clients by the parts of their paths. Only leaves are clients: one that gets others below it becomes a branch, with a
 * leaf `.` that stands for itself until the others are gone.
 */
export class ClientTree {
  readonly root: ClientNode;
  readonly #clients = new Map<string, ClientNode>();
  readonly #weights = new Map<string, number>();
  readonly #totals: ClusterTotals;
  readonly #excluded: ReadonlySet<string>;
  #denominators: readonly number[] = [];
  #version = -1;

  constructor({ totals, excluded }: SorterOptions) {
    this.#totals = totals;
    this.#excluded = excluded;
    this.root = new ClientNode('', '', undefined, 1, new Holdings(totals));
  }

  has(client: string): boolean {
    return this.#clients.has(client);
  }

  get(client: string): ClientNode | undefined {
    return this.#clients.get(client);
  }

  add(client: string): void {
    if (this.#clients.has(client)) return;
    let node = this.root;
    for (const name of client.split('/')) {
      if (node.client !== undefined) this.#branch(node);
      node = node.children?.get(name) ?? this.#grow(node, name);
    }
    // It was on the way to others before it came itself.
    if (node.children !== undefined) node = this.#grow(node, SELF);
    node.client = client;
    this.#clients.set(client, node);
  }

  remove(client: string): void {
    const leaf = this.#clients.get(client);
    if (leaf === undefined) return;
    this.deactivate(leaf);
    this.#clients.delete(client);
    leaf.client = undefined;
    for (let node = leaf; node.parent !== undefined; node = node.parent) {
      if (node !== leaf) node.holdings.subtract(leaf.holdings);
      if (node.client === undefined && (node.children === undefined || node.children.size === 0)) {
        node.parent.children?.delete(node.name);
      } else if (node.children?.size === 1) {
        this.#collapse(node);
      }
    }
  }

  /** New in a list means last: its place is for the sorter to find. */
  activate(leaf: ClientNode): void {
    if (leaf.isActive) return;
    leaf.isActive = true;
    for (let node = leaf; node.parent !== undefined; node = node.parent) {
      if (node.parent.listed.push(node) > 1) return;
    }
  }

  deactivate(leaf: ClientNode): void {
    if (!leaf.isActive) return;
    leaf.isActive = false;
    for (let node = leaf; node.parent !== undefined; node = node.parent) {
      const { listed } = node.parent;
      listed.splice(listed.indexOf(node), 1);
      if (listed.length > 0) return;
    }
  }

  updateWeight(path: string, weight: number): ClientNode | undefined {
    this.#weights.set(path, weight);
    const node = this.#find(path);
    if (node !== undefined) node.weight = weight;
    return node;
  }

  /** Grows with every change of what shares are fractions of. */
  get version(): number {
    return this.#totals.version;
  }

  /** Its largest fraction of any resource of the cluster, divided by its weight. */
  shareOf(node: ClientNode): number {
    if (this.#version !== this.#totals.version) {
      this.#version = this.#totals.version;
      this.#denominators = this.#totals.denominators(this.#excluded);
    }
    return node.holdings.dominantShare(this.#denominators) / node.weight;
  }

  #find(path: string): ClientNode | undefined {
    let node: ClientNode | undefined = this.root;
    for (const name of path.split('/')) node = node?.children?.get(name);
    return node;
  }

  #grow(parent: ClientNode, name: string): ClientNode {
    const path = parent === this.root ? name : `${parent.path}/${name}`;
    const node = new ClientNode(path, name, parent, this.#weights.get(path) ?? 1, new Holdings(this.#totals));
    parent.children ??= new Map();
    parent.children.set(name, node);
    return node;
  }

  /** What it held, its count and whether it is active go with the client; the branch starts from the same. */
  #branch(node: ClientNode): void {
    const { client } = node;
    if (client === undefined) return;
    const leaf = this.#grow(node, SELF);
    leaf.client = client;
    leaf.isActive = node.isActive;
    leaf.holdings = node.holdings.copy();
    leaf.count = node.count;
    if (leaf.isActive) node.listed.push(leaf);
    node.client = undefined;
    node.isActive = false;
    this.#clients.set(client, leaf);
  }

  #collapse(node: ClientNode): void {
    const leaf = node.children?.get(SELF);
    if (leaf?.client === undefined) return;
    node.client = leaf.client;
    node.isActive = leaf.isActive;
    node.children = undefined;
    node.listed.length = 0;
    this.#clients.set(leaf.client, node);
  }
}
