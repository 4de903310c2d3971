import type { PID } from '@mezzo/process';

/** Whom an allocator listens to: one master at a time, until that is gone or started again. */
export class ServedMaster {
  readonly #expected: PID | undefined;
  #pid: PID | undefined;

  /** @param expected the only address it takes a master from. undefined: whoever comes while it has none. */
  constructor(expected: PID | undefined) {
    this.#expected = expected;
  }

  get pid(): PID | undefined {
    return this.#pid;
  }

  begin(pid: PID): void {
    this.#pid = pid;
  }

  end(): void {
    this.#pid = undefined;
  }

  is(from: PID): boolean {
    return this.#pid?.equals(from) === true;
  }

  /** Who asks has an address of its own for the answer: it is the master's node that counts. */
  isWith(from: PID): boolean {
    return this.#pid?.node === from.node && this.#pid.incarnation === from.incarnation;
  }

  /** Why it cannot be the master, or undefined. */
  faultOf(from: PID): string | undefined {
    const [expected, present] = [this.#expected, this.#pid];
    const address = from.toString();
    if (expected !== undefined && expected.toString() !== address)
      return `it is from ${address}, not from ${expected.toString()}`;
    if (present === undefined || present.equals(from) || isSuccessor(from, present)) return undefined;
    return `this allocator serves ${present.address}`;
  }
}

/** Started later under the same address. */
function isSuccessor(pid: PID, of: PID): boolean {
  if (pid.toString() !== of.toString()) return false;
  if (pid.incarnation !== of.incarnation) return pid.incarnation > of.incarnation;
  return pid.generation > of.generation;
}
