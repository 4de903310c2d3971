import type { Random } from '@mezzo/process';

/** Waits that double up to a longest one. Each is drawn from its upper half, so that many who failed together part. */
export class Backoff {
  readonly #random: Random;
  readonly #first: number;
  readonly #longest: number;
  #wait: number;

  /** @param first and @param longest milliseconds. */
  constructor(random: Random, first: number, longest: number) {
    this.#random = random;
    this.#first = first;
    this.#longest = Math.max(first, longest);
    this.#wait = first;
  }

  reset(): void {
    this.#wait = this.#first;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const wait = this.#wait;
    this.#wait = Math.min(wait * 2, this.#longest);
    return wait * (0.5 + this.#random.next() / 2);
  }
}
