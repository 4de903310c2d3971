import type { Event, ExitReason } from './event.ts';
import type { PID } from './pid.ts';
import type { Clock } from './platform/platform.ts';
import type { DeadLetter } from './runtime-options.ts';
import type { Subscription } from './transport.ts';

/** What a runtime tells those who look into it. */
export type Inspected =
  | { readonly kind: 'spawned'; readonly pid: PID }
  | { readonly kind: 'ended'; readonly pid: PID; readonly reason: ExitReason }
  /** The process begins to handle the event. */
  | { readonly kind: 'begins'; readonly pid: PID; readonly event: Event }
  /** The turn is over; an async handler may go on. `milliseconds` of the runtime's clock. */
  | { readonly kind: 'ends'; readonly pid: PID; readonly event: Event; readonly milliseconds: number }
  /** An async handler has held the mailbox for longer than `longHold`. */
  | { readonly kind: 'held'; readonly pid: PID; readonly handler: string; readonly milliseconds: number }
  | { readonly kind: 'dead-letter'; readonly letter: DeadLetter };

export type Inspector = (inspected: Inspected) => void;

/** The one tap for metrics, tracing and tools. A runtime nobody inspects has none, and pays one comparison per event. */
export class Inspection {
  readonly #clock: Clock;
  readonly #report: (error: unknown, context: string) => void;
  readonly #inspectors = new Set<Inspector>();
  #began = 0;

  constructor(clock: Clock, report: (error: unknown, context: string) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  get unused(): boolean {
    return this.#inspectors.size === 0;
  }

  add(inspector: Inspector): Subscription {
    // Wrapped, so that the same function may be added twice.
    const own: Inspector = (inspected) => inspector(inspected);
    this.#inspectors.add(own);
    return { cancel: () => void this.#inspectors.delete(own) };
  }

  spawned(pid: PID): void {
    this.#tell({ kind: 'spawned', pid });
  }

  ended(pid: PID, reason: ExitReason): void {
    this.#tell({ kind: 'ended', pid, reason });
  }

  begins(event: Event, pid: PID): void {
    this.#tell({ kind: 'begins', pid, event });
    this.#began = this.#clock.now();
  }

  ends(event: Event, pid: PID): void {
    this.#tell({ kind: 'ends', pid, event, milliseconds: this.#clock.now() - this.#began });
  }

  held(pid: PID, handler: string, milliseconds: number): void {
    this.#tell({ kind: 'held', pid, handler, milliseconds });
  }

  deadLetter(letter: DeadLetter): void {
    this.#tell({ kind: 'dead-letter', letter });
  }

  #tell(inspected: Inspected): void {
    for (const inspector of this.#inspectors) {
      try {
        inspector(inspected);
      } catch (error) {
        this.#report(error, 'an inspector threw');
      }
    }
  }
}
