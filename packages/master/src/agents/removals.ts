import type { Future } from '@mezzo/process';

/** A place in the line of those that are to be given up. */
export interface Permit {
  cancel(): void;
}

/** Limits how many agents are given up in a time (agent_removal_rate_limit), so that one fault of the network is not taken for many of agents. */
export class Removals {
  readonly #acquire: () => Future<void>;
  readonly #defer: (call: () => void) => () => void;

  /**
   * @param acquire READY when the next one may be given up
   * @param defer runs a function in a turn of the master
   */
  constructor(acquire: () => Future<void>, defer: (call: () => void) => () => void) {
    this.#acquire = acquire;
    this.#defer = defer;
  }

  /** Calls back in a turn of the master, unless it is cancelled before. */
  permit(call: () => void): Permit {
    let isOpen = true;
    const permit = this.#acquire();
    permit.onReady(
      this.#defer(() => {
        if (isOpen) call();
      }),
    );
    return {
      cancel() {
        isOpen = false;
        permit.discard();
      },
    };
  }
}
