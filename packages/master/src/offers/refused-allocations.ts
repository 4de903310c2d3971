import type { MasterContext } from '../master-context.ts';

/** Milliseconds in which one thing is said once: an allocator that is wrong is usually wrong again at once. */
const interval = 1000;
/** Agents and frameworks about which the allocator is told within that time, whatever it makes up. */
const mostCorrections = 1000;

/**
 * What the allocator gave and nobody gets. It is counted, said in the log with the allocator's name, and the allocator is
 * told what is true; neither the log nor the allocator is flooded by that.
 */
export class RefusedAllocations {
  readonly #context: MasterContext;
  /** Whom it was told about lately, and what it has to be told again. */
  readonly #corrected = new Map<string, (() => void) | undefined>();
  #isDue = false;
  #loggedAt = -Infinity;
  #unlogged = 0;

  constructor(context: MasterContext) {
    this.#context = context;
  }

  /** It never was right. */
  invalid(why: string, details: Readonly<Record<string, string>> = {}): void {
    this.#context.metrics.invalidAllocations.increment();
    const now = this.#context.now();
    if (now - this.#loggedAt < interval) {
      this.#unlogged++;
      return;
    }
    const { allocator, log } = this.#context;
    const since = this.#unlogged === 0 ? '' : `; ${this.#unlogged} more since the last such line`;
    log.error(
      { ...details, allocator: allocator.name },
      `refused an allocation of the allocator '${allocator.name}': ${why}${since}`,
    );
    this.#loggedAt = now;
    this.#unlogged = 0;
  }

  /** It may have been right when it was sent. */
  stale(why: string, details: Readonly<Record<string, string>>): void {
    this.#context.metrics.staleAllocations.increment();
    const { allocator, log } = this.#context;
    log.debug({ ...details, allocator: allocator.name }, `nobody gets what was allocated: ${why}`);
  }

  /** Tells the allocator about that agent or framework; if it was told just now, when the interval is over. */
  correct(id: string, tell: () => void): void {
    if (this.#corrected.has(id)) {
      this.#corrected.set(id, tell);
      return;
    }
    if (this.#corrected.size >= mostCorrections) return;
    this.#corrected.set(id, undefined);
    tell();
    if (this.#isDue) return;
    this.#isDue = true;
    this.#context.delay(interval, () => this.#again());
  }

  #again(): void {
    const due = [...this.#corrected];
    this.#corrected.clear();
    this.#isDue = false;
    for (const [id, tell] of due) if (tell !== undefined) this.correct(id, tell);
  }
}
