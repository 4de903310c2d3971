import type { Clock, Timer } from '../platform/platform.ts';
import { TimerQueue } from '../platform/timers.ts';

/** Timers run in one go: timers of no delay that arm each other for ever must show as such, and not hang the loop. */
const burst = 1000;

/** Time that moves only when it is told to. */
export class VirtualClock implements Clock {
  readonly #timers = new TimerQueue();
  #now: number;
  #fired = 0;

  /** @param start milliseconds since the epoch. */
  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  timer(delay: number, thunk: () => void): Timer {
    return this.#timers.arm(this.#now + Math.max(delay, 0), thunk);
  }

  nextDue(): number | undefined {
    return this.#timers.nextDue();
  }

  /** How many timers have run: in a simulated world every frame, delay and disk operation is one. */
  get fired(): number {
    return this.#fired;
  }

  /** Whether a timer is due now. */
  get isDue(): boolean {
    const due = this.#timers.nextDue();
    return due !== undefined && due <= this.#now;
  }

  /** Runs timers that are due now, as many as one go may run. True if there was one. */
  fireDue(): boolean {
    let fired = 0;
    while (fired < burst) {
      const thunk = this.#timers.take(this.#now);
      if (thunk === undefined) break;
      fired++;
      this.#fired++;
      thunk();
    }
    return fired > 0;
  }

  /** Moves forward; backward is ignored. */
  moveTo(time: number): void {
    if (time > this.#now) this.#now = time;
  }
}
