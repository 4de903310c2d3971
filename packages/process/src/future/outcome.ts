import type { Unwrapped } from '../process.ts';
import { type Deferred, Future } from './future.ts';

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/**
 * Runs `fn` and gives `result` its outcome: what it returns, flattened, or what it throws as a failure. For a native promise
 * it returns one that settles with it and never rejects.
 */
export function runInto<R>(result: Deferred<Unwrapped<R>>, fn: () => R): PromiseLike<void> | undefined {
  try {
    const outcome: unknown = fn();
    if (outcome instanceof Future) result.associate(outcome as Future<Unwrapped<R>>);
    else if (isThenable(outcome)) {
      return outcome.then(
        (value) => void result.set(value as Unwrapped<R>),
        (error: unknown) => void result.fail(error),
      );
    } else result.set(outcome as Unwrapped<R>);
  } catch (error) {
    result.fail(error);
  }
  return undefined;
}
