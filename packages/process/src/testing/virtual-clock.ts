import type { Clock, Timer } from '../platform/platform.ts';
import { TimerQueue } from '../platform/timers.ts';

/** Time that moves only when it is told to. */
export class VirtualClock implements Clock {
  readonly #timers = new TimerQueue();
  #now: number;

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

  /** Runs every timer that is due now, also those that these arm for now. True if there was one. */
  fireDue(): boolean {
    let fired = false;
    for (let thunk = this.#timers.take(this.#now); thunk !== undefined; thunk = this.#timers.take(this.#now)) {
      fired = true;
      thunk();
    }
    return fired;
  }

  /** Moves forward; backward is ignored. */
  moveTo(time: number): void {
    if (time > this.#now) this.#now = time;
  }
}
