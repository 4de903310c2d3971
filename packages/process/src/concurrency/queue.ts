import { settleAll } from '../future/combinators.ts';
import { Future } from '../future/future.ts';
import { Ring } from '../ring.ts';
import { Waiters } from './waiters.ts';

/**
 * An unbounded FIFO between those who put and those who get. A `get` that is discarded leaves the line and loses no item.
 * `for await` takes items until the queue is stopped.
 */
export class Queue<T> implements Disposable {
  readonly #items = new Ring<T>();
  readonly #getters = new Waiters<T>();
  #stopped = false;

  /** Items that nobody has got yet. */
  get size(): number {
    return this.#items.size;
  }

  /** Hands the item to the `get` that has waited longest, or keeps it. False once the queue is stopped: it took nothing. */
  put(item: T): boolean {
    if (this.#stopped) return false;
    const getter = this.#getters.take();
    if (getter === undefined) this.#items.push(item);
    else getter.set(item);
    return true;
  }

  /** The next item, READY at once if there is one; DISCARDED if there is none and the queue is stopped. */
  get(): Future<T> {
    // An item may itself be undefined, so its absence is told by the size.
    if (this.#items.size > 0) return Future.ready(this.#items.shift() as T);
    const item = this.#getters.add();
    if (this.#stopped) item.discard();
    return item;
  }

  /** Takes no more items and discards every waiting `get`. What is in the queue can still be got. */
  stop(): void {
    this.#stopped = true;
    this.#getters.discardAll();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const item = this.get();
      await settleAll([item]);
      if (!item.isReady) return;
      yield item.get();
    }
  }
}
