import { Cell } from './cell.ts';
import type { Timer } from './platform/platform.ts';
import { RuntimeClock } from './runtime-clock.ts';
import { currentOwner } from './turn.ts';

/**
 * A runtime's clock in virtual time. There each process has a time of its own, as libprocess has it while its clock is
 * paused: it starts at its creator's, and whatever reaches it lifts it to the sender's. Outside turns time is the world's.
 */
export class ProcessClock extends RuntimeClock {
  override now(): number {
    const owner = this.#owner();
    if (owner === undefined) return this.world.now();
    // A callback of a Future, run by whoever completed it: that has reached the process too.
    if (!owner.isRunning) owner.lift(this.world.now());
    return owner.time;
  }

  override timer(delay: number, thunk: () => void): Timer {
    const owner = this.#owner();
    return super.timer(this.now() + delay - this.world.now(), () => {
      owner?.lift(this.world.now());
      thunk();
    });
  }

  #owner(): Cell | undefined {
    const owner = currentOwner();
    return owner instanceof Cell && owner.clock === this ? owner : undefined;
  }
}
