import type { Cell } from './cell.ts';
import type { Event, ExitReason } from './event.ts';
import type { PID } from './pid.ts';
import type { Clock, Loop, Timer } from './platform/platform.ts';
import type { Runtime } from './runtime.ts';

/** A context as text that may cross the wire. */
export type TracingCarrier = Readonly<Record<string, string>>;

/** What traces one event while it is served. */
export interface TracingSpan {
  /** Serves the event, within its context. */
  run(serve: () => void): void;
  /** Served: of an async handler, settled. @param reason why the process ended over it, if it did. Further calls have no effect. */
  end(reason: ExitReason | undefined): void;
}

/**
 * Carries a tracing context from whoever sends to the handler that serves, also between nodes. `openTelemetry()` of
 * `@mezzo/process/tracing` is one. What a context is, only the implementation knows.
 */
export interface Tracing {
  /** The context to travel with what is sent now; undefined for none. Must not throw. */
  active(): unknown;
  /** An event that came with a context is about to be served. @param clock of the runtime. */
  begin(context: unknown, event: Event, to: PID, clock: Clock): TracingSpan;
  /** Runs with no context active. */
  outside(run: () => void): void;
  inject(context: unknown): TracingCarrier;
  extract(carrier: TracingCarrier): unknown;
}

/** Who happens to wake the event loop, or arms its next timer, has nothing to do with all that runs then. */
export function untracedLoop(loop: Loop, tracing: Tracing): Loop {
  return {
    microtask: (run) => loop.microtask(() => tracing.outside(run)),
    macrotask: (run) => loop.macrotask(() => tracing.outside(run)),
  };
}

export function untracedClock(clock: Clock, tracing: Tracing): Clock {
  return {
    now: () => clock.now(),
    timer: (delay, thunk): Timer => clock.timer(delay, () => tracing.outside(thunk)),
  };
}

/** Serves the event within the context it came with; a tracer that throws keeps nothing from being served. */
export function serveTraced(event: Event, cell: Cell, tracing: Tracing, serve: () => void): void {
  const { runtime } = cell;
  let served = false;
  try {
    const span = tracing.begin(event.meta?.trace, event, cell.pid, runtime.clock);
    event.meta = { ...event.meta, span };
    span.run(() => {
      served = true;
      serve();
    });
    // That of an async handler ends when it settles.
    if (cell.heldBy !== event) endSpan(event, runtime, undefined);
  } catch (error) {
    runtime.report(error, 'tracing threw');
  }
  if (!served) serve();
}

export function endSpan(event: Event | undefined, runtime: Runtime, reason: ExitReason | undefined): void {
  try {
    event?.meta?.span?.end(reason);
  } catch (error) {
    runtime.report(error, 'tracing threw');
  }
}
