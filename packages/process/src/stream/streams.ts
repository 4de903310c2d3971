import type { Cell } from '../cell.ts';
import type { Endpoints } from '../endpoints.ts';
import { ProcessGone } from '../errors.ts';
import { Deferred } from '../future/future.ts';
import { type Message, message, type StreamRequest } from '../message.ts';
import type { PID } from '../pid.ts';
import type { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';
import { type StreamOptions, StreamReader } from './stream-reader.ts';
import { type StreamCall, StreamWriter } from './stream-writer.ts';

type Source<T> = Iterable<T> | AsyncIterable<T>;

/** The streams of a runtime: both ends are made here. */
export class Streams {
  readonly #runtime: Runtime;
  readonly #endpoints: Endpoints;

  constructor(runtime: Runtime, endpoints: Endpoints) {
    this.#runtime = runtime;
    this.#endpoints = endpoints;
  }

  /** @param owner the process that reads, if one does. */
  read<Q, T>(
    to: PID,
    kind: StreamRequest<Q, T>,
    body: Q,
    options: StreamOptions,
    owner: Cell | undefined,
  ): StreamReader<T> {
    const reader = new StreamReader<T>(this.#runtime, this.#endpoints, to, kind, options, owner);
    reader.open(kind as Message<unknown>, body);
    return reader;
  }

  /** Reads what a method of a process here gives. */
  readMethod(
    cell: Cell,
    name: string,
    source: (process: Process) => Source<unknown>,
    owner: Cell | undefined,
  ): StreamReader<unknown> {
    const kind = { name, item: message<unknown>(`${name}.item`) };
    const reader = new StreamReader<unknown>(this.#runtime, this.#endpoints, cell.pid, kind, {}, owner);
    const begun = new Deferred<unknown>();
    begun.future.onFailed((error) => reader.fail(error));
    begun.future.onAbandoned(() => {
      const text = `${cell.pid.toString()} has ended before '${name}' could begin`;
      reader.fail(new ProcessGone('PROCESS_ENDED', text));
    });
    const begin = (process: Process): void => this.feed(cell, reader.pid, kind.item, () => source(process));
    this.#runtime.delivery.dispatch(cell.pid, begin, name, begun, owner?.callChain);
    return reader;
  }

  /** Feeds the reader from a process here, in a turn of it. */
  feed<T>(cell: Cell, reader: PID, item: Message<T>, source: (call: StreamCall) => Source<T>): void {
    const writer = new StreamWriter<T>(cell, this.#endpoints, reader, item);
    writer.open(() => source(writer));
  }
}
