import { ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { FencedLog, LogContents, LogEntry } from './fenced-log.ts';

/** What several logs of one OS process share. */
export class MemoryLogStore {
  snapshot: LogContents['snapshot'];
  readonly entries: LogEntry[] = [];
  last = 0;
}

class MemoryLog implements FencedLog {
  readonly #store: MemoryLogStore;

  constructor(store: MemoryLogStore) {
    this.#store = store;
  }

  read(): Future<LogContents> {
    const { snapshot, entries, last } = this.#store;
    return Future.ready({
      snapshot: snapshot === undefined ? undefined : { ...snapshot, state: snapshot.state.slice() },
      entries: entries.map(({ sequence, records }) => ({ sequence, records: copies(records) })),
      last,
    });
  }

  append(expected: number, records: readonly Uint8Array[]): Future<number> {
    const store = this.#store;
    if (expected !== store.last) return this.#fenced(expected);
    store.last++;
    store.entries.push({ sequence: store.last, records: copies(records) });
    return Future.ready(store.last);
  }

  snapshot(expected: number, state: Uint8Array): Future<number> {
    const store = this.#store;
    if (expected !== store.last) return this.#fenced(expected);
    store.last++;
    store.snapshot = { sequence: store.last, state: state.slice() };
    store.entries.length = 0;
    return Future.ready(store.last);
  }

  close(): Future<void> {
    return Future.ready(undefined);
  }

  #fenced(expected: number): Future<never> {
    const text = `The log is at entry ${this.#store.last}, expected ${expected}: somebody else has written`;
    return Future.failed(new ProcessError('LOG_FENCED', text));
  }
}

function copies(records: readonly Uint8Array[]): readonly Uint8Array[] {
  return records.map((record) => record.slice());
}

/** A log that is gone with its OS process. @param store shared by all who are to compete for it. Default: one of its own. */
export function memoryLog(store: MemoryLogStore = new MemoryLogStore()): FencedLog {
  return new MemoryLog(store);
}
