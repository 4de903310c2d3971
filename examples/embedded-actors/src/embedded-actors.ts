import { type ExitReason, type LocalPID, message, type PID, Process, type Timer } from '@mezzo/process';

/** What a cache is asked, and what it answers. Without a schema, messages stay inside one runtime. */
export const Get = message<{ key: string }>('get');
export const Got = message<{ value: string | undefined }>('got');
export const Put = message<{ key: string; value: string }>('put');

/** Keeps each value for a minute after it was put. */
export class Cache extends Process {
  readonly #entries = new Map<string, { readonly value: string; readonly expiry: Timer }>();

  protected override initialize(): void {
    this.install(Put, ({ key, value }) => {
      this.#entries.get(key)?.expiry.cancel();
      this.#entries.set(key, { value, expiry: this.delay('1mins', () => this.#entries.delete(key)) });
    });
    this.install(Get, ({ key }) => this.reply(Got, { value: this.#entries.get(key)?.value }));
  }
}

/** Starts another cache whenever the one it looks after has crashed. */
export class Keeper extends Process {
  #cache: LocalPID<Cache> | undefined;

  get cache(): LocalPID<Cache> | undefined {
    return this.#cache;
  }

  protected override initialize(): void {
    this.#cache = this.runtime.spawn(new Cache('cache'));
    this.link(this.#cache);
  }

  protected override exited(_cache: PID, reason: ExitReason): void {
    if (reason.kind === 'crashed') this.initialize();
  }
}
