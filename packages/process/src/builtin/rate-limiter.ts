import { parseDuration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { Deferred, Future } from '../future/future.ts';
import type { Clock, Timer } from '../platform/platform.ts';

/**
 * Grants permits at a steady rate: the first at once, the next ones one interval apart, first come first served. Idle
 * time is not saved up. A waiter that is discarded costs no permit.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #waiting = new Set<Deferred<void>>();
  #resting: Timer | undefined;

  /** @param interval milliseconds from one permit to the next; `parseRate` gives it. */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock;
    this.#interval = interval;
  }

  acquire(): Future<void> {
    if (this.#resting === undefined) {
      this.#rest();
      return Future.ready(undefined);
    }
    const waiter = new Deferred<void>();
    this.#waiting.add(waiter);
    waiter.future.onDiscard(() => {
      this.#waiting.delete(waiter);
      waiter.discard();
    });
    return waiter.future;
  }

  /** Discards whoever waits. */
  stop(): void {
    this.#resting?.cancel();
    for (const waiter of [...this.#waiting]) waiter.future.discard();
  }

  #rest(): void {
    this.#resting = this.#clock.timer(this.#interval, () => {
      this.#resting = undefined;
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      this.#rest();
      next.set();
    });
  }
}

/** Milliseconds from one permit to the next, of a rate such as `2/1secs`. Throws RATE_INVALID. */
export function parseRate(rate: string): number {
  const [permits = '', time = ''] = rate.split('/');
  const count = Number(permits);
  if (/^\d+(\.\d+)?$/.test(permits) && count > 0) {
    try {
      const interval = parseDuration(time) / count;
      if (interval > 0) return interval;
    } catch {
      // The error below says what is expected of the whole.
    }
  }
  throw new ProcessError('RATE_INVALID', `Invalid rate '${rate}': expected permits per time, such as '2/1secs'`);
}
