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

  /** Runs the timers that are due now, but not those that these arm for now: they are for the next call. True if there was one. */
  fireDue(): boolean {
    const due: (() => void)[] = [];
    for (let thunk = this.#timers.take(this.#now); thunk !== undefined; thunk = this.#timers.take(this.#now)) due.push(thunk);
    for (const thunk of due) thunk();
    return due.length > 0;
  }

  /** Moves forward; backward is ignored. */
  moveTo(time: number): void {
    if (time > this.#now) this.#now = time;
  }
}
