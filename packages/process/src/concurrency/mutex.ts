import { ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { Unwrapped } from '../process.ts';
import { Held, runHolding } from './held.ts';
import { Waiters } from './waiters.ts';

/**
 * Held by one at a time, first come first served. Whoever discards a waiting `lock` leaves the line.
 *
 * A lock is given back once: by `unlock`, or by the handle, not both.
 */
export class Mutex {
  #locked = false;
  readonly #waiting = new Waiters<Held>();

  /** READY at once if nobody holds it. */
  lock(): Future<Held> {
    if (this.#locked) return this.#waiting.add();
    this.#locked = true;
    return Future.ready(this.#held());
  }

  /** Hands the lock to who has waited longest, before it returns. Throws LOCK_NOT_HELD if nobody holds it. */
  unlock(): void {
    if (!this.#locked) {
      throw new ProcessError(
        'LOCK_NOT_HELD',
        'Mutex.unlock: nobody holds the lock; unlock once for each lock() that got READY',
      );
    }
    const next = this.#waiting.take();
    if (next === undefined) this.#locked = false;
    else next.set(this.#held());
  }

  /**
   * Runs `fn` while holding the lock and gives its outcome, flattened. A discard takes it out of the line, or goes on to the
   * Future that `fn` returned. `fn` runs where the lock is handed over: bind it with `deferred` to have it in a process.
   */
  run<R>(fn: () => R): Future<Unwrapped<R>> {
    return runHolding(this.lock(), fn);
  }

  #held(): Held {
    return new Held(() => this.unlock());
  }
}
