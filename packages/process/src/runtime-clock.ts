import type { Clock, Timer } from './platform/platform.ts';

/** A runtime's view of the clock: what is armed through it ends with the runtime, or it would keep the OS process alive. */
export class RuntimeClock implements Clock {
  protected readonly world: Clock;
  readonly #armed = new Set<Timer>();

  constructor(world: Clock) {
    this.world = world;
  }

  now(): number {
    return this.world.now();
  }

  timer(delay: number, thunk: () => void): Timer {
    const armed = this.#armed;
    const timer = this.world.timer(delay, () => {
      armed.delete(timer);
      thunk();
    });
    armed.add(timer);
    return {
      cancel() {
        armed.delete(timer);
        return timer.cancel();
      },
    };
  }

  /** The runtime has stopped: nothing that is armed fires any more. */
  stop(): void {
    for (const timer of this.#armed) timer.cancel();
    this.#armed.clear();
  }
}
