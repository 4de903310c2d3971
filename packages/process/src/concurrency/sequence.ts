import { Deferred, type Future } from '../future/future.ts';
import { runInto } from '../future/outcome.ts';
import type { Unwrapped } from '../process.ts';
import { Ring } from '../ring.ts';
import { currentOwner, enterTurn, type Owner } from '../turn.ts';

interface Item {
  readonly fn: () => unknown;
  readonly result: Deferred<unknown>;
  readonly owner: Owner | undefined;
}

/**
 * Runs functions strictly one after another: the next one starts when the outcome of the one before is there, whatever it
 * is, or when nobody is left to complete it.
 */
export class Sequence implements Disposable {
  readonly #waiting = new Ring<Item>();
  #running: Item | undefined = undefined;
  #stopped = false;

  /**
   * The outcome of `fn`, flattened. A discard before its turn has it skipped: it is DISCARDED when its turn comes. Later
   * the discard goes on to the Future that `fn` returned. `fn` runs at once if nothing else does, otherwise where the one
   * before ended: bind it with `deferred` to have it in a process. DISCARDED at once after `stop`.
   */
  add<R>(fn: () => R): Future<Unwrapped<R>> {
    const result = new Deferred<Unwrapped<R>>();
    if (this.#stopped) result.discard();
    else {
      this.#waiting.push({ fn, result: result as Deferred<unknown>, owner: currentOwner() });
      this.#serve();
    }
    return result.future;
  }

  /** Takes no more, and requests a discard of everything that was added; the one that runs may ignore it. */
  stop(): void {
    this.#stopped = true;
    const waiting = [...this.#waiting];
    for (const { result } of waiting) result.future.discard();
    this.#running?.result.future.discard();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #serve(): void {
    while (this.#running === undefined) {
      const item = this.#waiting.shift();
      if (item === undefined) return;
      this.#running = item;
      if (item.result.future.hasDiscard) {
        item.result.discard();
        this.#running = undefined;
        continue;
      }
      const previous = enterTurn(item.owner);
      runInto(item.result, item.fn);
      enterTurn(previous);
      const { future } = item.result;
      if (future.isPending) {
        const over = (): void => this.#over(item);
        future.onAny(over).onAbandoned(over);
      } else this.#running = undefined;
    }
  }

  /** What was abandoned may still be completed: the turn goes on once all the same. */
  #over(item: Item): void {
    if (this.#running !== item) return;
    this.#running = undefined;
    this.#serve();
  }
}
