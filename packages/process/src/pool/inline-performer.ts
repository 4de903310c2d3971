import type { Transferable } from 'node:worker_threads';

import type { Clock } from '../platform/platform.ts';
import { carry } from './carried-error.ts';
import type { Performer } from './performer.ts';
import { type Call, callWork, type Outcome } from './work.ts';

/** Performs work for a simulation: in this thread, in later turns of the virtual clock, in the order of the calls. */
export class InlinePerformer implements Performer {
  readonly #clock: Clock;
  #module: object = {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async perform(call: Call, transfer: readonly Transferable[], abort: AbortSignal): Promise<Outcome> {
    return call.name === undefined ? this.#load(call.module) : this.#perform(call.name, call.argument, transfer, abort);
  }

  async close(): Promise<void> {}

  async #load(module: string): Promise<Outcome> {
    let loading = true;
    // Modules come from the real disk in real time: virtual time, which knows nothing of that, must not pass meanwhile.
    const hold = (): void => void (loading && this.#clock.timer(0, hold));
    hold();
    try {
      this.#module = (await import(module)) as object;
      return { kind: 'done', value: undefined };
    } catch (error) {
      return { kind: 'unloadable', error: carry(error) };
    } finally {
      loading = false;
    }
  }

  /** What goes to a thread is cloned, so it is here. */
  #perform(name: string, given: unknown, transfer: readonly Transferable[], abort: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#clock.timer(0, () => {
        if (abort.aborted) return;
        try {
          const argument = structuredClone(given, { transfer: [...transfer] });
          resolve(callWork(this.#module, name, argument));
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}
