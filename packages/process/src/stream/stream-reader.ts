import type { Cell } from '../cell.ts';
import type { Belonging } from '../extras.ts';
import { type Duration, toMilliseconds } from '../duration.ts';
import type { Endpoint, Endpoints } from '../endpoints.ts';
import { AskTimeout, FutureDiscarded, OutcomeUnknown, ProcessError, ProcessGone, StreamFailed } from '../errors.ts';
import { Event } from '../event.ts';
import type { Message, StreamRequest, WireSchema } from '../message.ts';
import type { PID } from '../pid.ts';
import type { Timer } from '../platform/platform.ts';
import { Ring } from '../ring.ts';
import type { Runtime } from '../runtime.ts';
import { Cancel, Credit, Ended, initialCredit, largestWindow, Opened } from './stream-protocol.ts';

export interface StreamOptions {
  /**
   * Items the producer may be ahead: on their way, or waiting here unread. There it pauses. 16 to 65,536; default 64, of
   * which a round trip should not take longer than the reader takes for 32.
   */
  readonly window?: number;
  /** In which the producer has to begin; its first item may take any time. Default 5 s. */
  readonly timeout?: Duration;
  /** Its abort ends the stream with FutureDiscarded, and tells the producer. What was not read is dropped. */
  readonly signal?: AbortSignal;
}

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The reading end of a stream, an async iterator: `for await (const item of runtime.stream(…))`. Leaving the loop tells the
 * producer to stop. That it ends means that every item was read. Else it throws, once, after the items that had come:
 *
 * - ProcessGone: there is no such process, it ended in the midst of the stream, or the reading process itself has ended
 * - AskTimeout: the producer did not begin in time
 * - StreamFailed: the producer threw, or broke the rules
 * - OutcomeUnknown: the session to its node broke
 * - FutureDiscarded: the signal aborted
 * - WaitCycle: the producer waits for this very handler
 * - ProcessError: MESSAGE_INVALID or MESSAGE_TOO_LARGE (an item that does not satisfy the schema, or could not be sent),
 *   MESSAGE_LOCAL_ONLY (items without a schema from another node), UNEXPECTED_REPLY (an answer that is no stream)
 */
export class StreamReader<T> implements Endpoint, Belonging, AsyncIterableIterator<T>, AsyncDisposable {
  readonly pid: PID;
  /** The process that was asked; once it is known, the other end of the stream. */
  to: PID;
  readonly #runtime: Runtime;
  readonly #endpoints: Endpoints;
  /** For messages: the kind and the process. */
  readonly #title: string;
  readonly #item: Message<T>;
  readonly #window: number;
  readonly #buffer = new Ring<T>(4);
  readonly #waiting: Waiting<T>[] = [];
  readonly #owner: Cell | undefined;
  readonly #timer: Timer;
  #open = false;
  /** Items the producer may still send, as far as it was told. */
  #granted = initialCredit;
  /** Items that came. */
  #count = 0;
  /** It is over once the buffer is read; with an error if it failed. */
  #end: { readonly error: unknown } | undefined;
  /** Takes the listener off the signal, which may outlive the stream by far. */
  #letGo: () => void = () => undefined;

  /** @param owner the process that reads, if one does: the stream ends with it. */
  constructor(
    runtime: Runtime,
    endpoints: Endpoints,
    to: PID,
    kind: Pick<StreamRequest<unknown, T>, 'name' | 'item'>,
    options: StreamOptions,
    owner: Cell | undefined,
  ) {
    const window = options.window ?? 64;
    if (!Number.isSafeInteger(window) || window < initialCredit || window > largestWindow) {
      throw new ProcessError(
        'WINDOW_INVALID',
        `Invalid stream window ${window}: expected a whole number of items from ${initialCredit} to ${largestWindow}`,
      );
    }
    const timeout = toMilliseconds(options.timeout ?? '5s');
    this.#runtime = runtime;
    this.#endpoints = endpoints;
    this.to = to;
    this.#title = `'${kind.name}' of ${to.toString()}`;
    this.#item = kind.item;
    this.#window = window;
    this.pid = endpoints.address(this);
    this.#owner = owner;
    this.#timer = runtime.clock.timer(timeout, () =>
      this.#leave(new AskTimeout('ASK_TIMEOUT', `The stream ${this.#title} did not begin within ${timeout} ms`)),
    );
    if (owner?.ended === true) this.ownerEnded();
    else if (owner !== undefined) (owner.extras.belongings ??= new Set()).add(this);
    if (this.#end === undefined) this.#abortOn(options.signal);
  }

  /** @internal Asks the producer to begin. */
  open(kind: Message<unknown>, body: unknown): void {
    if (
      this.#end !== undefined ||
      this.#runtime.delivery.message(this.to, kind, body, this.pid, this.#owner?.callChain)
    )
      return;
    // A refusal may have told more than that it was one; then this tells nothing.
    this.#finish(
      new ProcessGone(
        'PROCESS_NOT_FOUND',
        `${this.to.toString()} could not be asked '${kind.name}': there is no such process, it has ended, or its mailbox is full`,
      ),
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#buffer.size > 0) {
      const value = this.#buffer.shift() as T;
      this.#grant();
      return Promise.resolve({ done: false, value });
    }
    const end = this.#end;
    if (end === undefined) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
    if (end.error === undefined) return Promise.resolve({ done: true, value: undefined });
    // The error is thrown once; after it an iterator is just over.
    this.#end = { error: undefined };
    return Promise.reject(end.error);
  }

  /** Tells the producer to stop, and forgets what was not read. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#drop();
    this.#leave(undefined);
    this.#end = { error: undefined };
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  // ---- what comes in

  expose(): void {
    if (this.#end === undefined) this.#endpoints.add(this);
  }

  schemaOf(name: string): WireSchema<unknown> | undefined {
    if (name === this.#item.name) return this.#item.schema;
    return name === Opened.name ? Opened.schema : name === Ended.name ? Ended.schema : undefined;
  }

  take(name: string, body: unknown, from: PID): boolean {
    return this.accept(new Event('message', name, from, body));
  }

  accept(event: Event): boolean {
    const { from, name } = event;
    if (event.kind !== 'message' || from === undefined) return false;
    if (name === Opened.name) return this.#opened(from);
    if (this.#end !== undefined) return false;
    if (!this.#open) return this.#answeredBy(name);
    if (!from.equals(this.to)) return false;
    // Checked against the schema, or sent by a producer of this very kind.
    if (name === this.#item.name) return this.#take(event.body as T);
    if (name === Ended.name) return this.#ended(Number(event.body));
    return this.#answeredBy(name);
  }

  invalid(from: PID, error: ProcessError): void {
    if (!this.#open || from.equals(this.to)) this.#leave(error);
  }

  fail(error: unknown, peer?: string): void {
    if (peer === undefined || !this.#open || peer === this.to.node) this.#finish(error);
  }

  peerLost(why: string, reached: boolean): void {
    const text = `The stream ${this.#title} broke: ${why}`;
    this.#finish(reached ? new OutcomeUnknown('OUTCOME_UNKNOWN', text) : new ProcessGone('NODE_UNREACHABLE', text));
  }

  /** To whoever still waits for an item, an end would mean that it had them all. */
  ownerEnded(): void {
    const who = this.#owner?.pid.toString() ?? '';
    this.#drop();
    this.#leave(new ProcessGone('PROCESS_ENDED', `${who}, which reads the stream ${this.#title}, has ended`));
  }

  // ---- inside

  #opened(producer: PID): boolean {
    if (this.#end !== undefined || this.#open) {
      // Left before it was known whom to tell, or the request went to several.
      this.#tell(producer, Cancel, undefined);
      return true;
    }
    this.#open = true;
    this.#timer.cancel();
    const { node } = this.to;
    this.to = producer;
    this.#endpoints.moved(this, node);
    if (producer.node !== this.#runtime.name && this.#item.schema === undefined) {
      const text = `The stream ${this.#title} comes from another node: declare its items with a schema`;
      this.#leave(new ProcessError('MESSAGE_LOCAL_ONLY', text));
    } else {
      // Also if there is nothing to give yet: a peer that was told something is one whose silence is noticed.
      this.#give(this.#free);
    }
    return true;
  }

  #take(item: T): boolean {
    if (this.#granted === 0) {
      this.#leave(new StreamFailed('STREAM_FAILED', `The stream ${this.#title} brought more than it was allowed to`));
      return false;
    }
    this.#granted--;
    this.#count++;
    const waiting = this.#waiting.length === 0 ? undefined : this.#waiting.shift();
    if (waiting === undefined) {
      this.#buffer.push(item);
    } else {
      waiting.resolve({ done: false, value: item });
      this.#grant();
    }
    return true;
  }

  #ended(count: number): boolean {
    if (count === this.#count) this.#finish(undefined);
    else {
      const text = `The stream ${this.#title} had ${count} items, of which ${this.#count} arrived`;
      this.#finish(new StreamFailed('STREAM_FAILED', text));
    }
    return true;
  }

  #answeredBy(name: string): boolean {
    const text = `The stream ${this.#title} was answered by '${name}', expected '${this.#item.name}'`;
    this.#leave(new ProcessError('UNEXPECTED_REPLY', text));
    return false;
  }

  /** Items that could come without the window being exceeded, and that the producer does not know of. */
  get #free(): number {
    return this.#window - this.#granted - this.#buffer.size;
  }

  /** Once half of the window is free the producer is told, so that it need not pause. */
  #grant(): void {
    if (this.#end === undefined && this.#free * 2 >= this.#window) this.#give(this.#free);
  }

  #give(items: number): void {
    this.#granted += items;
    this.#tell(this.to, Credit, items);
  }

  #tell(producer: PID, kind: Message<never> | Message<undefined> | Message<number>, body: unknown): void {
    this.#runtime.delivery.message(producer, kind as Message<unknown>, body, this.pid);
  }

  /** This side wants no more. A producer that is not known yet hears of it when it begins. */
  #leave(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#finish(error);
    if (this.#open) this.#tell(this.to, Cancel, undefined);
  }

  #finish(error: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#timer.cancel();
    this.#letGo();
    this.#endpoints.remove(this);
    if (this.#owner?.ended === false) this.#owner.extras.belongings?.delete(this);
    const [first, ...rest] = this.#waiting.splice(0);
    if (first === undefined) return;
    this.#end = { error: undefined };
    if (error === undefined) first.resolve({ done: true, value: undefined });
    else first.reject(error);
    for (const { resolve } of rest) resolve({ done: true, value: undefined });
  }

  #drop(): void {
    while (this.#buffer.size > 0) this.#buffer.shift();
  }

  #abortOn(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const abort = (): void => {
      this.#drop();
      this.#leave(
        new FutureDiscarded('FUTURE_DISCARDED', `The stream ${this.#title} was given up`, { cause: signal.reason }),
      );
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    this.#letGo = () => signal.removeEventListener('abort', abort);
  }
}
