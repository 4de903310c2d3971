import type { Random } from '@mezzo/process';
import { Resources, type AgentID } from '@mezzo/protocol';
import { ClientTree, type ClientNode } from './client-tree.ts';
import type { Sorter, SorterOptions } from './sorter.ts';
import { WeightedOrder, WeightSums } from './weighted-order.ts';

/**
 * Serves clients in a random order that is drawn anew for each `sort`: the next one is any of those left, with a chance
 * that grows with its weight. What clients hold does not matter. The chance of a branch, in which weights are relative
 * to those of the others beside it, is divided among the active clients below it in the same way.
 */
export class RandomSorter implements Sorter {
  readonly #tree: ClientTree;
  readonly #random: Random;
  #sums: WeightSums | undefined;

  constructor(options: SorterOptions) {
    this.#tree = new ClientTree(options);
    this.#random = options.random;
  }

  add(client: string): void {
    // Inactive, it takes no part in any draw.
    this.#tree.add(client);
  }

  remove(client: string): void {
    this.#tree.remove(client);
    this.#sums = undefined;
  }

  has(client: string): boolean {
    return this.#tree.has(client);
  }

  activate(client: string): void {
    const leaf = this.#tree.get(client);
    if (leaf !== undefined) this.#tree.activate(leaf);
    this.#sums = undefined;
  }

  deactivate(client: string): void {
    const leaf = this.#tree.get(client);
    if (leaf !== undefined) this.#tree.deactivate(leaf);
    this.#sums = undefined;
  }

  updateWeight(path: string, weight: number): void {
    this.#tree.updateWeight(path, weight);
    this.#sums = undefined;
  }

  allocated(client: string, agentId: AgentID, resources: Resources): void {
    this.updated(client, agentId, Resources.empty, resources);
  }

  unallocated(client: string, agentId: AgentID, resources: Resources): void {
    this.updated(client, agentId, resources, Resources.empty);
  }

  updated(client: string, agentId: AgentID, from: Resources, to: Resources): void {
    for (let node = this.#tree.get(client); node !== undefined; node = node.parent) {
      node.holdings.change(agentId, from, to);
    }
  }

  share(client: string): number {
    const leaf = this.#tree.get(client);
    return leaf === undefined ? 0 : this.#tree.shareOf(leaf);
  }

  sort(): Iterable<string> {
    if (this.#sums === undefined) {
      const clients: string[] = [];
      const weights: number[] = [];
      weigh(this.#tree.root, 1, clients, weights);
      this.#sums = new WeightSums(clients, weights);
    }
    return new WeightedOrder(this.#sums, this.#random);
  }
}

function weigh(branch: ClientNode, weight: number, clients: string[], weights: number[]): void {
  let sum = 0;
  for (const node of branch.listed) sum += node.weight;
  for (const node of branch.listed) {
    const own = (weight * node.weight) / sum;
    if (node.client === undefined) weigh(node, own, clients, weights);
    else {
      clients.push(node.client);
      weights.push(own);
    }
  }
}
