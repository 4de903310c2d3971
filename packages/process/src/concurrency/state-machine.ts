import { ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import { Waiters } from './waiters.ts';

/**
 * A state that changes only from where it is expected to be. What takes time is a state of its own: transition into it,
 * and out of it when it is over.
 */
export class StateMachine<S extends string | number> {
  #state: S;
  readonly #waiting = new Map<S, Waiters<void>>();

  constructor(initial: S) {
    this.#state = initial;
  }

  get state(): S {
    return this.#state;
  }

  is(state: S): boolean {
    return this.#state === state;
  }

  /** READY at once in that state, otherwise when it is entered next. */
  when(state: S): Future<void> {
    if (this.#state === state) return Future.ready(undefined);
    const waiting = this.#waiting.get(state) ?? new Waiters<void>();
    this.#waiting.set(state, waiting);
    return waiting.add();
  }

  /**
   * Sets the state, completes who waits for it, then runs `effect` and returns what it returns, as it is; if it fails, the
   * state stays the new one. Throws STATE_INVALID, with `message` if given, unless the state is `from`.
   */
  transition(from: S, to: S, message?: string): void;
  transition<R>(from: S, to: S, effect: () => R, message?: string): R;
  transition(from: S, to: S, given?: string | (() => unknown), message?: string): unknown {
    const effect = typeof given === 'function' ? given : undefined;
    if (this.#state !== from) {
      const text = typeof given === 'string' ? given : message;
      throw new ProcessError(
        'STATE_INVALID',
        text ?? `Invalid current state '${this.#state}': the transition to '${to}' starts at '${from}'`,
      );
    }
    this.#state = to;
    const waiting = this.#waiting.get(to);
    // A callback may lead out of the state and wait for it anew: that is for the next time.
    this.#waiting.delete(to);
    waiting?.setAll();
    return effect?.();
  }
}
