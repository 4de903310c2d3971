import type { Event, PID } from '@mezzo/process';

/** An event that a process handles. */
export interface Handled {
  readonly node: string;
  readonly pid: PID;
  readonly event: Event;
}

/** Something that must always hold. What it finds broken, it throws as a Violation. */
export interface Law {
  /** How often it looked at something that could have been wrong. */
  readonly looks: number;
  /** A process is about to handle an event. */
  begins?(handled: Handled): void;
  /** It has handled it. */
  ends?(handled: Handled): void;
  /** Nothing is under way inside the nodes named, which did something since the last time. */
  settled?(nodes: ReadonlySet<string>): void;
  /** Faults are over for long, and there is no more work. */
  over?(): void;
}
