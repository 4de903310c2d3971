import { Deferred, type Future } from '@mezzo/process';
import { type FencedLog, memoryLog, MemoryLogStore } from '@mezzo/process/log';

/** A log in memory that stores nothing while it is held. */
export class HeldLog implements FencedLog {
  readonly #log = memoryLog(new MemoryLogStore());
  #gate: Deferred<void> | undefined;
  /** Somebody waits to have something stored. */
  isAwaited = false;

  hold(): void {
    this.#gate = new Deferred<void>();
  }

  release(): void {
    this.#gate?.set();
    this.#gate = undefined;
    this.isAwaited = false;
  }

  append(...call: Parameters<FencedLog['append']>): ReturnType<FencedLog['append']> {
    if (this.#gate === undefined) return this.#log.append(...call);
    this.isAwaited = true;
    const opened: Future<void> = this.#gate.future;
    return opened.andThen(() => this.#log.append(...call));
  }

  read(): ReturnType<FencedLog['read']> {
    return this.#log.read();
  }

  snapshot(...call: Parameters<FencedLog['snapshot']>): ReturnType<FencedLog['snapshot']> {
    return this.#log.snapshot(...call);
  }

  close(): ReturnType<FencedLog['close']> {
    return this.#log.close();
  }
}
