import { Answers, type AnswerHandler } from './answer.ts';
import { Cell } from './cell.ts';
import type { OverflowPolicy } from './extras.ts';
import { type Delegate, Handler } from './handler.ts';
import type { DoorOptions } from './door/door.ts';
import { type Duration, toMilliseconds } from './duration.ts';
import { ProcessError } from './errors.ts';
import { isEndpoint } from './endpoints.ts';
import type { ExitReason } from './event.ts';
import { Deferred, type Future } from './future/future.ts';
import { HandlerTable } from './handler-table.ts';
import type { Message, Request, StreamRequest } from './message.ts';
import type { LocalPID, PID } from './pid.ts';
import type { Clock, Random, Timer } from './platform/platform.ts';
import { type Route, type RouteHandler, routeKey, type RouteOptions } from './route.ts';
import type { Runtime } from './runtime.ts';
import type { AskOptions, CallOptions, InstallOptions } from './runtime-options.ts';
import type { StreamOptions, StreamReader } from './stream/stream-reader.ts';
import type { Producer } from './stream/stream-writer.ts';
import type { Subscription } from './transport.ts';

/**
 * An actor: an id, a mailbox, and one event at a time. Subclasses install handlers for messages, in the constructor or in
 * `initialize`, and talk to others by `send`, `ask` and links only.
 */
export abstract class Process {
  /** @internal */
  readonly cell: Cell;

  /** @param id unique among the living processes of a runtime; without one, `(1)`, `(2)`, … is given at spawn. */
  constructor(id = '') {
    this.cell = new Cell(this, id);
  }

  /** The exact address. Throws PROCESS_NOT_SPAWNED before spawn. */
  get self(): LocalPID<this> {
    return this.cell.pid as LocalPID<this>;
  }

  /** Runs before the first event. Async: the mailbox waits for it. */
  protected initialize(): void | Promise<void> {}

  /** Runs when the process ends, whatever the reason. */
  protected finalize(_reason: ExitReason): void {}

  /** A process this one was linked to has ended, or counts as gone. */
  protected exited(_pid: PID, _reason: ExitReason): void | Promise<void> {}

  protected get runtime(): Runtime {
    return this.cell.runtime;
  }

  protected get clock(): Clock {
    return this.cell.runtime.clock;
  }

  protected get random(): Random {
    return this.cell.runtime.random;
  }

  /** Aborts when this process ends: for what is started on its behalf and can be cancelled by a signal. */
  protected get signal(): AbortSignal {
    return this.cell.signal;
  }

  /**
   * Handles messages of one kind; the last handler installed for a name wins. A sync handler is a turn of its own, an async
   * one holds the mailbox until it settles unless it is `interleaved`, one that returns a Future has ended its turn.
   */
  protected install<T>(kind: Message<T>, handler: (body: T, from: PID) => unknown, options: InstallOptions = {}): void {
    this.#handle(new Handler(kind as Message<unknown>, handler as Handler['run'], options.interleaved ?? false));
  }

  /**
   * Answers questions of one kind with what the handler returns. A FAILED, discarded or abandoned Future fails the ask with
   * AnswerFailed; an exception also ends the process, as in any handler.
   */
  protected answer<Q, A>(kind: Request<Q, A>, handler: AnswerHandler<Q, A>, options: InstallOptions = {}): void {
    const run = new Answers(this.cell, kind, handler).run;
    this.#handle(new Handler(kind as Message<unknown>, run, options.interleaved ?? false));
  }

  /**
   * Answers questions of one kind with a stream: the items of an iterable or async iterable, usually a generator. It is asked
   * for the next item as the reader's credit allows; the mailbox goes on meanwhile. What it throws ends the stream, not the
   * process. When nobody reads any more, its `finally` blocks run and `call.signal` aborts.
   */
  protected produce<Q, T>(kind: StreamRequest<Q, T>, producer: Producer<Q, T>): void {
    // The body was checked against the kind's schema, or came from a sender of this very kind.
    const run = (body: unknown, from: PID): void => {
      if (!isEndpoint(from))
        return this.cell.runtime.deadLetter({ reason: 'unhandled', name: kind.name, from, to: this.self });
      this.cell.runtime.streams.feed(this.cell, from, kind.item, (call) => producer(body as Q, from, call));
    };
    this.#handle(new Handler(kind as Message<unknown>, run, false));
  }

  /**
   * Passes messages of one kind on, with their original sender, unless a handler is installed. From one node by way of this
   * one to a third, asks are answered as ever; other messages arrive without a sender, for a node speaks for its own only.
   */
  protected delegate<T>(kind: Message<T>, to: PID): void {
    const { extras } = this.cell;
    (extras.delegates ??= new HandlerTable<Delegate>()).set({
      name: kind.name,
      schema: kind.schema,
      to,
      next: undefined,
    });
  }

  /** At most once, in order, never throws, never blocks. False: it is a dead letter already. */
  protected send<T>(to: PID, kind: Message<T>, ...body: [T] extends [void] ? [] : [T]): boolean;
  protected send<T>(to: PID, kind: Message<T>, body?: T): boolean {
    return this.cell.send(to, kind as Message<unknown>, body);
  }

  /** Sends to whoever sent the message being handled. Throws outside a message handler's turn. */
  protected reply<T>(kind: Message<T>, ...body: [T] extends [void] ? [] : [T]): boolean;
  protected reply<T>(kind: Message<T>, body?: T): boolean {
    const from = this.cell.sender;
    if (from === undefined) {
      throw new ProcessError(
        'PROCESS_NOT_FOUND',
        `reply('${kind.name}') outside a message handler: keep the handler's 'from' and send to it`,
      );
    }
    return this.cell.send(from, kind as Message<unknown>, body);
  }

  /**
   * Asks and gives the answer as a Future; register continuations through `defer`. An async handler may await it, but not of
   * a process that waits for this very handler: that fails at once with WaitCycle.
   */
  protected ask<Q, A>(to: PID, kind: Request<Q, A>, body: Q, options?: CallOptions): Future<A>;
  protected ask<Q, A>(to: PID, kind: Message<Q>, body: Q, options: AskOptions<A>): Future<A>;
  protected ask<Q>(to: PID, kind: Message<Q>, body: Q, options: Partial<AskOptions<unknown>> = {}): Future<unknown> {
    return this.cell.runtime.askFor(to, kind, body, options, this.cell.callChain);
  }

  /** As `runtime.stream`, for a reader that ends with this process. */
  protected stream<Q, T>(to: PID, kind: StreamRequest<Q, T>, body: Q, options: StreamOptions = {}): StreamReader<T> {
    return this.cell.runtime.streams.read(to, kind, body, options, this.cell);
  }

  /** As `runtime.dispatch`, but fails at once with WaitCycle where awaiting it would never end. */
  protected dispatch<P extends Process, R>(pid: LocalPID<P>, call: (process: P) => R): Future<Unwrapped<R>> {
    const result = new Deferred<unknown>();
    const { runtime, callChain } = this.cell;
    runtime.delivery.dispatch(pid, call as (process: Process) => unknown, '', result, callChain);
    return result.future as Future<Unwrapped<R>>;
  }

  /** As `runtime.wait`, but fails at once with WaitCycle for this process itself and for one that waits for this handler. */
  protected wait(pid: PID, options: { readonly timeout?: Duration } = {}): Future<boolean> {
    return this.cell.runtime.living.wait(pid, options.timeout, this.cell);
  }

  /**
   * `exited` will be called once when the linkee ends or its node is lost. Links to the same address are one.
   *
   * @param options `reconnect` also has the linkee's node prove that it is there, within the link timeout: for a peer from
   *   which something was expected and did not come.
   */
  protected link(to: PID, options: { readonly reconnect?: boolean } = {}): PID {
    this.cell.runtime.delivery.link(this.cell, to, options.reconnect ?? false);
    return to;
  }

  /**
   * Sends itself a message, in the name of the watched process, once that has ended or counts as gone: behind everything
   * it sent before. `cancel` ends the watch.
   */
  protected watch<T>(pid: PID, kind: Message<T>, ...body: [T] extends [void] ? [] : [T]): Subscription;
  protected watch<T>(pid: PID, kind: Message<T>, body?: T): Subscription {
    const { runtime, pid: self } = this.cell;
    const end = runtime
      .watch(pid, self)
      .onReady(() => void runtime.delivery.message(self, kind as Message<unknown>, body, pid));
    return { cancel: () => void end.discard() };
  }

  /** Runs `fn` in a turn of this process after the given time; it is cancelled if the process ends before. */
  protected delay(duration: Duration, fn: () => unknown): Timer {
    return this.cell.delay(toMilliseconds(duration), fn);
  }

  /** A function that, called from anywhere, runs `fn` in a turn of this process. */
  protected defer<A extends unknown[]>(fn: (...args: A) => unknown): (...args: A) => void {
    const { runtime, pid } = this.cell;
    return (...args) => runtime.delivery.dispatch(pid, () => fn(...args), '', undefined);
  }

  /** As `defer` for a function whose result is wanted. */
  protected deferred<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => Future<Unwrapped<R>> {
    const { runtime, pid } = this.cell;
    return (...args) => {
      const result = new Deferred<unknown>();
      runtime.delivery.dispatch(pid, () => fn(...args), '', result);
      return result.future as Future<Unwrapped<R>>;
    };
  }

  /** Ends this process after the current turn; what is queued is dropped. */
  protected terminate(): void {
    this.cell.terminate(true);
  }

  /**
   * At most this many messages wait in the mailbox. By default further ones are refused (`send` returns false, an ask fails);
   * `drop-oldest` makes room for them instead. Either way a dead letter tells of the loss, and events other than messages
   * always have room. Default: no bound. Throws COUNT_INVALID for what is no whole number from 0 on nor Infinity, and for an
   * unknown overflow policy.
   */
  protected boundMailbox(messages: number, options: { readonly overflow?: OverflowPolicy } = {}): void {
    const { overflow = 'refuse' } = options;
    if (!(messages === Infinity || (Number.isSafeInteger(messages) && messages >= 0))) {
      throw new ProcessError(
        'COUNT_INVALID',
        `Invalid bound ${String(messages)} of the mailbox of '${this.cell.id}': expected a whole number from 0 on, or Infinity`,
      );
    }
    if (overflow !== 'refuse' && overflow !== 'drop-oldest') {
      throw new ProcessError(
        'COUNT_INVALID',
        `Unknown overflow policy '${String(overflow)}' of the mailbox of '${this.cell.id}': expected 'refuse' or 'drop-oldest'`,
      );
    }
    this.cell.bound = messages;
    if (options.overflow !== undefined) this.cell.extras.overflow = overflow;
  }

  /**
   * Serves HTTP under `/<process id><path>`. The longest matching path wins; `/` matches the bare process path only.
   * Throws ROUTE_INVALID for a path that does not start with `/` or ends with one.
   */
  protected route(path: string, handler: RouteHandler, options: RouteOptions = {}): void {
    (this.cell.extras.routes ??= new Map<string, Route>()).set(routeKey(path), { handler, options });
  }

  /**
   * Serves a file, or what is inside a folder, under `/<process id><path>`; routes come first. Nothing outside the folder
   * can be reached by a path, but symbolic links are followed: give no folder that others may write to. Throws
   * ROUTE_INVALID as `route` does.
   * @param target absolute path of a file or folder.
   */
  protected provide(path: string, target: string): void {
    (this.cell.extras.assets ??= new Map<string, string>()).set(routeKey(path), target);
  }

  /** Lets anybody on the broker send this process JSON under a name, by default its id; see Runtime.open. */
  protected open(name?: string, options?: DoorOptions): Subscription {
    return this.cell.runtime.open(this.self, name, options);
  }

  #handle(handler: Handler): void {
    (this.cell.handlers ??= new HandlerTable<Handler>()).set(handler);
  }

  /** @internal */
  runInitialize(): void | Promise<void> {
    return this.initialize();
  }

  /** @internal */
  runFinalize(reason: ExitReason): void {
    this.finalize(reason);
  }

  /** @internal */
  runExited(pid: PID, reason: ExitReason): void | Promise<void> {
    return this.exited(pid, reason);
  }
}

/** What a dispatch gives: a Future of the method's value, flattened. */
export type Unwrapped<R> = R extends PromiseLike<infer V> ? V : R;
