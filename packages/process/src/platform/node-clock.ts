import type { Clock, Timer } from './platform.ts';
import { TimerQueue } from './timers.ts';

/** setTimeout fires at once above this many milliseconds, so longer waits are taken in steps. */
const longestWait = 2 ** 31 - 1;

/** Wall-clock time that never runs backwards; one native timer serves all timers armed here. */
export function nodeClock(): Clock {
  const timers = new TimerQueue();
  const start = Date.now() - performance.now();
  const now = (): number => start + performance.now();
  let native: NodeJS.Timeout | undefined;
  let nativeDue = Number.POSITIVE_INFINITY;

  const arm = (): void => {
    const due = timers.nextDue();
    if (due === undefined || due >= nativeDue) return;
    clearTimeout(native);
    nativeDue = due;
    native = setTimeout(fire, Math.min(Math.max(Math.ceil(due - now()), 0), longestWait));
  };

  const fire = (): void => {
    native = undefined;
    nativeDue = Number.POSITIVE_INFINITY;
    try {
      for (let thunk = timers.take(now()); thunk !== undefined; thunk = timers.take(now())) thunk();
    } finally {
      arm();
    }
  };

  return {
    now,
    timer(delay: number, thunk: () => void): Timer {
      // Whole milliseconds, rounded up, let the many timers of one turn share a bucket and never fire early.
      const timer = timers.arm(Math.ceil(now() + delay), thunk);
      arm();
      return {
        cancel(): boolean {
          const cancelled = timer.cancel();
          if (cancelled && timers.nextDue() === undefined) {
            // Without this the last cancelled timer would keep the OS process alive.
            clearTimeout(native);
            native = undefined;
            nativeDue = Number.POSITIVE_INFINITY;
          }
          return cancelled;
        },
      };
    },
  };
}
