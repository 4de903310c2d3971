import type { Loop } from './platform/platform.ts';
import { Ring } from './ring.ts';

/** What the run queue runs: something with queued events. */
export interface Runnable {
  /** Serves up to `quantum` events and returns how many it served; keeps itself queued by returning true from `more`. */
  run(quantum: number): number;
  readonly more: boolean;
}

/** Events one process may serve before the next one's turn. */
const quantum = 64;
/** Events served before timers and sockets get theirs (design: the end of a slice). */
const budget = 1024;
/** Real milliseconds after which a slice ends, whatever its budget; counts alone decide in simulation. */
const sliceLimit = 2;

/**
 * The processes that have something to do. A drain starts as a microtask, so a volley of messages costs no hop through the
 * event loop, and goes on as a macrotask once its budget is spent, so a volley that feeds itself starves nobody.
 */
export class RunQueue {
  readonly #ready = new Ring<Runnable>(64);
  readonly #loop: Loop;
  readonly #now: (() => number) | undefined;
  readonly #onSliceEnd: () => void;
  #armed = false;
  #yielding = false;

  /** @param now reads real milliseconds; undefined where only counts may bound a slice. */
  constructor(loop: Loop, now: (() => number) | undefined, onSliceEnd: () => void) {
    this.#loop = loop;
    this.#now = now;
    this.#onSliceEnd = onSliceEnd;
  }

  get idle(): boolean {
    return !this.#armed;
  }

  push(runnable: Runnable): void {
    this.#ready.push(runnable);
    this.wake();
  }

  /** Has a slice run soon, also when nothing is queued, so that what was sent from outside a turn is flushed. */
  wake(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#loop.microtask(this.#drain);
  }

  /** Ends the running slice after the current event; the next one starts from a macrotask. */
  yieldToLoop(): void {
    this.#yielding = true;
  }

  readonly #drain = (): void => {
    const ready = this.#ready;
    let left = budget;
    const started = this.#now?.() ?? 0;
    while (left > 0 && !this.#yielding) {
      const runnable = ready.shift();
      if (runnable === undefined) break;
      left -= runnable.run(quantum);
      if (runnable.more) ready.push(runnable);
      if (this.#now !== undefined && this.#now() - started > sliceLimit) break;
    }
    this.#yielding = false;
    this.#onSliceEnd();
    if (ready.size > 0) this.#loop.macrotask(this.#drain);
    else this.#armed = false;
  };
}
