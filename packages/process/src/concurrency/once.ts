import { Future } from '../future/future.ts';
import { Latch } from './latch.ts';

/** Lets the first caller do something while the others wait until it is done. */
export class Once {
  readonly #done = new Latch();
  #started = false;

  /** READY with false for the first caller, who must call `done`; with true for all others, once it did. */
  once(): Future<boolean> {
    if (this.#started) return this.#done.triggered().map(() => true);
    this.#started = true;
    return Future.ready(false);
  }

  /** Whoever waits need not any more. Nothing happens the second time, or before the first `once`. */
  done(): void {
    if (this.#started) this.#done.trigger();
  }
}
