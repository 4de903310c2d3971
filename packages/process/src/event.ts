import type { CallChain } from './call-chain.ts';
import type { Deferred } from './future/future.ts';
import type { PID } from './pid.ts';
import type { TracingSpan } from './tracing.ts';

/** Why a process ended, or why it counts as gone. */
export type ExitReason =
  | { readonly kind: 'terminated' }
  | { readonly kind: 'crashed'; readonly message: string; readonly error?: unknown }
  /** There is no such process, or its node does not answer. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** Its node was lost or the session to it broke; the process may be alive. */
  | { readonly kind: 'lost'; readonly message: string };

export type EventKind = 'message' | 'dispatch' | 'exited' | 'terminate';

/** What few events carry besides their content. */
export interface EventMeta {
  /** Of a dispatch: where its result goes. */
  readonly result?: Deferred<unknown> | undefined;
  /** Of an ask, dispatch or wait made by a process: who waits for it. */
  readonly chain?: CallChain | undefined;
  /** The tracing context it was sent in; see Tracing. */
  readonly trace?: unknown;
  /** While it is served: what traces it. */
  readonly span?: TracingSpan;
  /** In virtual time: what the sender's clock showed. */
  readonly time?: number;
}

/** One shape, and a small one, for every kind of event keeps the hot path monomorphic. What a field means depends on `kind`. */
export class Event {
  readonly kind: EventKind;
  /** Message name, or the dispatched method's name ('' for a closure). */
  readonly name: string;
  /** Sender, or who exited. */
  readonly from: PID | undefined;
  /** Message body, dispatched closure, exit reason, or whether a terminate overtakes. */
  readonly body: unknown;
  meta: EventMeta | undefined;

  constructor(kind: EventKind, name: string, from: PID | undefined, body: unknown, meta?: EventMeta) {
    this.kind = kind;
    this.name = name;
    this.from = from;
    this.body = body;
    this.meta = meta;
  }

  /** Of a dispatch: where its result goes. */
  get result(): Deferred<unknown> | undefined {
    return this.meta?.result;
  }
}
