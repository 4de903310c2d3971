import {
  type Context,
  context,
  type HrTime,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
  type Tracer,
} from '@opentelemetry/api';

import type { Event, ExitReason } from '../event.ts';
import type { PID } from '../pid.ts';
import type { Clock } from '../platform/platform.ts';
import type { Tracing, TracingCarrier, TracingSpan } from '../tracing.ts';
import { enterTurn } from '../turn.ts';
import { traceContext } from './trace-context.ts';

export interface OpenTelemetryOptions {
  /** Makes the spans. Default: that of the global provider for `@mezzo/process`. */
  readonly tracer?: Tracer;
  /** How a context travels between nodes. Default: W3C trace context. */
  readonly propagator?: TextMapPropagator;
}

/**
 * Has the active trace context travel with messages, asks and dispatches, also between nodes: `Runtime.start({ tracing:
 * openTelemetry() })`. What is served in a context that came with it is a span of kind CONSUMER, named after message and
 * process; that of an async handler lasts until it settles, and a crash is its exception. What is sent while no span is
 * active costs nothing but the look.
 *
 * Needs a context manager, as the SDK for Node registers one. Spans show the runtime's time: in a simulation, virtual time.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Tracing {
  const { tracer = trace.getTracer('@mezzo/process'), propagator = traceContext } = options;
  return {
    active() {
      const active = context.active();
      const span = trace.getSpanContext(active);
      return span !== undefined && isSpanContextValid(span) ? active : undefined;
    },
    begin: (parent, event, to, clock) => new EventSpan(tracer, parent as Context, event, to, clock),
    outside: (run) => context.with(ROOT_CONTEXT, run),
    inject(active): TracingCarrier {
      const carrier: Record<string, string> = {};
      propagator.inject(active as Context, carrier, {
        set(into: Record<string, string>, key, value) {
          into[key] = value;
        },
      });
      return carrier;
    },
    extract(carrier) {
      const extracted = propagator.extract(ROOT_CONTEXT, carrier, {
        keys: (from: TracingCarrier) => Object.keys(from),
        get: (from: TracingCarrier, key) => (Object.hasOwn(from, key) ? from[key] : undefined),
      });
      return extracted === ROOT_CONTEXT ? undefined : extracted;
    },
  };
}

/** One event on its way through its handler. */
class EventSpan implements TracingSpan {
  readonly #span: Span;
  readonly #context: Context;
  readonly #clock: Clock;
  #ended = false;

  constructor(tracer: Tracer, parent: Context, event: Event, to: PID, clock: Clock) {
    this.#clock = clock;
    const startTime = timeOf(clock);
    this.#span = asNobody(() =>
      tracer.startSpan(
        `${event.name || event.kind} ${to.id}`,
        { kind: SpanKind.CONSUMER, startTime, attributes: attributesOf(event, to) },
        parent,
      ),
    );
    this.#context = trace.setSpan(parent, this.#span);
  }

  run(serve: () => void): void {
    context.with(this.#context, serve);
  }

  end(reason: ExitReason | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    const now = timeOf(this.#clock);
    asNobody(() => {
      if (reason?.kind === 'crashed') {
        this.#span.recordException(reason.error instanceof Error ? reason.error : reason.message, now);
        this.#span.setStatus({ code: SpanStatusCode.ERROR, message: reason.message });
      }
      this.#span.end(now);
    });
  }
}

/** Names of OpenTelemetry's semantic conventions for messaging. */
function attributesOf(event: Event, to: PID): Record<string, string> {
  return {
    'messaging.system': 'mezzo',
    'messaging.operation.type': 'process',
    'messaging.operation.name': event.kind,
    'messaging.destination.name': to.toString(),
    ...(event.from !== undefined && event.from.id !== '' && { 'mezzo.sender': event.from.toString() }),
  };
}

/** Seconds and nanoseconds: the SDK takes a plain number that is before its own start for something else. */
function timeOf(clock: Clock): HrTime {
  const now = clock.now();
  const seconds = Math.floor(now / 1000);
  return [seconds, Math.round((now - seconds * 1000) * 1e6)];
}

/** The SDK reads clocks and draws ids by itself, and an exporter talks to the outside: that is not the process's doing. */
function asNobody<T>(work: () => T): T {
  const previous = enterTurn(undefined);
  try {
    return work();
  } finally {
    enterTurn(previous);
  }
}
