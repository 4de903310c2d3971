import type { Cell } from '../cell.ts';
import type { Linker } from '../extras.ts';
import { type Duration, toMilliseconds } from '../duration.ts';
import { type ErrorCode, messageOf, ProcessError } from '../errors.ts';
import { Event } from '../event.ts';
import { Deferred } from '../future/future.ts';
import type { WireSchema } from '../message.ts';
import type { Runtime } from '../runtime.ts';
import type { DoorMessage } from '../transport.ts';
import { Caller } from './caller.ts';
import { type Answer, letterOf, refuse, textOf } from './letter.ts';

export interface DoorOptions {
  /** How long the process may take to answer. Default 5 s. */
  readonly timeout?: Duration;
  /** Largest message in bytes. Default 1 MB; the broker's `max_payload` holds as well. */
  readonly maxBytes?: number;
  /** So many may wait for an answer at once; further ones are refused with MAILBOX_FULL. Default 1,000. */
  readonly maxWaiting?: number;
}

/** Frames have room for the headers and the framing besides the answer's text. */
const answerReserve = 512;

/** What a door needs of its node. */
export interface DoorNode {
  readonly maxPayload: number;
  /** Counts, and logs at a bounded rate, what was dropped. */
  rejected(peer: string, why: string): void;
}

/**
 * A process as the outside sees it: JSON messages come in by a name, become ordinary messages once they satisfy their kind's
 * schema, and the process's answer goes back as JSON. Nothing that comes in can throw into the process.
 */
export class Door implements Linker {
  readonly name: string;
  readonly cell: Cell;
  readonly #runtime: Runtime;
  readonly #node: DoorNode;
  readonly #closed: () => void;
  readonly #timeout: number;
  readonly #maxBytes: number;
  readonly #maxWaiting: number;
  #waiting = 0;

  constructor(runtime: Runtime, node: DoorNode, cell: Cell, name: string, options: DoorOptions, closed: () => void) {
    this.#runtime = runtime;
    this.#node = node;
    this.cell = cell;
    this.name = name;
    this.#closed = closed;
    this.#timeout = toMilliseconds(options.timeout ?? 5000);
    this.#maxBytes = options.maxBytes ?? 1024 * 1024;
    this.#maxWaiting = options.maxWaiting ?? 1000;
  }

  /** The process has ended. */
  notifyExited(): void {
    this.#closed();
  }

  receive(message: DoorMessage): void {
    const answer = this.#answering(message);
    if (message.data.length > this.#maxBytes) {
      const size = `${message.data.length} bytes where ${this.#maxBytes} are allowed`;
      return this.#reject(answer, 'MESSAGE_TOO_LARGE', `The message has ${size}`);
    }
    const letter = letterOf(message);
    if (typeof letter === 'string') return this.#reject(answer, 'MESSAGE_INVALID', letter);
    const { kind, body } = letter;
    const { cell } = this;
    if (cell.initialized) return this.#admit(kind, body, answer, (event) => cell.accept(event));
    // What a process takes is known once it is initialized, so the message waits in its mailbox to be checked then.
    const served = new Deferred<unknown>();
    served.future.onAbandoned(() => refuse(answer, 'PROCESS_ENDED', `The process at door '${this.name}' has ended`));
    const serve = (): void =>
      this.#admit(kind, body, answer, (event) => {
        cell.serveWithin(event);
        return true;
      });
    cell.accept(new Event('dispatch', '', undefined, serve, { result: served }));
  }

  #admit(kind: string, body: unknown, answer: Answer | undefined, enter: (event: Event) => boolean): void {
    const entry = this.cell.handlers?.get(kind) ?? this.cell.delegates?.get(kind);
    const shown = textOf(kind);
    if (entry === undefined) {
      return this.#reject(answer, 'MESSAGE_UNKNOWN', `There is no kind '${shown}' at door '${this.name}'`);
    }
    if (entry.schema === undefined) {
      const why = `The kind '${shown}' has no schema, so only processes of its own node can send it`;
      return this.#reject(answer, 'MESSAGE_LOCAL_ONLY', why);
    }
    const outcome = validate(entry.schema, body);
    if (typeof outcome === 'string') {
      return this.#reject(answer, 'MESSAGE_INVALID', `The body of '${shown}' does not satisfy its schema: ${outcome}`);
    }
    const event = (from = this.#runtime.nobody): Event => new Event('message', kind, from, outcome.value);
    if (answer === undefined) enter(event());
    else this.#call(kind, answer, (caller) => enter(event(caller.self)));
  }

  #call(kind: string, answer: Answer, enter: (caller: Caller) => boolean): void {
    if (this.#waiting >= this.#maxWaiting) {
      const why = `${this.#waiting} wait for an answer at door '${this.name}' already; try again later`;
      return refuse(answer, 'MAILBOX_FULL', why);
    }
    const caller = new Caller(
      `door-${this.#runtime.random.uuid()}`,
      this.cell.pid,
      { door: this.name, kind, timeout: this.#timeout },
      answer,
      () => this.#waiting--,
    );
    try {
      this.#runtime.spawn(caller);
    } catch (error) {
      if (!(error instanceof ProcessError)) throw error;
      return refuse(answer, error.code, `The node of door '${this.name}' is stopping`);
    }
    this.#waiting++;
    if (!enter(caller)) {
      const full = this.cell.depth >= this.cell.bound;
      if (full) caller.refuse('MAILBOX_FULL', `The mailbox behind door '${this.name}' is full; try again later`);
      else caller.refuse('PROCESS_ENDED', `The process at door '${this.name}' has ended`);
    }
  }

  #answering({ answer }: DoorMessage): Answer | undefined {
    if (answer === undefined) return undefined;
    let open = true;
    return (headers, json) => {
      if (!open) return;
      open = false;
      const data = new TextEncoder().encode(json);
      const room = this.#node.maxPayload - answerReserve;
      if (data.length <= room) return answer(headers, data);
      const why = `The answer has ${data.length} bytes where ${room} are allowed`;
      refuse((refusal, text) => answer(refusal, new TextEncoder().encode(text)), 'MESSAGE_TOO_LARGE', why);
    };
  }

  #reject(answer: Answer | undefined, code: ErrorCode, why: string): void {
    this.#node.rejected(`door ${this.name}`, `a message at a door: ${why}`);
    refuse(answer, code, why);
  }
}

/** The value, or what is wrong with it. */
function validate(schema: WireSchema<unknown>, body: unknown): { readonly value: unknown } | string {
  try {
    const outcome = schema['~standard'].validate(body);
    if (outcome instanceof Promise) {
      outcome.catch(() => undefined);
      return 'the schema is asynchronous';
    }
    if (outcome.issues === undefined) return { value: outcome.value };
    return textOf(outcome.issues[0]?.message ?? 'invalid');
  } catch (error) {
    return textOf(messageOf(error));
  }
}
