import { ProcessError } from './errors.ts';
import type { Event } from './event.ts';

/** Where a send ends up inside a runtime: a process, or an ask waiting for its answer. */
export interface Receiver {
  /** False if it took nothing: it ended, or its mailbox is full. */
  accept(event: Event): boolean;
}

/**
 * The address of a process. Exact (node incarnation and process generation known) when it comes from `spawn`, a message's
 * sender or a link; bare (`id@node`) otherwise, and then it resolves on arrival.
 */
export class PID {
  readonly id: string;
  readonly node: string;
  /** 0 in a bare address. */
  readonly incarnation: number;
  /** 0 in a bare address. */
  readonly generation: number;
  /** @internal The way to a local process without a look-up. */
  receiver: Receiver | undefined;

  constructor(id: string, node: string, incarnation = 0, generation = 0, receiver?: Receiver) {
    this.id = id;
    this.node = node;
    this.incarnation = incarnation;
    this.generation = generation;
    this.receiver = receiver;
  }

  get isExact(): boolean {
    return this.generation !== 0;
  }

  /** The same process of the same incarnation and generation. */
  equals(other: PID): boolean {
    return (
      this === other ||
      (this.id === other.id &&
        this.node === other.node &&
        this.incarnation === other.incarnation &&
        this.generation === other.generation)
    );
  }

  /** `id@node`: what people read. */
  toString(): string {
    return `${this.id}@${this.node}`;
  }

  /** The whole address as text, for message bodies: `id@node` or `id@node#incarnation.generation`. */
  get address(): string {
    return this.isExact ? `${this.id}@${this.node}#${this.incarnation}.${this.generation}` : this.toString();
  }

  toJSON(): string {
    return this.address;
  }

  /** Reads what `address` or `toString` gave. Throws PID_INVALID. */
  static parse(text: string): PID {
    const match = /^(.+)@([A-Za-z0-9_-]+)(?:#(\d+)\.(\d+))?$/s.exec(text);
    const [, id, node, incarnation, generation] = match ?? [];
    if (id === undefined || node === undefined) {
      throw new ProcessError(
        'PID_INVALID',
        `Invalid process address '${text}': expected id@node or id@node#incarnation.generation`,
      );
    }
    return new PID(id, node, Number(incarnation ?? 0), Number(generation ?? 0));
  }
}

/** The address of a process of this runtime, as `spawn` returns it: it alone accepts `dispatch`. */
export class LocalPID<P> extends PID {
  // The process class lives in the type only, so that dispatch can infer it.
  declare readonly process?: P;
}

/** Node names are subject tokens. Throws NODE_NAME_INVALID. */
export function checkNodeName(name: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(name)) return name;
  throw new ProcessError(
    'NODE_NAME_INVALID',
    `Invalid node name '${name}': expected 1 to 128 letters, digits, '-' or '_', because it becomes part of a NATS subject`,
  );
}
