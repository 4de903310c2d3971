import { isEndpoint } from '../endpoints.ts';
import type { Discardable } from '../future/future.ts';
import type { PID } from '../pid.ts';

/** What processes here work on for askers at other nodes, so that those can call it off. */
export class RemoteCalls {
  /** By node, then by the number of the ask. */
  readonly #open = new Map<string, Map<number, Discardable>>();

  /** Questions that are being worked on. */
  get size(): number {
    let size = 0;
    for (const calls of this.#open.values()) size += calls.size;
    return size;
  }

  /** Gives what ends it. */
  add(from: PID, call: Discardable): () => void {
    const { node, generation } = from;
    if (!isEndpoint(from)) return () => undefined;
    let calls = this.#open.get(node);
    if (calls === undefined) this.#open.set(node, (calls = new Map()));
    calls.set(generation, call);
    return () => {
      const open = this.#open.get(node);
      if (open?.get(generation) !== call) return;
      open.delete(generation);
      if (open.size === 0) this.#open.delete(node);
    };
  }

  cancelled(node: string, generation: number): void {
    const calls = this.#open.get(node);
    const call = calls?.get(generation);
    if (calls?.delete(generation) === true && calls.size === 0) this.#open.delete(node);
    call?.discard();
  }

  /** Nobody is left there to take an answer. */
  lost(node: string): void {
    const calls = this.#open.get(node);
    this.#open.delete(node);
    for (const call of calls?.values() ?? []) call.discard();
  }
}
