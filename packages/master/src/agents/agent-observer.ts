import type { Timer } from '@mezzo/process';

export interface AgentObserverOptions {
  /** Milliseconds between pings. */
  readonly interval: number;
  /** Pings in a row without an answer after which the agent counts as lost. */
  readonly limit: number;
  readonly delay: (milliseconds: number, call: () => void) => Timer;
  readonly ping: () => void;
  /** Called once. */
  readonly lost: () => void;
}

/** Pings one agent and counts the pings it did not answer. The first ping goes out at once. */
export class AgentObserver {
  readonly #options: AgentObserverOptions;
  #timer: Timer | undefined;
  #hasAnswered = false;
  #missed = 0;

  constructor(options: AgentObserverOptions) {
    this.#options = options;
    this.#ping();
  }

  pong(): void {
    this.#hasAnswered = true;
    this.#missed = 0;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #ping(): void {
    const { ping, delay, interval } = this.#options;
    this.#hasAnswered = false;
    ping();
    this.#timer = delay(interval, () => this.#intervalPassed());
  }

  #intervalPassed(): void {
    if (!this.#hasAnswered) this.#missed++;
    if (this.#missed >= this.#options.limit) this.#options.lost();
    else this.#ping();
  }
}
