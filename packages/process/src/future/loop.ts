import type { LocalPID } from '../pid.ts';
import type { Process } from '../process.ts';
import { dispatch, type Runtime } from '../runtime.ts';
import { currentOwner, enterTurn } from '../turn.ts';
import { Deferred, type Discardable, Future } from './future.ts';
import { isThenable } from './outcome.ts';

/** What a loop's body says: go on, or end with a value. */
export type ControlFlow<V> = { readonly ends: false } | { readonly ends: true; readonly value: V };

/** The loop goes on with the next iteration. */
export const Continue = { ends: false } as const;

/** The loop ends, READY with `value`. */
export function Break(): ControlFlow<void>;
export function Break<V>(value: V): ControlFlow<V>;
export function Break(value?: unknown): ControlFlow<unknown> {
  return { ends: true, value };
}

/** Where the iterations run: in turns of a process, or where the caller is and then where what they wait for is completed. */
export type LoopPlace = { readonly on: LocalPID<Process> } | { readonly runtime: Runtime };

export interface LoopSteps<T, V> {
  /** Gives the next value. */
  readonly iterate: () => T | Future<T> | PromiseLike<T>;
  /** Takes it and says whether to go on. */
  readonly body: (value: T) => ControlFlow<V> | Future<ControlFlow<V>> | PromiseLike<ControlFlow<V>>;
}

/** Iterations without waiting after which the event loop gets its turn: as many as a runtime serves events in a row. */
const stretch = 1024;

class Running<T, V> implements Discardable {
  readonly result: Deferred<V> = new Deferred<V>(this);
  readonly #steps: LoopSteps<T, V>;
  readonly #place: LoopPlace;
  readonly #owner = currentOwner();
  /** Of the iteration under way, if it has got as far as the body. */
  #value: T | undefined = undefined;
  #inBody = false;
  /** What the last step gave and was not there yet. */
  #blockedOn: Future<unknown> | undefined = undefined;

  constructor(steps: LoopSteps<T, V>, place: LoopPlace) {
    this.#steps = steps;
    this.#place = place;
  }

  discard(): void {
    this.#blockedOn?.discard();
  }

  /** Goes on in the right place. */
  go(): void {
    const place = this.#place;
    if ('on' in place) {
      const turn = dispatch(place.on, (process) => this.#run(process.cell.runtime));
      turn.onAbandoned(() => this.result.abandon());
    } else this.#run(place.runtime);
  }

  /** As far as it gets without waiting. */
  #run(runtime: Runtime): void {
    for (let steps = 2 * stretch; steps > 0; steps--) {
      let given: unknown;
      try {
        given = this.#blockedOn ?? this.#step();
      } catch (error) {
        return void this.result.fail(error);
      }
      this.#blockedOn = undefined;
      if (isThenable(given)) {
        const future = given instanceof Future ? given : Future.from(given);
        if (!this.#isThere(future)) return;
        given = future.get();
      }
      // What the steps give has the type of the steps.
      if (!this.#inBody) this.#value = given as T;
      else if (this.#hasEnded(given as ControlFlow<V>)) return;
      this.#inBody = !this.#inBody;
    }
    runtime.platform.loop.macrotask(() => this.#goOn(runtime));
  }

  #step(): unknown {
    if (!this.#inBody) return this.#steps.iterate();
    const value = this.#value as T;
    this.#value = undefined;
    return this.#steps.body(value);
  }

  /** Otherwise the loop has ended with it, or goes on when it is there. */
  #isThere(future: Future<unknown>): boolean {
    if (this.result.future.hasDiscard) future.discard();
    switch (future.state) {
      case 'ready':
        return true;
      case 'failed':
        this.result.fail(future.failure());
        return false;
      case 'discarded':
        this.result.discard();
        return false;
      case 'pending':
        this.#blockedOn = future;
        future.onAny(() => this.go()).onAbandoned(() => this.result.abandon());
        return false;
    }
  }

  #hasEnded(flow: ControlFlow<V>): boolean {
    if (flow.ends) this.result.set(flow.value);
    return flow.ends;
  }

  #goOn(runtime: Runtime): void {
    const previous = enterTurn(this.#owner);
    // What the iterations send must leave, and a simulation must see that it is not settled yet.
    runtime.queue.wake();
    this.go();
    enterTurn(previous);
  }
}

/**
 * Calls `iterate` and `body` in turn until the body says `Break(value)`; both may give a Future or a promise. Values that are
 * there are taken in a plain loop, which lets timers, sockets and other processes run after every 1,024 iterations.
 *
 * FAILED or DISCARDED with the first step that is, FAILED with what a step throws, and abandoned with the Future it waits for
 * or the process it runs in. A discard goes to the Future it waits for, and to each one it waits for later: the loop is
 * DISCARDED only if that one is, so the body may still end it with a value.
 *
 * Throws PROCESS_NOT_FOUND if `on` is not an address that `spawn` returned.
 */
export function loop<T, V>(options: LoopPlace & LoopSteps<T, V>): Future<V> {
  const running = new Running<T, V>(options, options);
  running.go();
  return running.result.future;
}
