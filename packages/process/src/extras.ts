import type { ExitReason } from './event.ts';
import type { Deferred } from './future/future.ts';
import type { Delegate } from './handler.ts';
import type { HandlerTable } from './handler-table.ts';
import type { PID } from './pid.ts';
import type { Timer } from './platform/platform.ts';
import type { Route } from './route.ts';

/** Somebody who wants to hear of an exit: a process here, or one of another node behind its session. */
export interface Linker {
  notifyExited(pid: PID, reason: ExitReason): void;
}

/** A link that this process made; it is undone when the process ends first. */
export interface Link {
  undo(): void;
}

/** Something whose life ends with its process: a stream it feeds or reads. */
export interface Belonging {
  ownerEnded(reason: ExitReason): void;
}

/** What a full mailbox does with a further message: refuse it, or drop the one that has waited longest. */
export type OverflowPolicy = 'refuse' | 'drop-oldest';

/** What few processes have, kept apart: there may be very many processes. */
export class Extras {
  delegates: HandlerTable<Delegate> | undefined = undefined;
  routes: Map<string, Route> | undefined = undefined;
  assets: Map<string, string> | undefined = undefined;
  linkers: Set<Linker> | undefined = undefined;
  links: Map<string, Link> | undefined = undefined;
  belongings: Set<Belonging> | undefined = undefined;
  /** Timers that the process armed and that have not fired: they end with it, or they would keep the OS process alive. */
  delays: Set<Timer> | undefined = undefined;
  room: Deferred<void> | undefined = undefined;
  overflow: OverflowPolicy = 'refuse';
  controller: AbortController | undefined = undefined;
  /** In virtual time: what the process's clock shows. */
  time = 0;
  crash: unknown = undefined;
  /** How many turns have asked somebody. */
  askingTurns = 0;
  /** Promises of interleaved handlers that are pending. */
  interleaved = 0;
}
