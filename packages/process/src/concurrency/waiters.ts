import { Deferred, type Discardable, type Future } from '../future/future.ts';

/** One place in a line. */
class Waiter<T, W> implements Discardable {
  readonly deferred: Deferred<T>;
  readonly wants: W;
  previous: Waiter<T, W> | undefined = undefined;
  next: Waiter<T, W> | undefined = undefined;
  /** Undefined once it has left, for whatever reason. */
  line: Waiters<T, W> | undefined;

  constructor(line: Waiters<T, W>, wants: W) {
    this.line = line;
    this.wants = wants;
    this.deferred = new Deferred<T>(this);
  }

  /** Too late for one that was taken: what it waited for is its own already, though its callbacks may not have run yet. */
  discard(): void {
    this.line?.dismiss(this);
  }
}

/**
 * Who waits for something, first come first served. A waiter whose future is discarded leaves at once and is DISCARDED, so
 * nothing is ever handed to somebody who does not want it any more.
 *
 * @typeParam W what a waiter wants, where waiters differ.
 */
export class Waiters<T, W = void> {
  // Linked both ways: leaving from the middle must not cost a walk, nor leave a hole that grows.
  #first: Waiter<T, W> | undefined = undefined;
  #last: Waiter<T, W> | undefined = undefined;
  readonly #onDismissed: (() => void) | undefined;

  /** @param onDismissed runs after a waiter was discarded. */
  constructor(onDismissed?: () => void) {
    this.#onDismissed = onDismissed;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** What the one who has waited longest wants; undefined if nobody waits. */
  get wanted(): W | undefined {
    return this.#first?.wants;
  }

  add(wants: W): Future<T> {
    const waiter = new Waiter(this, wants);
    waiter.previous = this.#last;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    return waiter.deferred.future;
  }

  /** Takes the one who has waited longest out of the line; the caller owes it an outcome. */
  take(): Deferred<T> | undefined {
    const waiter = this.#first;
    if (waiter === undefined) return undefined;
    this.#remove(waiter);
    return waiter.deferred;
  }

  /** Everybody gets `value`. */
  setAll(value: T): void {
    for (let waiter = this.take(); waiter !== undefined; waiter = this.take()) waiter.set(value);
  }

  discardAll(): void {
    for (let waiter = this.take(); waiter !== undefined; waiter = this.take()) waiter.discard();
  }

  /** @internal */
  dismiss(waiter: Waiter<T, W>): void {
    this.#remove(waiter);
    waiter.deferred.discard();
    this.#onDismissed?.();
  }

  #remove(waiter: Waiter<T, W>): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    waiter.previous = waiter.next = waiter.line = undefined;
  }
}
