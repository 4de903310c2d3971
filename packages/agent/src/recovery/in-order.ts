import { Future } from '@mezzo/process';

/** Does the work for each of them, one after the other; stops at the first that fails. */
export function inOrder<T, U>(all: Iterable<T>, work: (one: T) => Future<U>): Future<U[]> {
  const results: U[] = [];
  let done: Future<unknown> = Future.ready(undefined);
  for (const one of all) done = done.andThen(() => work(one)).map((result) => void results.push(result));
  return done.map(() => results);
}
