import { Cell, type Delegate, type Handler } from './cell.ts';
import { type Duration, toMilliseconds } from './duration.ts';
import { ProcessError } from './errors.ts';
import type { ExitReason } from './event.ts';
import { Deferred, type Future } from './future/future.ts';
import { HandlerTable } from './handler-table.ts';
import type { Message } from './message.ts';
import type { LocalPID, PID } from './pid.ts';
import type { Clock, Random, Timer } from './platform/platform.ts';
import { type Route, type RouteHandler, routeKey, type RouteOptions } from './route.ts';
import type { Runtime } from './runtime.ts';
import type { AskOptions } from './runtime-options.ts';

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

  /**
   * Handles messages of one kind; the last handler installed for a name wins. A sync handler is a turn of its own, an async
   * one holds the mailbox until it settles, one that returns a Future has ended its turn.
   */
  protected install<T>(kind: Message<T>, handler: (body: T, from: PID) => unknown): void {
    (this.cell.handlers ??= new HandlerTable<Handler>()).set(kind.name, {
      schema: kind.schema,
      run: handler as Handler['run'],
    });
  }

  /** Passes messages of one kind on, with their original sender, unless a handler is installed. */
  protected delegate<T>(kind: Message<T>, to: PID): void {
    (this.cell.delegates ??= new HandlerTable<Delegate>()).set(kind.name, { schema: kind.schema, to });
  }

  /** At most once, in order, never throws, never blocks. False: it is a dead letter already. */
  protected send<T>(to: PID, kind: Message<T>, ...body: T extends void ? [] : [T]): boolean;
  protected send<T>(to: PID, kind: Message<T>, body?: T): boolean {
    return this.cell.send(to, kind as Message<unknown>, body);
  }

  /** Sends to whoever sent the message being handled. Throws outside a message handler's turn. */
  protected reply<T>(kind: Message<T>, ...body: T extends void ? [] : [T]): boolean;
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

  /** Asks and gives the answer as a Future; register continuations through `defer`. */
  protected ask<Q, A>(to: PID, kind: Message<Q>, body: Q, options: AskOptions<A>): Future<A> {
    return this.cell.runtime.ask(to, kind, body, options);
  }

  /** `exited` will be called once when the linkee ends or its node is lost. Links to the same address are one. */
  protected link(to: PID): PID {
    this.cell.runtime.link(this.cell, to);
    return to;
  }

  /** Runs `fn` in a turn of this process after the given time; it is cancelled if the process ends before. */
  protected delay(duration: Duration, fn: () => unknown): Timer {
    return this.cell.delay(toMilliseconds(duration), fn);
  }

  /** A function that, called from anywhere, runs `fn` in a turn of this process. */
  protected defer<A extends unknown[]>(fn: (...args: A) => unknown): (...args: A) => void {
    const { runtime, pid } = this.cell;
    return (...args) => runtime.dispatchTo(pid, () => fn(...args), '', undefined);
  }

  /** As `defer` for a function whose result is wanted. */
  protected deferred<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => Future<Unwrapped<R>> {
    const { runtime, pid } = this.cell;
    return (...args) => {
      const result = new Deferred<unknown>();
      runtime.dispatchTo(pid, () => fn(...args), '', result);
      return result.future as Future<Unwrapped<R>>;
    };
  }

  /** Ends this process after the current turn; what is queued is dropped. */
  protected terminate(): void {
    this.cell.terminate(true);
  }

  /** At most this many messages wait in the mailbox; further ones are refused (`send` returns false). Default: no bound. */
  protected boundMailbox(messages: number): void {
    this.cell.bound = messages;
  }

  /**
   * Serves HTTP under `/<process id><path>`. The longest matching path wins; `/` matches the bare process path only.
   * Throws ROUTE_INVALID for a path that does not start with `/` or ends with one.
   */
  protected route(path: string, handler: RouteHandler, options: RouteOptions = {}): void {
    (this.cell.routes ??= new Map<string, Route>()).set(routeKey(path), { handler, options });
  }

  /**
   * Serves a file, or what is inside a folder, under `/<process id><path>`; routes come first. Nothing outside the folder
   * can be reached by a path, but symbolic links are followed: give no folder that others may write to. Throws
   * ROUTE_INVALID as `route` does.
   * @param target absolute path of a file or folder.
   */
  protected provide(path: string, target: string): void {
    (this.cell.assets ??= new Map<string, string>()).set(routeKey(path), target);
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
