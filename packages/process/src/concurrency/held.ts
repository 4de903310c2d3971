import { Deferred, type Future } from '../future/future.ts';
import { runInto } from '../future/outcome.ts';
import type { Unwrapped } from '../process.ts';

/** A lock that somebody holds: `using held = await mutex.lock()` gives it back at the end of the block. */
export class Held implements Disposable {
  #unlock: (() => void) | undefined;

  constructor(unlock: () => void) {
    this.#unlock = unlock;
  }

  /** Gives the lock back; further calls do nothing. */
  [Symbol.dispose](): void {
    const unlock = this.#unlock;
    this.#unlock = undefined;
    unlock?.();
  }
}

/** Runs `fn` once the lock is had, and gives it back when its outcome is there, or when nobody is left to complete it. */
export function runHolding<R>(lock: Future<Held>, fn: () => R): Future<Unwrapped<R>> {
  const result = new Deferred<Unwrapped<R>>(lock);
  lock.onDiscarded(() => void result.discard());
  // Not `andThen`: a discard that comes when the lock is had already must not keep it from being given back.
  lock.onReady((held) => {
    const release = (): void => held[Symbol.dispose]();
    runInto(result, fn);
    result.future.onAny(release).onAbandoned(release);
  });
  return result.future;
}
