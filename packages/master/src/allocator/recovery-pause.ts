import type { Timer } from '@mezzo/process';

/** No offers after a failover, until most of the agents are back: quotas cannot be kept without knowing who has what. */
export class RecoveryPause {
  #expected = 0;
  #timer: Timer | undefined;

  get isOn(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * @param expected how many agents end it
   * @param arm starts the timer that ends it
   */
  begin(expected: number, present: number, arm: () => Timer): void {
    this.end();
    if (expected <= present) return;
    this.#expected = expected;
    this.#timer = arm();
  }

  /** True if there are enough of them now. */
  agentAdded(present: number): boolean {
    return this.isOn && present >= this.#expected;
  }

  /** True if it was on. */
  end(): boolean {
    const wasOn = this.isOn;
    this.#timer?.cancel();
    this.#timer = undefined;
    return wasOn;
  }
}
