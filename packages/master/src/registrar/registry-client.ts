import { type BodyOf, Deferred, Future, type Message, type PID, type Request, type Unwrapped } from '@mezzo/process';
import { type MasterInfo, registrarMessages, type RegistryOperation, type Term } from '@mezzo/protocol';
import { RegistryState } from './registry-state.ts';

export interface RegistryClientOptions {
  /** Of the registrar. */
  readonly registrar: PID;
  readonly term: Term;
  readonly master: MasterInfo;
  send<T>(to: PID, kind: Message<T>, body: T): void;
  /** With a timeout that no registrar reaches. */
  ask<Q, A>(to: PID, kind: Request<Q, A>, body: Q): Future<A>;
  deferred<A extends unknown[], R>(call: (...values: A) => R): (...values: A) => Future<Unwrapped<R>>;
  /** This master reigns no more: it must end at once. */
  lost(message: string): void;
}

/** The master's side of the registry: what is stored in it, as far as this master knows, and the way to change it. */
export class RegistryClient {
  readonly #options: RegistryClientOptions;
  #state = new RegistryState();
  #isRecovered = false;
  readonly #recovered = new Deferred<void>();

  constructor(options: RegistryClientOptions) {
    this.#options = options;
  }

  /** Everything that was stored before the answers that have come. */
  get state(): RegistryState {
    return this.#state;
  }

  /** Called in a turn of the master once what is stored is known, and nobody who reigned before can store any more. */
  recover(recovered: () => void): void {
    const { registrar, term, master, ask, deferred, lost } = this.#options;
    const answer = ask(registrar, registrarMessages.RecoverRegistry, { term, master });
    answer.onReady(
      deferred((body: BodyOf<typeof registrarMessages.RecoverRegistry.reply>) => {
        if (body.outcome === 'REFUSED') return lost(`Cannot recover the registry (${body.reason}): ${body.message}`);
        this.#state = RegistryState.of(body.registry);
        this.#isRecovered = true;
        recovered();
        this.#recovered.set();
      }),
    );
    answer.onFailed(deferred((error: unknown) => lost(`Cannot recover the registry: ${String(error)}`)));
  }

  /**
   * READY in a turn of the master: with nothing once it is stored, or with why it was rejected and nothing was changed.
   * What comes before the registry is recovered waits for that. Where it cannot be known whether it was stored, the master ends.
   */
  change(operation: RegistryOperation): Future<string | undefined> {
    const { registrar, term, ask, deferred, lost } = this.#options;
    if (!this.#isRecovered) return this.#recovered.future.andThen(deferred(() => this.change(operation)));
    return ask(registrar, registrarMessages.ChangeRegistry, { term, operation })
      .repair((failed) => Future.ready({ outcome: 'LOST', message: String(failed.failure()) } as const))
      .andThen(
        deferred((body: BodyOf<typeof registrarMessages.ChangeRegistry.reply>) => {
          if (body.outcome === 'REJECTED') return body.message;
          if (body.outcome === 'STORED') return this.#state.apply(operation);
          lost(`The registry is lost: ${body.message}`);
          return new Future<string | undefined>();
        }),
      );
  }
}
