import {
  type Context,
  createTraceState,
  defaultTextMapGetter,
  defaultTextMapSetter,
  isSpanContextValid,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';

const parentHeader = 'traceparent';
const stateHeader = 'tracestate';
/** Version, trace id, parent span id, flags (w3.org/TR/trace-context, version 00). Later versions may append fields. */
const parentShape = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** W3C trace context. The API package brings no propagator of its own. */
export const traceContext: TextMapPropagator = {
  fields: () => [parentHeader, stateHeader],

  inject(context: Context, carrier: unknown, setter = defaultTextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span === undefined || !isSpanContextValid(span)) return;
    const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
    setter.set(carrier, parentHeader, `00-${span.traceId}-${span.spanId}-${flags}`);
    const state = span.traceState?.serialize() ?? '';
    if (state !== '') setter.set(carrier, stateHeader, state);
  },

  extract(context: Context, carrier: unknown, getter = defaultTextMapGetter): Context {
    const parent = getter.get(carrier, parentHeader);
    const [, version, traceId, spanId, flags, more] = (typeof parent === 'string' && parentShape.exec(parent)) || [];
    if (traceId === undefined || spanId === undefined || flags === undefined) return context;
    if (version === 'ff' || (version === '00' && more !== undefined)) return context;
    const state = getter.get(carrier, stateHeader);
    const traceState = typeof state === 'string' ? createTraceState(state) : undefined;
    const span = {
      traceId,
      spanId,
      traceFlags: Number.parseInt(flags, 16),
      isRemote: true,
      ...(traceState && { traceState }),
    };
    return isSpanContextValid(span) ? trace.setSpanContext(context, span) : context;
  },
};
