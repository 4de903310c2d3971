import type { Clock, Timer } from '../platform/platform.ts';

/** How a machine's clock differs from true time. */
export interface Skew {
  /** Milliseconds by which the machine's clock is ahead (behind, if negative). Default 0. */
  readonly offset?: number;
  /** How much faster it runs: 0.001 gains a millisecond per second, -0.001 loses one. Default 0; above -1. */
  readonly drift?: number;
}

/**
 * What a node takes for the time. As Node's clock it reads the machine's time once, at its start, and goes on from there at
 * the machine's rate: a new offset shows in the next clock, a new drift at once, for timers armed from then on.
 */
export class SkewedClock implements Clock {
  readonly #world: Clock;
  #rate: number;
  /** At this true time ... */
  #since: number;
  /** ... this clock showed so much more. */
  #ahead: number;

  constructor(world: Clock, skew: Skew) {
    this.#world = world;
    this.#since = world.now();
    this.#ahead = skew.offset ?? 0;
    this.#rate = 1 + (skew.drift ?? 0);
  }

  now(): number {
    const now = this.#world.now();
    return now + this.#ahead + (now - this.#since) * (this.#rate - 1);
  }

  timer(delay: number, thunk: () => void): Timer {
    return this.#world.timer(delay / this.#rate, thunk);
  }

  set drift(drift: number) {
    this.#ahead = this.now() - this.#world.now();
    this.#since = this.#world.now();
    this.#rate = 1 + drift;
  }
}
