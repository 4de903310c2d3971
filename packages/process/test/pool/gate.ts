import { poll } from '../transport/worlds.ts';

/** Holds the functions `hold` and `spin` of the fixture in their threads, and counts those that came. */
export class Gate {
  readonly buffer = new SharedArrayBuffer(8);
  readonly #cells = new Int32Array(this.buffer);

  get entered(): number {
    return Atomics.load(this.#cells, 1);
  }

  async reached(count: number): Promise<void> {
    await poll(() => this.entered >= count, `${count} threads reach the gate`);
  }

  open(): void {
    Atomics.store(this.#cells, 0, 1);
    Atomics.notify(this.#cells, 0);
  }
}
