import type { Random } from '@mezzo/process';

/** Mesos's REGISTER_RETRY_INTERVAL_MAX, in milliseconds. */
const longest = 60_000;

/**
 * How long to wait before each attempt to register: at random, so that the agents of a whole cluster do not all come at
 * once; first up to the factor, then up to twice, four times, … the factor, at most up to a minute.
 */
export class RegistrationBackoff {
  readonly #factor: number;
  #bound: number;

  /** @param factor milliseconds; below 1 it counts as 1, as 0 would never double. */
  constructor(factor: number) {
    this.#factor = Math.max(factor, 1);
    this.#bound = this.#factor;
  }

  reset(): void {
    this.#bound = this.#factor;
  }

  /** Milliseconds until the next attempt. */
  next(random: Random): number {
    const bound = this.#bound;
    this.#bound = Math.min(bound * 2, longest);
    return random.next() * bound;
  }
}
