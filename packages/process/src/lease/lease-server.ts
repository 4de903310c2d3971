import { messageOf, ProcessError } from '../errors.ts';
import { collect } from '../future/combinators.ts';
import type { Future } from '../future/future.ts';
import type { BodyOf } from '../message.ts';
import type { PID } from '../pid.ts';
import { Process } from '../process.ts';
import type { Subscription } from '../transport.ts';
import { fine, LeaseChanged, ReadLease, type Verdict, WatchLease, WriteLease } from './lease-messages.ts';
import type { LeaseRecord, LeaseStore } from './lease-store.ts';

/** Serves a lease to candidates on other nodes: see remoteLease. */
export class LeaseServer extends Process {
  readonly #store: LeaseStore;
  readonly #watchers = new Map<string, PID>();
  #subscription: Subscription | undefined;

  /** @param id default `lease`. */
  constructor(store: LeaseStore, id = 'lease') {
    super(id);
    this.#store = store;
    this.answer(ReadLease, () => this.#read());
    this.answer(WriteLease, ({ expected, value }) =>
      store
        .write(expected, value?.slice())
        .map((revision) => ({ ...fine, revision }))
        .repair((failed) => ({ ...verdictOn(failed), revision: 0 })),
    );
    this.install(WatchLease, (_, from) => {
      this.#watchers.set(from.address, this.link(from));
      store.read().onReady(this.defer((record: LeaseRecord) => this.#tell(from, record)));
    });
  }

  protected override initialize(): void {
    const changed = this.defer((record: LeaseRecord) => {
      for (const watcher of this.#watchers.values()) this.#tell(watcher, record);
    });
    this.#subscription = this.#store.watch(changed);
  }

  protected override finalize(): void {
    this.#subscription?.cancel();
  }

  protected override exited(pid: PID): void {
    this.#watchers.delete(pid.address);
  }

  #read(): Future<BodyOf<typeof ReadLease.reply>> {
    const nothing: Uint8Array | null = null;
    return collect([this.#store.created(), this.#store.read()])
      .map(([created, { revision, value }]) => ({ ...fine, created, revision, value: value ?? nothing }))
      .repair((failed) => ({ ...verdictOn(failed), created: 0, revision: 0, value: nothing }));
  }

  #tell(watcher: PID, { revision, value }: LeaseRecord): void {
    this.send(watcher, LeaseChanged, { revision, value: value ?? null });
  }
}

function verdictOn(failed: Future<unknown>): Verdict {
  const error = failed.failure();
  const isLost = error instanceof ProcessError && error.code === 'LEASE_LOST';
  return { refusal: isLost ? 'LEASE_LOST' : 'LEASE_UNAVAILABLE', why: messageOf(error).slice(0, 4096) };
}
