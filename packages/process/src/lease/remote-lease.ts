import type { Duration } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { PID } from '../pid.ts';
import { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';
import type { Subscription } from '../transport.ts';
import { LeaseChanged, ReadLease, type Verdict, WatchLease, WriteLease } from './lease-messages.ts';
import type { LeaseRecord, LeaseStore } from './lease-store.ts';

/** Milliseconds until a watcher that lost its server looks for it again. */
const watchAgain = 1000;

/** Hears of changes for as long as it lives, also from a server that was away. */
class LeaseWatcher extends Process {
  readonly #server: PID;

  constructor(id: string, server: PID, changed: (record: LeaseRecord) => void) {
    super(id);
    this.#server = server;
    this.install(LeaseChanged, ({ revision, value }, from) => {
      if (from.toString() === server.toString()) changed({ revision, value: value?.slice() });
    });
  }

  protected override initialize(): void {
    this.link(this.#server);
    this.send(this.#server, WatchLease, {});
  }

  protected override exited(): void {
    this.delay(watchAgain, () => this.initialize());
  }
}

class RemoteLease implements LeaseStore {
  readonly #runtime: Runtime;
  readonly #server: PID;
  readonly #timeout: Duration;

  constructor(runtime: Runtime, server: PID, timeout: Duration) {
    this.#runtime = runtime;
    this.#server = server;
    this.#timeout = timeout;
  }

  created(): Future<number> {
    return this.#ask().map(({ created }) => created);
  }

  read(): Future<LeaseRecord> {
    return this.#ask().map(({ revision, value }) => ({ revision, value: value?.slice() }));
  }

  write(expected: number, value: Uint8Array | undefined): Future<number> {
    const body = { expected, value: value ?? null };
    const written = this.#runtime.ask(this.#server, WriteLease, body, { timeout: this.#timeout });
    return this.#checked(written).map(({ revision }) => revision);
  }

  watch(changed: (record: LeaseRecord) => void): Subscription {
    const watcher = this.#runtime.spawn(
      new LeaseWatcher(this.#runtime.generateId('lease-watcher'), this.#server, changed),
    );
    return { cancel: () => this.#runtime.terminate(watcher) };
  }

  #ask() {
    return this.#checked(this.#runtime.ask(this.#server, ReadLease, {}, { timeout: this.#timeout }));
  }

  #checked<A extends Verdict>(answer: Future<A>): Future<A> {
    return answer
      .repair((failed) => {
        const cause = failed.failure();
        const text = `The lease at ${this.#server.toString()} cannot be reached: ${messageOf(cause)}`;
        return Future.failed(new ProcessError('LEASE_UNAVAILABLE', text, { cause }));
      })
      .andThen((said) =>
        said.refusal === '' ? Future.ready(said) : Future.failed(new ProcessError(said.refusal, said.why)),
      );
  }
}

/**
 * The lease that a LeaseServer serves, on this node or another.
 *
 * @param server its address, best a bare one, so that a server that was started again is found
 * @param options `timeout`: an operation without an answer for so long fails with LEASE_UNAVAILABLE. Default 2 s.
 */
export function remoteLease(runtime: Runtime, server: PID, options: { readonly timeout?: Duration } = {}): LeaseStore {
  return new RemoteLease(runtime, server, options.timeout ?? '2s');
}
