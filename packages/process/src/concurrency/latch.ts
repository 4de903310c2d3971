import { Future } from '../future/future.ts';
import { Waiters } from './waiters.ts';

/** Something that happens once and stays so. */
export class Latch {
  #triggered = false;
  readonly #waiting = new Waiters<void>();

  /** True only the first time. */
  trigger(): boolean {
    if (this.#triggered) return false;
    this.#triggered = true;
    this.#waiting.setAll();
    return true;
  }

  /** READY once it has happened. Each call gives a Future of its own: a discard of one is no matter of the others. */
  triggered(): Future<void> {
    return this.#triggered ? Future.ready(undefined) : this.#waiting.add();
  }
}
