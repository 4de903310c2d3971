import { type Asking, asking, type AskingOptions, type Streaming, streaming, type Telling, telling } from './calls.ts';
import { ProcessError } from './errors.ts';
import type { Event } from './event.ts';

const address = /^(.+)@([A-Za-z0-9_-]+)(?:#(\d+)\.(\d+))?$/s;

/** Whether text reads as a whole address, so that it cannot stand for an id alone. */
export function isAddress(text: string): boolean {
  return address.test(text);
}

/** Where a send ends up inside a runtime: a process, or an ask waiting for its answer. */
export interface Receiver {
  /** False if it took nothing: it ended, or its mailbox is full. */
  accept(event: Event): boolean;
  /** The same for a message that has nothing but a body and a sender. */
  take(name: string, body: unknown, from: PID): boolean;
  /** Of an ask or stream: makes its address reachable from elsewhere. A process's always is. */
  expose?(): void;
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
  /** 0 in a bare address. @internal Of an ask or stream it is set when its address first leaves the runtime. */
  generation: number;
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
        this.generation === other.generation &&
        (this.generation !== 0 || this.receiver === other.receiver))
    );
  }

  /** `id@node`: what people read. */
  toString(): string {
    return `${this.id}@${this.node}`;
  }

  /** The whole address as text, for message bodies: `id@node` or `id@node#incarnation.generation`. */
  get address(): string {
    this.receiver?.expose?.();
    return this.isExact ? `${this.id}@${this.node}#${this.incarnation}.${this.generation}` : this.toString();
  }

  toJSON(): string {
    return this.address;
  }

  /** Reads what `address` or `toString` gave. Throws PID_INVALID. */
  static parse(text: string): PID {
    const match = address.exec(text);
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

  /**
   * The methods of the process: `await pid.ask.add(1)` runs `add` in a turn of it and gives its result. Fails with AskTimeout
   * after 5 s; `asking` sets another limit.
   */
  get ask(): Asking<P> {
    return asking(this, {});
  }

  asking(options: AskingOptions): Asking<P> {
    return asking(this, options);
  }

  /** `pid.tell.add(1)` runs `add` in a turn of the process; nobody waits for its result. */
  get tell(): Telling<P> {
    return telling(this);
  }

  /** `for await (const line of pid.stream.lines())` reads a generator method; each item is made in a turn of the process. */
  get stream(): Streaming<P> {
    return streaming(this);
  }
}

/** Node names are subject tokens. Throws NODE_NAME_INVALID. */
export function checkNodeName(name: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(name)) return name;
  throw new ProcessError(
    'NODE_NAME_INVALID',
    `Invalid node name '${name}': expected 1 to 128 letters, digits, '-' or '_', because it becomes part of a NATS subject`,
  );
}
