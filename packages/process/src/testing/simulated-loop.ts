/* oxlint-disable no-restricted-globals -- a simulated world turns by the real event loop */
import type { Loop } from '../platform/platform.ts';
import { Ring } from '../ring.ts';

// The tripwire replaces the global ones, also for the turns in which a process makes the event loop go on.
const realSetImmediate = setImmediate;
const realQueueMicrotask = queueMicrotask;

/**
 * The event loop of a simulated world. It counts what was queued and has not run, so that a step of virtual time costs one
 * turn of the real loop, in which every promise that can go on goes on, and more only if something asks for it.
 */
export class SimulatedLoop implements Loop {
  readonly #microtasks = new Ring<() => void>(64);
  readonly #macrotasks = new Ring<() => void>(64);
  #turns = 0;

  microtask(run: () => void): void {
    this.#microtasks.push(run);
    realQueueMicrotask(this.#runMicrotask);
  }

  macrotask(run: () => void): void {
    this.#macrotasks.push(run);
    realSetImmediate(this.#runMacrotask);
  }

  /** Whether something is queued. */
  get busy(): boolean {
    return this.#microtasks.size > 0 || this.#macrotasks.size > 0;
  }

  /** How many turns somebody waited for. */
  get turns(): number {
    return this.#turns;
  }

  /** Fulfilled after one turn of the real event loop. */
  turn(): Promise<void> {
    this.#turns++;
    return new Promise((resolve) => void realSetImmediate(resolve));
  }

  /** In the next turn, without counting as work. */
  later(run: () => void): void {
    realSetImmediate(run);
  }

  readonly #runMicrotask = (): void => this.#microtasks.shift()?.();
  readonly #runMacrotask = (): void => this.#macrotasks.shift()?.();
}
