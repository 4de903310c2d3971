import type { Duration } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { PID } from '../pid.ts';
import type { Runtime } from '../runtime.ts';
import type { FencedLog, LogContents } from './fenced-log.ts';
import { AppendToLog, ReadLog, SnapshotLog, type Verdict } from './log-messages.ts';

class RemoteLog implements FencedLog {
  readonly #runtime: Runtime;
  readonly #server: PID;
  readonly #timeout: Duration;

  constructor(runtime: Runtime, server: PID, timeout: Duration) {
    this.#runtime = runtime;
    this.#server = server;
    this.#timeout = timeout;
  }

  // What is sent and what has come is copied: both may lie in memory that somebody else goes on using.

  read(): Future<LogContents> {
    const answer = this.#runtime.ask(this.#server, ReadLog, {}, { timeout: this.#timeout });
    return this.#checked(answer).map(({ snapshot, entries, last }) => ({
      snapshot: snapshot === null ? undefined : { sequence: snapshot.sequence, state: snapshot.state.slice() },
      entries: entries.map(({ sequence, records }) => ({ sequence, records: copies(records) })),
      last,
    }));
  }

  append(expected: number, records: readonly Uint8Array[]): Future<number> {
    const body = { expected, records: copies(records) };
    const answer = this.#runtime.ask(this.#server, AppendToLog, body, { timeout: this.#timeout });
    return this.#checked(answer).map(({ sequence }) => sequence);
  }

  snapshot(expected: number, state: Uint8Array): Future<number> {
    const body = { expected, state: state.slice() };
    const answer = this.#runtime.ask(this.#server, SnapshotLog, body, { timeout: this.#timeout });
    return this.#checked(answer).map(({ sequence }) => sequence);
  }

  close(): Future<void> {
    return Future.ready(undefined);
  }

  #checked<A extends Verdict>(answer: Future<A>): Future<A> {
    return answer
      .repair((failed) => {
        const cause = failed.failure();
        const text = `The log at ${this.#server.toString()} cannot be reached: ${messageOf(cause)}`;
        return Future.failed(new ProcessError('LOG_UNAVAILABLE', text, { cause }));
      })
      .andThen((said) =>
        said.refusal === '' ? Future.ready(said) : Future.failed(new ProcessError(said.refusal, said.why)),
      );
  }
}

function copies(records: readonly Uint8Array[]): readonly Uint8Array[] {
  return records.map((record) => record.slice());
}

/**
 * The log that a LogServer serves, on this node or another. All of it must fit one message (64 MB by default).
 *
 * @param server its address, best a bare one, so that a server that was started again is found
 * @param options `timeout`: an operation without an answer for so long fails with LOG_UNAVAILABLE. Default 5 s.
 */
export function remoteLog(runtime: Runtime, server: PID, options: { readonly timeout?: Duration } = {}): FencedLog {
  return new RemoteLog(runtime, server, options.timeout ?? '5s');
}
