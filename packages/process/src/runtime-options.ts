import type { Duration } from './duration.ts';
import type { Event } from './event.ts';
import type { Future } from './future/future.ts';
import type { Message } from './message.ts';
import type { NodeOptions } from './node/node.ts';
import type { PID } from './pid.ts';
import type { Platform } from './platform/platform.ts';
import type { Runtime } from './runtime.ts';
import type { Tracing } from './tracing.ts';
import type { Transport } from './transport.ts';

/** pino's shape, so that a pino logger can be passed as it is. */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** A message that nobody took. */
export interface DeadLetter {
  readonly reason:
    | 'unknown'
    | 'stale'
    | 'ended'
    | 'overflow'
    | 'wait-cycle'
    | 'unhandled'
    | 'local-only'
    | 'unencodable'
    | 'too-large'
    | 'unreachable'
    | 'session';
  readonly name: string;
  readonly from: PID | undefined;
  readonly to: PID;
}

/**
 * Decides about an event just before it is served: `drop` loses it (a dispatch's future is abandoned), `keep` leaves it to
 * the interceptor. Terminates cannot be intercepted. The testing kit builds on it.
 */
export type Interceptor = (event: Event, to: PID) => 'serve' | 'drop' | 'keep';

/** A server that gives the processes' routes to the outside; `httpServer` of `@mezzo/process/http` is one. */
export interface HttpEdge {
  start(runtime: Runtime): Future<{ readonly url: string }>;
  stop(): Future<void>;
}

export interface RuntimeOptions extends NodeOptions {
  /** Name of this node, unique among those that share a transport. Default `node-` and a random number. */
  readonly name?: string;
  /** Default: the real one. */
  readonly platform?: Platform;
  /** Default: none, the runtime is alone. */
  readonly transport?: Transport;
  /** Default: none. */
  readonly http?: HttpEdge;
  /** Deep-freezes what is sent inside the runtime, so that sharing what is later changed throws. For tests. Default false. */
  readonly freeze?: boolean;
  /** Default: silent, but for errors, which go to `onError`. */
  readonly log?: Logger;
  /** An async handler that holds its mailbox for longer is reported with its name. Default 10 s. */
  readonly longHold?: Duration;
  /** Default: none. `openTelemetry()` of `@mezzo/process/tracing` is one. */
  readonly tracing?: Tracing;
  /** Hears of crashes and of errors that belong to nobody. Default: `log.error`, or else console.error. */
  readonly onError?: (error: unknown, context: string) => void;
}

export interface CallOptions {
  /** Default 5 s. */
  readonly timeout?: Duration;
  /** Its abort discards the answer, and tells whoever works on it. */
  readonly signal?: AbortSignal;
}

export interface AskOptions<A> extends CallOptions {
  /** The kind of the answer. */
  readonly reply: Message<A>;
}

export interface InstallOptions {
  /** The mailbox goes on while a promise that the handler returned is pending. Default false. */
  readonly interleaved?: boolean;
}
