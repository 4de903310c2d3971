export {
  AskTimeout,
  FutureAbandoned,
  FutureDiscarded,
  messageOf,
  OutcomeUnknown,
  ProcessError,
  ProcessGone,
  SpawnRefused,
} from './errors.ts';
export type { ErrorCode } from './errors.ts';
export { parseDuration, toMilliseconds } from './duration.ts';
export type { Duration } from './duration.ts';
export type { Event, EventKind, ExitReason } from './event.ts';
export { after, collect, select, settleAll, undiscardable } from './future/combinators.ts';
export { Deferred, Future } from './future/future.ts';
export type { Discardable, FutureState } from './future/future.ts';
export { message } from './message.ts';
export type { BodyOf, Message, SchemaResult, WireSchema } from './message.ts';
export type { Counter, MetricKind, MetricOptions, Metrics, PushGauge } from './metrics/metrics.ts';
export { Network } from './network.ts';
export type { Fate, NetworkOptions } from './network.ts';
export type { LocalPID } from './pid.ts';
export { PID } from './pid.ts';
export { nodeHardware } from './platform/node-hardware.ts';
export type { Hardware } from './platform/node-hardware.ts';
export { nodePlatform } from './platform/node-platform.ts';
export type {
  Child,
  Children,
  Clock,
  Command,
  ExitStatus,
  Files,
  Loop,
  Platform,
  Random,
  Signal,
  Timer,
} from './platform/platform.ts';
export { Process } from './process.ts';
export type { Unwrapped } from './process.ts';
export { json, methodNotAllowed, refusal, text } from './route.ts';
export type { HttpRequest, HttpResponse, Route, RouteHandler, RouteOptions } from './route.ts';
export { dispatch, Runtime } from './runtime.ts';
export type { AskOptions, DeadLetter, HttpEdge, Interceptor, Logger, RuntimeOptions } from './runtime-options.ts';
export type { Subscription, Transport, TransportEvents } from './transport.ts';
