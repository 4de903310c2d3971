import { ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { Subscription } from '../transport.ts';
import type { LeaseRecord, LeaseStore } from './lease-store.ts';

class MemoryLease implements LeaseStore {
  readonly #created: number;
  readonly #watchers = new Set<{ changed(record: LeaseRecord): void }>();
  #record: LeaseRecord = { value: undefined, revision: 0 };

  constructor(created: number) {
    this.#created = created;
  }

  created(): Future<number> {
    return Future.ready(this.#created);
  }

  read(): Future<LeaseRecord> {
    return Future.ready(this.#record);
  }

  write(expected: number, value: Uint8Array | undefined): Future<number> {
    const { revision } = this.#record;
    if (expected !== revision) {
      return Future.failed(
        new ProcessError(
          'LEASE_LOST',
          `The lease is at revision ${revision}, expected ${expected}: somebody else wrote`,
        ),
      );
    }
    this.#record = { value: value?.slice(), revision: revision + 1 };
    for (const { changed } of this.#watchers) changed(this.#record);
    return Future.ready(this.#record.revision);
  }

  watch(changed: (record: LeaseRecord) => void): Subscription {
    const watcher = { changed };
    this.#watchers.add(watcher);
    return { cancel: () => void this.#watchers.delete(watcher) };
  }
}

/**
 * A lease for candidates of one OS process, and behind a LeaseServer for others. It is gone with the OS process.
 *
 * @param options `created`: milliseconds since the epoch, which must be later than that of any lease before. Default 0.
 */
export function memoryLease(options: { readonly created?: number } = {}): LeaseStore {
  return new MemoryLease(options.created ?? 0);
}
