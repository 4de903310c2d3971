import type { Cell } from './cell.ts';
import type { Event } from './event.ts';
import type { Clock, Timer } from './platform/platform.ts';
import type { Runtime } from './runtime.ts';

interface Hold {
  readonly handler: string;
  readonly since: number;
}

/** Who is held by an async handler, so that one that takes too long is told by name. */
export class Holds {
  readonly #runtime: Runtime;
  /** Milliseconds after which a hold is reported. */
  readonly #limit: number;
  /** In the order they began; those that were reported are not here any more. */
  readonly #open = new Map<Cell, Hold>();
  #timer: Timer | undefined;

  constructor(runtime: Runtime, limit: number) {
    this.#runtime = runtime;
    this.#limit = limit;
  }

  /** @param event undefined for an async initialize. */
  begin(cell: Cell, event: Event | undefined): void {
    this.leftPending();
    this.#open.set(cell, { handler: handlerOf(event), since: this.#clock.now() });
    this.#timer ??= this.#watch(this.#limit);
  }

  /** Also of one that was not begun. */
  end(cell: Cell): void {
    this.#open.delete(cell);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The order of what comes next must not depend on how many microtasks a handler takes. */
  leftPending(): void {
    if (this.#runtime.platform.simulated) this.#runtime.queue.yieldToLoop();
  }

  stop(): void {
    this.#open.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** That of the world: a process that was idle is behind it. */
  get #clock(): Clock {
    return this.#runtime.platform.clock;
  }

  #watch(delay: number): Timer {
    return this.#clock.timer(delay, () => {
      this.#timer = undefined;
      const now = this.#clock.now();
      for (const [cell, hold] of this.#open) {
        const left = hold.since + this.#limit - now;
        if (left > 0) {
          this.#timer = this.#watch(left);
          return;
        }
        this.#open.delete(cell);
        this.#report(cell, hold.handler, now - hold.since);
      }
    });
  }

  #report(cell: Cell, handler: string, milliseconds: number): void {
    this.#runtime.metrics.longHolds++;
    this.#runtime.inspection?.held(cell.pid, handler, milliseconds);
    this.#runtime.log.warn(
      { process: cell.pid.toString(), handler, milliseconds: Math.round(milliseconds), waiting: cell.depth },
      'an async handler holds its mailbox: await less in it, or install it as interleaved',
    );
  }
}

function handlerOf(event: Event | undefined): string {
  if (event === undefined) return 'initialize';
  if (event.kind === 'exited') return 'exited';
  return event.name === '' ? 'a dispatched function' : event.name;
}
