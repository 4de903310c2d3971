import { type PID, Process } from '@mezzo/process';
import { Detect, Detected, type Leader } from '@mezzo/protocol';

/** Answers when the test says so. */
export class FakeDetector extends Process {
  readonly #waiting: PID[] = [];

  protected override initialize(): void {
    this.install(Detect, (_, from) => void this.#waiting.push(from));
  }

  /** Tells who asked; false if nobody has since the last time. */
  elect(leader: Leader | undefined): boolean {
    const from = this.#waiting.shift();
    if (from !== undefined) this.send(from, Detected, leader === undefined ? {} : { leader });
    return from !== undefined;
  }
}
