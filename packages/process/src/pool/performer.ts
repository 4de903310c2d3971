import type { Transferable } from 'node:worker_threads';

import type { Call, Outcome } from './work.ts';

/** Where work is done: in worker threads, or inline in a simulation. */
export interface Performer {
  /**
   * Rejects if whoever performs the call dies, or if its argument cannot be cloned (DataCloneError). After an abort the call
   * may end or not; nobody looks any more.
   */
  perform(call: Call, transfer: readonly Transferable[], abort: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}
