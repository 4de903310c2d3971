import { ProcessError } from '../errors.ts';
import type { Future } from '../future/future.ts';
import { Latch } from './latch.ts';

/** A latch that takes so many steps. */
export class CountDownLatch {
  readonly #latch = new Latch();
  #left: number;

  /** @param count steps to go, 0 or more: with 0 it is triggered from the start. Throws COUNT_INVALID. */
  constructor(count = 1) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new ProcessError(
        'COUNT_INVALID',
        `Invalid count ${count} of a CountDownLatch: expected a whole number, 0 or more`,
      );
    }
    this.#left = count;
    if (count === 0) this.#latch.trigger();
  }

  /** One step; nothing happens at 0. */
  decrement(): void {
    if (this.#left > 0 && --this.#left === 0) this.#latch.trigger();
  }

  /** READY once the count is 0. */
  triggered(): Future<void> {
    return this.#latch.triggered();
  }
}
