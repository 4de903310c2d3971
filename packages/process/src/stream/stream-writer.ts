import type { Cell } from '../cell.ts';
import type { Belonging } from '../extras.ts';
import type { Endpoint, Endpoints } from '../endpoints.ts';
import { messageOf, ProcessGone, StreamFailed } from '../errors.ts';
import { Event, type ExitReason } from '../event.ts';
import type { Message, WireSchema } from '../message.ts';
import type { PID } from '../pid.ts';
import { Cancel, Credit, Ended, initialCredit, largestWindow, Opened } from './stream-protocol.ts';

/** What a producer may know of the stream besides what it was asked. */
export interface StreamCall {
  /**
   * Aborts when nobody reads any more: the reader left, failed or is gone with its node, or this process has ended. For what
   * an async generator awaits; without it, its `finally` blocks run only once that has come.
   */
  readonly signal: AbortSignal;
}

type Source<T> = Iterable<T> | AsyncIterable<T>;
/**
 * Gives the items of a stream, usually by a generator. Each `next` is called in a turn of the process, with credit for its
 * item; an async generator goes on outside of it after an `await`, as an interleaved handler does.
 */
export type Producer<Q, T> = (body: Q, from: PID, call: StreamCall) => Source<T>;

/** Items taken in one turn; then the others of the process have theirs. As many as the run queue lets a process serve. */
const stepLimit = 64;

/** The writing end of a stream: takes items from an iterator as far as the reader's credit goes. */
export class StreamWriter<T> implements Endpoint, Belonging, StreamCall {
  readonly pid: PID;
  /** The reader. */
  readonly to: PID;
  readonly #cell: Cell;
  readonly #endpoints: Endpoints;
  readonly #item: Message<T>;
  #controller: AbortController | undefined;
  #iterator: Iterator<T> | AsyncIterator<T> | undefined;
  #credit = initialCredit;
  /** Items that were sent. */
  #count = 0;
  /** A step is under way, or the first is yet to come. */
  #stepping = true;
  /** Nothing will be sent any more. */
  #over = false;
  /** Nor will the iterator be asked for anything. */
  #closed = false;

  constructor(cell: Cell, endpoints: Endpoints, reader: PID, item: Message<T>) {
    this.#cell = cell;
    this.#endpoints = endpoints;
    this.#item = item;
    this.to = reader;
    this.pid = endpoints.address(this);
  }

  get signal(): AbortSignal {
    const controller = (this.#controller ??= new AbortController());
    if (this.#closed) controller.abort();
    return controller.signal;
  }

  /** Begins, in a turn of the process. */
  open(source: () => Source<T>): void {
    (this.#cell.extras.belongings ??= new Set()).add(this);
    // The reader may have left in the meantime, and then it tells so.
    if (!this.#send(Opened as Message<unknown>, undefined) || this.#over) return this.#exhausted();
    try {
      this.#iterator = iteratorOf(source());
    } catch (error) {
      return this.#threw(error);
    }
    this.#step();
  }

  expose(): void {
    this.#endpoints.add(this);
  }

  schemaOf(name: string): WireSchema<unknown> | undefined {
    return name === Credit.name ? Credit.schema : name === Cancel.name ? Cancel.schema : undefined;
  }

  take(name: string, body: unknown, from: PID): boolean {
    return this.accept(new Event('message', name, from, body));
  }

  accept(event: Event): boolean {
    if (event.kind !== 'message' || this.#over || event.from?.equals(this.to) !== true) return false;
    if (event.name === Cancel.name) {
      this.#stop();
      return true;
    }
    if (event.name !== Credit.name) return false;
    this.#credit += Number(event.body);
    if (this.#credit > largestWindow) this.#breakOff(`its reader allowed more than ${largestWindow} items`);
    else this.#continue();
    return true;
  }

  /** The reader was refused, and that is the end of it for a reader of ours. */
  invalid(from: PID): void {
    if (from.equals(this.to)) this.#stop();
  }

  /** Nobody reads, or an item could not be sent: then the reader is told so in its place. */
  fail(_error: Error, peer?: string): void {
    if (peer === undefined || peer === this.to.node) this.#stop();
  }

  peerLost(): void {
    this.#stop();
  }

  ownerEnded(reason: ExitReason): void {
    const why = reason.kind === 'crashed' ? `crashed: ${reason.message}` : 'has ended';
    this.#refuse(new ProcessGone('PROCESS_ENDED', `${this.#title} broke off: the process ${why}`));
    this.#finish();
    this.#close();
  }

  /** Takes items until the credit is used up or the next one is not there yet. */
  readonly #step = (): void => {
    try {
      for (let left = stepLimit; this.#credit > 0 && !this.#over; left--) {
        if (left === 0) return this.#again();
        const result = this.#iterator?.next();
        if (result === undefined) break;
        if ('then' in result) return void result.then(this.#later, this.#threw);
        this.#take(result);
      }
    } catch (error) {
      this.#threw(error);
    }
    this.#stepping = false;
  };

  /** An item of an async iterator has come; what follows is again a turn of the process. */
  readonly #later = (result: IteratorResult<T>): void => {
    this.#take(result);
    this.#stepping = false;
    this.#continue();
  };

  #continue(): void {
    if (this.#stepping || this.#over || this.#credit === 0) return;
    this.#stepping = true;
    this.#again();
  }

  #again(): void {
    this.#cell.runtime.delivery.dispatch(this.#cell.pid, this.#step, '', undefined);
  }

  #take(result: IteratorResult<T>): void {
    if (this.#over) return;
    if (result.done === true) {
      this.#send(Ended as Message<unknown>, this.#count);
      this.#exhausted();
      return;
    }
    this.#credit--;
    this.#count++;
    if (!this.#send(this.#item as Message<unknown>, result.value) && !this.#over) {
      this.#breakOff(`item ${this.#count} could not be sent: has '${this.#item.name}' a schema?`);
    }
  }

  /** So an iterator ends that needs no closing. */
  readonly #threw = (error: unknown): void => {
    this.#refuse(new StreamFailed('STREAM_FAILED', `${this.#title} failed: ${messageOf(error)}`, { cause: error }));
    this.#exhausted();
  };

  #exhausted(): void {
    this.#iterator = undefined;
    this.#finish();
    this.#close();
  }

  #breakOff(why: string): void {
    this.#refuse(new StreamFailed('STREAM_FAILED', `${this.#title} broke off: ${why}`));
    this.#stop();
  }

  get #title(): string {
    return `The stream of '${this.#item.name}' from ${this.#cell.pid.toString()}`;
  }

  #send(kind: Message<unknown>, body: unknown): boolean {
    return this.#cell.runtime.delivery.message(this.to, kind, body, this.pid);
  }

  /** Tells the reader that no more will come, and why. */
  #refuse(error: Error): void {
    if (!this.#over) this.#cell.runtime.delivery.refuse(this.to, error);
  }

  /** Nobody reads any more. The iterator is closed in a turn of the process: its `finally` blocks are its code. */
  #stop(): void {
    if (this.#over) return;
    this.#finish();
    this.#cell.runtime.delivery.dispatch(this.#cell.pid, this.#close, '', undefined);
  }

  #finish(): void {
    this.#over = true;
    this.#endpoints.remove(this);
  }

  readonly #close = (): void => {
    if (this.#closed) return;
    this.#over = this.#closed = true;
    if (!this.#cell.ended) this.#cell.extras.belongings?.delete(this);
    this.#controller?.abort();
    try {
      const closing = this.#iterator?.return?.();
      if (closing !== undefined && 'then' in closing) closing.then(undefined, this.#unclosable);
    } catch (error) {
      this.#unclosable(error);
    }
  };

  readonly #unclosable = (error: unknown): void => {
    this.#cell.runtime.report(error, `a stream of ${this.#cell.pid.toString()} threw while it was closed`);
  };
}

function iteratorOf<T>(source: Source<T>): Iterator<T> | AsyncIterator<T> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}
