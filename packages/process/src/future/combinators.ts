import { toMilliseconds, type Duration } from '../duration.ts';
import { messageOf } from '../errors.ts';
import type { Clock } from '../platform/platform.ts';
import { Deferred, Future } from './future.ts';

type Values<F extends readonly Future<unknown>[]> = {
  -readonly [K in keyof F]: F[K] extends Future<infer V> ? V : never;
};

/**
 * The values of all, in the order given. FAILED with `Collect failed: …` at the first that failed or was discarded, the
 * others are left alone; abandoned at the first that is. A discard asks all of them to give up and does not wait for it.
 */
export function collect<const F extends readonly Future<unknown>[]>(futures: F): Future<Values<F>> {
  const all = gather<Values<F>>(futures);
  let missing = futures.length;
  if (missing === 0) all.set([] as unknown as Values<F>);
  for (const future of futures) {
    future.onReady(() => {
      if (--missing === 0) all.set(futures.map((one) => one.get()) as Values<F>);
    });
    future.onFailed((error) => void all.fail(new Error(`Collect failed: ${messageOf(error)}`, { cause: error })));
    future.onDiscarded(() => void all.fail(new Error('Collect failed: future discarded')));
    future.onAbandoned(() => all.abandon());
  }
  return all.future;
}

/** The futures themselves, once each of them is READY, FAILED or DISCARDED; else as `collect`. libprocess's `await`. */
export function settleAll<const F extends readonly Future<unknown>[]>(futures: F): Future<F> {
  const all = gather<F>(futures);
  let missing = futures.length;
  if (missing === 0) all.set(futures);
  for (const future of futures) {
    future.onAny(() => {
      if (--missing === 0) all.set(futures);
    });
    future.onAbandoned(() => all.abandon());
  }
  return all.future;
}

/** What stands for several futures: a discard request ends it, and goes on to each of them. */
function gather<T>(futures: readonly Future<unknown>[]): Deferred<T> {
  const all: Deferred<T> = new Deferred<T>({
    discard() {
      all.discard();
      for (const future of futures) future.discard();
    },
  });
  return all;
}

/**
 * The first that gets READY, in an object because a Future of a Future cannot be awaited. Others that fail or are discarded
 * do not matter; abandoned when none is left that could get READY. A discard does not reach the futures given.
 */
export function select<T>(futures: readonly Future<T>[]): Future<{ readonly future: Future<T> }> {
  const first: Deferred<{ readonly future: Future<T> }> = new Deferred({ discard: () => first.discard() });
  let left = futures.length;
  if (left === 0) first.abandon();
  for (const future of futures) {
    const out = (): void => {
      if (--left === 0) first.abandon();
    };
    future.onReady(() => void first.set({ future }));
    future.onFailed(out).onDiscarded(out).onAbandoned(out);
  }
  return first.future;
}

/** The same outcome, but a discard request ends here. Of a function: of what it returns. */
export function undiscardable<T>(future: Future<T>): Future<T>;
export function undiscardable<A extends unknown[], T>(fn: (...given: A) => Future<T>): (...given: A) => Future<T>;
export function undiscardable<A extends unknown[], T>(
  shielded: Future<T> | ((...given: A) => Future<T>),
): Future<T> | ((...given: A) => Future<T>) {
  return shielded instanceof Future ? shield(shielded) : (...given) => shield(shielded(...given));
}

function shield<T>(future: Future<T>): Future<T> {
  const shielded = new Deferred<T>();
  future.onReady((value) => void shielded.set(value));
  future.onFailed((error) => void shielded.fail(error));
  future.onDiscarded(() => void shielded.discard());
  future.onAbandoned(() => shielded.abandon());
  return shielded.future;
}

/** READY after the given time; a discard cancels the timer. */
export function after(duration: Duration, clock: Clock): Future<void> {
  const passed: Deferred<void> = new Deferred<void>({
    discard() {
      timer.cancel();
      passed.discard();
    },
  });
  const timer = clock.timer(toMilliseconds(duration), () => void passed.set());
  return passed.future;
}
