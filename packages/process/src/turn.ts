import type { Clock } from './platform/platform.ts';

/** Who a callback belongs to: an exception in it ends this owner. */
export interface Owner {
  readonly clock: Clock;
  fail(error: unknown): void;
}

// What libprocess keeps in a thread-local: whose turn it is. One isolate is one thread, so a plain variable serves.
let current: Owner | undefined;

/** The process whose turn it is; undefined outside turns, also after an `await`. */
export function currentOwner(): Owner | undefined {
  return current;
}

/** Makes `owner` the current one and returns who was, to be given back at the end of the turn. */
export function enterTurn(owner: Owner | undefined): Owner | undefined {
  const previous = current;
  current = owner;
  return previous;
}
