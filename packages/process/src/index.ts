export type { AnswerHandler, Call } from './answer.ts';
export type { OverflowPolicy } from './extras.ts';
export type { Asking, AskingOptions, Streaming, Telling } from './calls.ts';
export {
  AnswerFailed,
  AskTimeout,
  FutureAbandoned,
  FutureDiscarded,
  messageOf,
  OutcomeUnknown,
  ProcessError,
  ProcessGone,
  SpawnRefused,
  StreamFailed,
  WaitCycle,
} from './errors.ts';
export type { ErrorCode } from './errors.ts';
export { CountDownLatch } from './concurrency/count-down-latch.ts';
export type { Held } from './concurrency/held.ts';
export { Latch } from './concurrency/latch.ts';
export { Mutex } from './concurrency/mutex.ts';
export { Once } from './concurrency/once.ts';
export { Queue } from './concurrency/queue.ts';
export { parseRate, RateLimiter } from './concurrency/rate-limiter.ts';
export { ReadWriteLock } from './concurrency/read-write-lock.ts';
export { Sequence } from './concurrency/sequence.ts';
export { StateMachine } from './concurrency/state-machine.ts';
export { maxDuration, parseDuration, toMilliseconds } from './duration.ts';
export type { Duration } from './duration.ts';
export type { DoorOptions } from './door/door.ts';
export type { Event, EventKind, EventMeta, ExitReason } from './event.ts';
export { Executor } from './executor.ts';
export { after, collect, select, settleAll, undiscardable } from './future/combinators.ts';
export { Deferred, Future } from './future/future.ts';
export type { Discardable, FutureState } from './future/future.ts';
export { Break, Continue, loop } from './future/loop.ts';
export type { ControlFlow, LoopPlace, LoopSteps } from './future/loop.ts';
export type { Inspected, Inspector } from './inspection.ts';
export { message, request, streamRequest } from './message.ts';
export type { BodyOf, Message, Request, SchemaResult, StreamRequest, WireSchema } from './message.ts';
export { withLevel } from './log-level.ts';
export type { LevelledLogger, LogLevel } from './log-level.ts';
export { Counter } from './metrics/counter.ts';
export { Metric } from './metrics/metric.ts';
export type { MetricKind, MetricOptions, RecordedMetricOptions } from './metrics/metric.ts';
export { MetricTimer } from './metrics/metric-timer.ts';
export type { TimerUnit } from './metrics/metric-timer.ts';
export type { Metrics, SnapshotOptions } from './metrics/metrics.ts';
export { PullGauge } from './metrics/pull-gauge.ts';
export { PushGauge } from './metrics/push-gauge.ts';
export type { Reading } from './metrics/readings.ts';
export { statisticsOf } from './metrics/statistics.ts';
export type { Statistics } from './metrics/statistics.ts';
export { TimeSeries } from './metrics/time-series.ts';
export type { TimedValue, TimeSeriesOptions } from './metrics/time-series.ts';
export { Network } from './network.ts';
export type { DoorAnswer, Fate, NetworkOptions } from './network.ts';
export type { LocalPID } from './pid.ts';
export { PID } from './pid.ts';
export { ManualClock } from './platform/manual-clock.ts';
export { nodeHardware } from './platform/node-hardware.ts';
export { nodePlatform } from './platform/node-platform.ts';
export type {
  Child,
  Children,
  Clock,
  Command,
  ExitStatus,
  Files,
  Hardware,
  LoadAverages,
  Loop,
  Platform,
  Random,
  Signal,
  Timer,
} from './platform/platform.ts';
export { Members } from './group/registry-messages.ts';
export { Registry } from './group/registry.ts';
export type { RegistryOptions } from './group/registry.ts';
export { Process } from './process.ts';
export type { Unwrapped } from './process.ts';
export { json, methodNotAllowed, refusal, text } from './route.ts';
export type { HttpRequest, HttpResponse, Route, RouteHandler, RouteOptions } from './route.ts';
export type { Choice } from './routing/choice.ts';
export { Group } from './routing/group.ts';
export type { GroupOptions } from './routing/group.ts';
export { Pool } from './routing/pool.ts';
export type { PoolOptions } from './routing/pool.ts';
export { dispatch, Runtime } from './runtime.ts';
export type {
  AskOptions,
  CallOptions,
  DeadLetter,
  HttpEdge,
  InstallOptions,
  Interceptor,
  Logger,
  RuntimeOptions,
} from './runtime-options.ts';
export type { StreamOptions, StreamReader } from './stream/stream-reader.ts';
export type { Producer, StreamCall } from './stream/stream-writer.ts';
export type { Backoff } from './supervision/backoff.ts';
export type { ChildSpec, ChildState } from './supervision/child.ts';
export { AddChild, ChildAdded, ChildRemoved, RemoveChild, Supervisor } from './supervision/supervisor.ts';
export type { SupervisorOptions } from './supervision/supervisor.ts';
export type { Tracing, TracingCarrier, TracingSpan } from './tracing.ts';
export { Time } from './time.ts';
export type { DoorHeaders, DoorMessage, Subscription, Transport, TransportEvents } from './transport.ts';
