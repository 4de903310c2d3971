import type { Timer } from '@mezzo/process';
import type { Permit } from './removals.ts';

export interface AgentObserverOptions {
  /** Milliseconds between pings. */
  readonly interval: number;
  /** Pings in a row without an answer after which the agent counts as lost. */
  readonly limit: number;
  readonly delay: (milliseconds: number, call: () => void) => Timer;
  readonly ping: () => void;
  /** Calls back when the agent may be given up, which is limited in rate, unless that is cancelled before. */
  readonly permit: (call: () => void) => Permit;
  readonly metrics: { scheduled(): void; cancelled(): void };
  /** Called once. */
  readonly lost: () => void;
}

/** Pings one agent and counts the pings it did not answer. The first ping goes out at once. */
export class AgentObserver {
  readonly #options: AgentObserverOptions;
  #timer: Timer | undefined;
  #hasAnswered = false;
  #missed = 0;
  /** Of an agent that missed too many pings, while it waits to be given up. */
  #permit: Permit | undefined;

  constructor(options: AgentObserverOptions) {
    this.#options = options;
    this.#ping();
  }

  pong(): void {
    this.#hasAnswered = true;
    this.#missed = 0;
    if (this.#permit === undefined) return;
    this.#permit.cancel();
    this.#permit = undefined;
    this.#options.metrics.cancelled();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#permit?.cancel();
    this.#permit = undefined;
  }

  #ping(): void {
    const { ping, delay, interval } = this.#options;
    this.#hasAnswered = false;
    ping();
    this.#timer = delay(interval, () => this.#intervalPassed());
  }

  #intervalPassed(): void {
    if (!this.#hasAnswered) this.#missed++;
    if (this.#missed >= this.#options.limit) this.#giveUp();
    // It may come back while it waits.
    this.#ping();
  }

  #giveUp(): void {
    if (this.#permit !== undefined) return;
    this.#options.metrics.scheduled();
    this.#permit = this.#options.permit(() => this.#options.lost());
  }
}
