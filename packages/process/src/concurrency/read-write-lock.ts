import { ProcessError } from '../errors.ts';
import type { Deferred, Future } from '../future/future.ts';
import type { Unwrapped } from '../process.ts';
import { Held, runHolding } from './held.ts';
import { Waiters } from './waiters.ts';

/**
 * Held by one writer or by any number of readers. First come first served: a reader never passes a writer that waits, so
 * neither kind starves. Whoever discards a waiting lock leaves the line.
 *
 * A lock is given back once: by the unlock method, or by the handle, not both.
 */
export class ReadWriteLock {
  #readers = 0;
  #writing = false;
  readonly #waiting = new Waiters<Held, 'read' | 'write'>(() => this.#admit());

  /** READY at once if no writer holds the lock or waits for it. */
  readLock(): Future<Held> {
    return this.#lock('read');
  }

  /** READY at once if nobody holds the lock. */
  writeLock(): Future<Held> {
    return this.#lock('write');
  }

  /** The last reader lets the next writer in before this returns. Throws LOCK_NOT_HELD if no reader holds the lock. */
  readUnlock(): void {
    if (this.#readers === 0) throw this.#notHeld('readUnlock', 'no reader');
    this.#readers--;
    this.#admit();
  }

  /** Lets the next writer in, or all readers up to the next writer. Throws LOCK_NOT_HELD if no writer holds the lock. */
  writeUnlock(): void {
    if (!this.#writing) throw this.#notHeld('writeUnlock', 'no writer');
    this.#writing = false;
    this.#admit();
  }

  /** Runs `fn` as a reader and gives its outcome, flattened; otherwise as `Mutex.run`. */
  read<R>(fn: () => R): Future<Unwrapped<R>> {
    return runHolding(this.readLock(), fn);
  }

  /** Runs `fn` as the writer and gives its outcome, flattened; otherwise as `Mutex.run`. */
  write<R>(fn: () => R): Future<Unwrapped<R>> {
    return runHolding(this.writeLock(), fn);
  }

  #lock(wants: 'read' | 'write'): Future<Held> {
    const lock = this.#waiting.add(wants);
    this.#admit();
    return lock;
  }

  /** Lets in whoever may hold the lock beside those who do, in order. All are counted before the first one's callbacks run. */
  #admit(): void {
    const admitted: [Deferred<Held>, Held][] = [];
    for (let wants = this.#waiting.wanted; wants !== undefined; wants = this.#waiting.wanted) {
      if (this.#writing || (wants === 'write' && this.#readers > 0)) break;
      const waiter = this.#waiting.take();
      if (waiter === undefined) break;
      if (wants === 'write') this.#writing = true;
      else this.#readers++;
      admitted.push([waiter, new Held(() => (wants === 'write' ? this.writeUnlock() : this.readUnlock()))]);
    }
    for (const [waiter, held] of admitted) waiter.set(held);
  }

  #notHeld(method: string, who: string): ProcessError {
    return new ProcessError(
      'LOCK_NOT_HELD',
      `ReadWriteLock.${method}: ${who} holds the lock; unlock once for each lock that got READY`,
    );
  }
}
