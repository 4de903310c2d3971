import type { Loop } from './platform/platform.ts';
import { Ring } from './ring.ts';
import { enterTurn } from './turn.ts';

/** What the run queue runs: something with queued events. */
export interface Runnable {
  /** Serves up to `quantum` events as the current owner, which the queue resets, and returns how many it served. */
  run(quantum: number): number;
  /** Whether it wants another go; if not, it pushes itself again when it does. */
  readonly more: boolean;
}

/** Events one process may serve before the next one's turn, and between two looks at the clock, which are not free. */
const quantum = 64;
/** Events served before timers and sockets get theirs (design: the end of a slice). */
const budget = 1024;
/** Real milliseconds after which a slice ends, whatever its budget; counts alone decide in simulation. */
const sliceLimit = 2;

/**
 * The processes that have something to do. A drain starts as a microtask, so a volley of messages costs no hop through the
 * event loop. All drains between two macrotasks share one budget; once it is spent, the rest waits for the next macrotask,
 * so neither a volley that feeds itself nor a chain of promises starves timers and sockets.
 */
export class RunQueue {
  readonly #ready = new Ring<Runnable>(64);
  readonly #loop: Loop;
  readonly #now: (() => number) | undefined;
  readonly #onSliceEnd: () => void;
  readonly #onIdle: () => void;
  /** A drain is on its way. */
  #armed = false;
  /** A macrotask that begins the next slice is on its way. */
  #renewing = false;
  /** Events that may still be served before the next macrotask. */
  #left = budget;
  #sliceStart = 0;
  /** Events until the next look at the clock, and how many were served since the last. */
  #stride = quantum;
  #unwatched = 0;

  /**
   * @param now reads real milliseconds; undefined where only counts may bound a slice.
   * @param onIdle runs when a macrotask after a slice finds nothing to do.
   */
  constructor(
    loop: Loop,
    now: (() => number) | undefined,
    onSliceEnd: () => void,
    onIdle: () => void = () => undefined,
  ) {
    this.#loop = loop;
    this.#now = now;
    this.#onSliceEnd = onSliceEnd;
    this.#onIdle = onIdle;
  }

  get idle(): boolean {
    return !this.#armed;
  }

  push(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (!this.#armed) this.wake();
  }

  /** Has a slice run soon, also when nothing is queued, so that what was sent from outside a turn is flushed. */
  wake(): void {
    if (this.#armed) return;
    this.#armed = true;
    if (!this.#renewing) this.#begin();
    if (this.#left > 0) this.#loop.microtask(this.#drain);
  }

  /** Ends the running slice after the current event; the next one starts from a macrotask. */
  yieldToLoop(): void {
    this.#left = 0;
  }

  #begin(): void {
    this.#renewing = true;
    this.#left = budget;
    this.#unwatched = 0;
    if (this.#now !== undefined) {
      this.#stride = 1;
      this.#sliceStart = this.#now();
    }
    this.#loop.macrotask(this.#renew);
  }

  /** The macrotask after a slice: what was left over begins the next one. */
  readonly #renew = (): void => {
    this.#renewing = false;
    if (!this.#armed) return this.#onIdle();
    this.#begin();
    this.#drain();
  };

  readonly #drain = (): void => {
    const ready = this.#ready;
    try {
      while (this.#left > 0) {
        const runnable = ready.shift();
        if (runnable === undefined) break;
        const served = runnable.run(this.#stride);
        this.#left -= served;
        if (runnable.more) ready.push(runnable);
        this.#unwatched += served;
        if (this.#unwatched >= this.#stride) this.#watch();
      }
    } finally {
      enterTurn(undefined);
      this.#onSliceEnd();
      this.#armed = ready.size > 0;
    }
  };

  /** Looks at the clock, often while events are slow, seldom while they are fast. */
  #watch(): void {
    this.#unwatched = 0;
    if (this.#now === undefined) return;
    const spent = this.#now() - this.#sliceStart;
    if (spent > sliceLimit) this.#left = 0;
    else if (spent > sliceLimit / 4) this.#stride = 1;
    else if (this.#stride < quantum) this.#stride *= 2;
  }
}
