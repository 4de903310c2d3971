import { nuid, type StoredMsg } from 'nats';

import { ProcessError } from '../errors.ts';
import type { Future } from '../future/future.ts';
import type { FencedLog, LogContents } from '../log/fenced-log.ts';
import { contentsOf, corrupt, fieldsOf, type Kind, packRecords, partsOf } from './log-entry.ts';
import { checkToken, durable, type JetStreamOptions, ServerStream } from './server-stream.ts';

export interface JetStreamLogOptions extends JetStreamOptions {
  /** The stream's name: letters, digits, `-` and `_`. Its subject is `<prefix>.@.log.<stream>`. */
  readonly stream: string;
}

/** Messages of a read that are under way at once. */
const readAhead = 16;

class JetStreamLog implements FencedLog {
  readonly #name: string;
  readonly #subject: string;
  readonly #stream: ServerStream;

  constructor(options: JetStreamLogOptions) {
    const name = checkToken('stream', options.stream);
    const subjectOf = (prefix: string): string => `${prefix}.@.log.${name}`;
    this.#name = name;
    this.#stream = new ServerStream(options, (prefix) => ({
      name,
      what: 'log',
      code: 'LOG_UNAVAILABLE',
      timeout: '10s',
      demands: { ...durable, subjects: [subjectOf(prefix)], max_msgs_per_subject: -1 },
      wishes: { deny_delete: true },
    }));
    this.#subject = subjectOf(this.#stream.prefix);
  }

  read(): Future<LogContents> {
    return this.#stream.operation(() => this.#read());
  }

  append(expected: number, records: readonly Uint8Array[]): Future<number> {
    const payload = packRecords(records);
    return this.#stream.operation(async () => (await this.#write('entry', expected, payload)).last);
  }

  snapshot(expected: number, state: Uint8Array): Future<number> {
    const payload = state.slice();
    return this.#stream.operation(() => this.#snapshot(expected, payload));
  }

  close(): Future<void> {
    return this.#stream.close();
  }

  async #snapshot(expected: number, state: Uint8Array): Promise<number> {
    const { first, last } = await this.#write('snapshot', expected, state);
    // To purge what is before the first message of all means to purge everything.
    if (expected === 0) return last;
    // If this does not come about, readers skip what is before all the same, and the next snapshot removes it.
    await this.#stream.purge(first);
    return last;
  }

  /** Every part expects the one before it, so whoever writes in between stops the rest. */
  async #write(kind: Kind, expected: number, payload: Uint8Array): Promise<{ first: number; last: number }> {
    const id = nuid.next();
    const parts = partsOf(payload, await this.#stream.maxPayload());
    let first = 0;
    let last = expected;
    for (const [index, part] of parts.entries()) {
      const before = last;
      const fields = fieldsOf(kind, id, index + 1, parts.length);
      const sequence = await this.#stream.put(this.#subject, before, fields, part, () => this.#successor(before));
      if (sequence === undefined) {
        throw new ProcessError(
          'LOG_FENCED',
          `The log in stream '${this.#name}' has gone on since ${expected}: somebody else writes`,
        );
      }
      if (index === 0) first = sequence;
      last = sequence;
    }
    return { first, last };
  }

  async #successor(sequence: number): Promise<StoredMsg | 'purged' | undefined> {
    return this.#stream.messageAt(sequence > 0 ? sequence + 1 : (await this.#stream.info()).state.first_seq);
  }

  async #read(): Promise<LogContents> {
    for (;;) {
      const { state } = await this.#stream.info();
      const messages = state.messages === 0 ? [] : await this.#messages(state.first_seq, state.last_seq);
      if (messages !== undefined) return contentsOf(this.#name, messages);
    }
  }

  /** Undefined if a snapshot took the place of some of them meanwhile. */
  async #messages(first: number, last: number): Promise<StoredMsg[] | undefined> {
    const messages: StoredMsg[] = [];
    for (let next = first; next <= last; next += readAhead) {
      const sequences = Array.from({ length: Math.min(readAhead, last + 1 - next) }, (_, offset) => next + offset);
      const some = await Promise.all(sequences.map((seq) => this.#stream.messageAt(seq)));
      for (const [offset, message] of some.entries()) {
        if (message === 'purged') return undefined;
        if (message === undefined) throw corrupt(this.#name, next + offset, 'is missing');
        messages.push(message);
      }
    }
    return messages;
  }
}

/**
 * A log in a stream of NATS JetStream, which is made if it is missing. What it confirmed survives `kill -9` of any server
 * and, with three replicas, the loss of one; see docs/process/jetstream.md for what it takes to survive a power cut.
 *
 * It connects at the first operation. `timeout`: default 10 s, which outlasts the choice of a new leader among three servers.
 *
 * Throws TRANSPORT_OPTION_INVALID.
 */
export function jetStreamLog(options: JetStreamLogOptions): FencedLog {
  return new JetStreamLog(options);
}
