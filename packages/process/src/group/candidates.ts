import type { Random } from '../platform/platform.ts';

interface Candidate {
  readonly node: string;
  /** Nobody vouches for it: it was only named on a topic. */
  readonly hinted: boolean;
  /** Until when it is worth a try, in milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Nodes that may have a registry. Hints come from anybody, so few of them are kept, and which ones is left to chance: a flood
 * of made-up names costs a bounded amount, and delays the true ones but does not keep them out.
 */
export class Candidates {
  readonly #random: Random;
  readonly #most: number;
  #all: Candidate[] = [];

  /** @param most kept of either kind: hinted ones, and remembered ones. */
  constructor(random: Random, most: number) {
    this.#random = random;
    this.#most = most;
  }

  get size(): number {
    return this.#all.length;
  }

  /** A node that was named on the topic: worth one try. */
  hint(node: string, until: number): void {
    if (!this.#all.some((candidate) => candidate.node === node)) this.#add({ node, hinted: true, until });
  }

  /** A node that was a peer: worth as many tries as there is time. */
  remember(node: string, until: number): void {
    this.forget(node);
    this.#add({ node, hinted: false, until });
  }

  forget(node: string): void {
    this.#all = this.#all.filter((candidate) => candidate.node !== node);
  }

  /** One of those that are still worth a try, by chance; a hinted one is taken out. */
  draw(now: number, except: (node: string) => boolean): string | undefined {
    this.#all = this.#all.filter(({ until }) => until > now);
    const drawn = this.#pick(this.#all.filter(({ node }) => !except(node)));
    if (drawn?.hinted === true) this.forget(drawn.node);
    return drawn?.node;
  }

  #add(candidate: Candidate): void {
    const alike = this.#all.filter(({ hinted }) => hinted === candidate.hinted);
    const victim = alike.length < this.#most ? undefined : this.#pick(alike);
    this.#all = this.#all.filter((other) => other !== victim);
    this.#all.push(candidate);
  }

  #pick(candidates: readonly Candidate[]): Candidate | undefined {
    return candidates[Math.floor(this.#random.next() * candidates.length)];
  }
}
