import type { Random } from '@mezzo/process';

/** Weights at the leaves of a binary tree whose inner nodes are sums: node i has the children 2i and 2i + 1. */
export class WeightSums {
  readonly clients: readonly string[];
  readonly sums: Float64Array;
  /** Where the leaves begin. */
  readonly first: number;

  constructor(clients: readonly string[], weights: readonly number[]) {
    this.clients = clients;
    this.first = 1;
    while (this.first < clients.length) this.first *= 2;
    this.sums = new Float64Array(2 * this.first);
    // A weight that vanished beside the others must still come last, not never.
    weights.forEach((weight, i) => (this.sums[this.first + i] = Math.max(weight, Number.MIN_VALUE)));
    for (let i = this.first - 1; i > 0; i--) this.sums[i] = (this.sums[2 * i] ?? 0) + (this.sums[2 * i + 1] ?? 0);
  }
}

/** So often a client may be drawn that was drawn before, until those left are weighed anew. */
const MOST_MISSES = 8;

/** Weighted sampling without replacement. It draws as far as it is read, and remembers what it has drawn. */
export class WeightedOrder implements Iterable<string> {
  readonly #base: WeightSums;
  readonly #random: Random;
  readonly #drawn: number[] = [];
  /** Of those not drawn yet. Whoever reads only the first few of many does without. */
  #sumsLeft: Float64Array | undefined;
  #misses = 0;

  constructor(base: WeightSums, random: Random) {
    this.#base = base;
    this.#random = random;
  }

  [Symbol.iterator](): Iterator<string> {
    const { clients, first } = this.#base;
    let read = 0;
    return {
      next: () => {
        if (read === clients.length) return { done: true, value: undefined };
        const leaf = this.#drawn[read++] ?? this.#draw();
        return { done: false, value: clients[leaf - first] ?? '' };
      },
    };
  }

  #draw(): number {
    let leaf = this.#pick();
    while (this.#sumsLeft === undefined && this.#drawn.includes(leaf)) {
      if (++this.#misses === MOST_MISSES) {
        this.#sumsLeft = this.#base.sums.slice();
        for (const drawn of this.#drawn) takeOut(this.#sumsLeft, drawn);
      }
      leaf = this.#pick();
    }
    this.#drawn.push(leaf);
    if (this.#sumsLeft !== undefined) takeOut(this.#sumsLeft, leaf);
    return leaf;
  }

  #pick(): number {
    const { first } = this.#base;
    const sums = this.#sumsLeft ?? this.#base.sums;
    let rest = this.#random.next() * (sums[1] ?? 0);
    let i = 1;
    while (i < first) {
      i *= 2;
      const left = sums[i] ?? 0;
      // Rounding may leave a rest at the end of all: there is nothing right of the last.
      if (rest >= left && (sums[i + 1] ?? 0) > 0) {
        rest -= left;
        i++;
      }
    }
    return i;
  }
}

/** Sums are added up again, not subtracted from: where nothing is left it must be exactly 0. */
function takeOut(sums: Float64Array, leaf: number): void {
  sums[leaf] = 0;
  for (let i = leaf >> 1; i > 0; i >>= 1) sums[i] = (sums[2 * i] ?? 0) + (sums[2 * i + 1] ?? 0);
}
