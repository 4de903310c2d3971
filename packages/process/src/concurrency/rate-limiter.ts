import { type Duration, parseDuration, toMilliseconds } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { Clock, Timer } from '../platform/platform.ts';
import { Waiters } from './waiters.ts';

/**
 * Grants permits at a steady rate: the first at once, the next ones one interval apart, first come first served. Idle
 * time is not saved up. A waiter that is discarded costs no permit.
 */
export class RateLimiter implements Disposable {
  readonly #clock: Clock;
  /** Milliseconds from one permit to the next. */
  readonly #interval: number;
  readonly #waiting = new Waiters<void>();
  #resting: Timer | undefined = undefined;
  #stopped = false;

  /**
   * `permits` per `duration`, both above 0. Throws RATE_INVALID or DURATION_INVALID.
   *
   * @param clock that of a runtime, or of a process.
   */
  constructor(clock: Clock, permits: number, duration: Duration) {
    this.#clock = clock;
    this.#interval = toMilliseconds(duration) / permits;
    if (!(this.#interval > 0 && this.#interval < Infinity)) {
      throw new ProcessError(
        'RATE_INVALID',
        `Invalid rate of ${permits} permits per ${typeof duration === 'number' ? `${duration} ms` : duration}: expected both to be above 0 and finite`,
      );
    }
  }

  /** READY when a permit is granted; DISCARDED at once after `stop`. */
  acquire(): Future<void> {
    if (this.#resting === undefined && !this.#stopped) {
      this.#rest();
      return Future.ready(undefined);
    }
    const permit = this.#waiting.add();
    if (this.#stopped) permit.discard();
    return permit;
  }

  /** Grants no more permits and discards whoever waits for one. */
  stop(): void {
    this.#stopped = true;
    this.#resting?.cancel();
    this.#waiting.discardAll();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #rest(): void {
    this.#resting = this.#clock.timer(this.#interval, () => {
      this.#resting = undefined;
      const next = this.#waiting.take();
      if (next === undefined) return;
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
