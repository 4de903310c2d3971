import type { Clock, Timer } from './platform.ts';
import { TimerQueue } from './timers.ts';

/** setTimeout fires at once above this many milliseconds, so longer waits are taken in steps. */
const longestWait = 2 ** 31 - 1;

/** Wall-clock time that never runs backwards; one native timer serves all timers armed here. */
export function nodeClock(): Clock {
  return new NodeClock();
}

class NodeClock implements Clock {
  readonly #start = Date.now() - performance.now();
  // A native timer that nobody waits for stays, but does not keep the OS process alive: the next ask wants it again.
  readonly #timers = new TimerQueue(() => this.#native?.unref());
  #native: NodeJS.Timeout | undefined = undefined;
  #nativeDue = Number.POSITIVE_INFINITY;

  now(): number {
    return this.#start + performance.now();
  }

  timer(delay: number, thunk: () => void): Timer {
    // Whole milliseconds, rounded up, let the many timers of one turn share a bucket and never fire early.
    const now = this.now();
    const due = Math.ceil(now + delay);
    const wasEmpty = this.#timers.size === 0;
    const timer = this.#timers.arm(due, thunk);
    if (due < this.#nativeDue) this.#arm(due, now);
    else if (wasEmpty) this.#native?.ref();
    return timer;
  }

  #arm(due: number, now: number): void {
    clearTimeout(this.#native);
    this.#nativeDue = due;
    this.#native = setTimeout(this.#fire, Math.min(Math.max(Math.ceil(due - now), 0), longestWait));
  }

  readonly #fire = (): void => {
    this.#native = undefined;
    this.#nativeDue = Number.POSITIVE_INFINITY;
    // What these timers arm waits for its own turn, so that a timer of no delay does not hold the loop.
    const now = this.now();
    try {
      for (let thunk = this.#timers.take(now); thunk !== undefined; thunk = this.#timers.take(now)) thunk();
    } finally {
      const due = this.#timers.nextDue();
      if (due !== undefined && due < this.#nativeDue) this.#arm(due, now);
    }
  };
}
