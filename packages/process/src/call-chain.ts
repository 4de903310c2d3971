import type { PID } from './pid.ts';

/** Callers a chain names at most; of a longer one the oldest are forgotten, and a cycle through them ends by timeout. */
export const chainLimit = 32;

/**
 * Who waits for whom: the process that asked, the turn in which it did, and the chain that had asked it. Reaching a process
 * that is held by a turn of the chain can never be answered.
 */
export class CallChain {
  readonly pid: PID;
  /** Number of the turn among the asking turns of the process: a later hold of the same process is another matter. */
  readonly turn: number;
  readonly caller: CallChain | undefined;
  readonly length: number;

  constructor(pid: PID, turn: number, caller: CallChain | undefined) {
    this.pid = pid;
    this.turn = turn;
    this.caller = caller === undefined || caller.length < chainLimit ? caller : withoutOldest(caller);
    this.length = 1 + (this.caller?.length ?? 0);
  }

  /** Whether the process's turn of this number waits, directly or not, for what this chain came with. */
  holds(pid: PID, turn: number): boolean {
    return (this.turn === turn && this.pid.equals(pid)) || this.caller?.holds(pid, turn) === true;
  }

  /** The latest caller first. */
  *[Symbol.iterator](): Generator<CallChain> {
    yield this;
    if (this.caller !== undefined) yield* this.caller;
  }

  /** `a@n -> b@n`: who asked first comes first. */
  toString(): string {
    return [...this]
      .map(({ pid }) => pid.toString())
      .reverse()
      .join(' -> ');
  }
}

function withoutOldest(chain: CallChain): CallChain | undefined {
  const links = [...chain].slice(0, -1);
  let shortened: CallChain | undefined;
  for (const { pid, turn } of links.reverse()) shortened = new CallChain(pid, turn, shortened);
  return shortened;
}
