import { Cell } from './cell.ts';
import { type Duration, toMilliseconds } from './duration.ts';
import { AskTimeout, ProcessGone } from './errors.ts';
import { Deferred, Future } from './future/future.ts';
import type { LocalPID } from './pid.ts';
import type { Process, Unwrapped } from './process.ts';
import type { Runtime } from './runtime.ts';
import type { StreamReader } from './stream/stream-reader.ts';
import { currentOwner } from './turn.ts';

type Method<P> = Exclude<
  { [K in keyof P]: P[K] extends (...given: never[]) => unknown ? K : never }[keyof P],
  keyof Process
>;
type Arguments<P, M extends keyof P> = P[M] extends (...given: infer A) => unknown ? A : never;
type Result<P, M extends keyof P> = P[M] extends (...given: never[]) => infer R ? R : never;
type Bitwise = AsyncIterable<unknown> | Generator;

/** The methods of a process class, as calls that wait for the result. */
export type Asking<P> = {
  readonly [M in Method<P> as Result<P, M> extends Bitwise ? never : M]: (
    ...given: Arguments<P, M>
  ) => Future<Unwrapped<Result<P, M>>>;
};

/** The methods of a process class, as calls that nobody waits for. */
export type Telling<P> = {
  readonly [M in Method<P> as Result<P, M> extends Bitwise ? never : M]: (...given: Arguments<P, M>) => void;
};

/** Those methods of a process class that give their result bit by bit (generators). */
export type Streaming<P> = {
  readonly [M in Method<P> as Result<P, M> extends Bitwise ? M : never]: (
    ...given: Arguments<P, M>
  ) => Result<P, M> extends AsyncIterable<infer T> | Generator<infer T> ? StreamReader<T> : never;
};

export interface AskingOptions {
  /** Default 5 s. */
  readonly timeout?: Duration;
  /** Its abort discards the answer at once, and with it the Future that the method returned: whether its work stops is up to it. */
  readonly signal?: AbortSignal;
}

/** Each property is a function that calls the method of its name. */
function byName<T extends object>(call: (name: string, given: readonly unknown[]) => unknown): T {
  const handler: ProxyHandler<T> = {
    // Not a thenable: `await pid.ask` must not look for one.
    get: (_, name) =>
      typeof name === 'symbol' || name === 'then' ? undefined : (...given: unknown[]) => call(name, given),
  };
  // A proxy is of whatever type its handler makes it.
  return new Proxy<T>({} as T, handler);
}

export function asking<P>(pid: LocalPID<P>, options: AskingOptions): Asking<P> {
  const timeout = toMilliseconds(options.timeout ?? '5s');
  const { signal } = options;
  return byName<Asking<P>>((name, given) => {
    if (signal?.aborted === true) return Future.discarded();
    const answer = ask(pid, name, given, timeout);
    return signal === undefined ? answer : answer.discardOn(signal);
  });
}

export function telling<P>(pid: LocalPID<P>): Telling<P> {
  return byName<Telling<P>>((name, given) => {
    const { runtime } = cellOf(pid);
    runtime.delivery.dispatch(pid, (process) => invoke(process, name, given), name, undefined);
  });
}

export function streaming<P>(pid: LocalPID<P>): Streaming<P> {
  return byName<Streaming<P>>((name, given) => {
    const cell = cellOf(pid);
    const source = (process: Process) => itemsOf(invoke(process, name, given), name);
    return cell.runtime.streams.readMethod(cell, name, source, callerIn(cell.runtime));
  });
}

function itemsOf(source: unknown, name: string): Iterable<unknown> | AsyncIterable<unknown> {
  if (source instanceof Future && source.isFailed) throw source.failure();
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source) return source as AsyncIterable<unknown>;
    if (Symbol.iterator in source) return source as Iterable<unknown>;
  }
  throw new TypeError(`Method '${name}' gives no items: expected a generator or another iterable`);
}

/** A dispatch by name that fails if nothing comes of it. */
function ask(pid: LocalPID<unknown>, name: string, given: readonly unknown[], timeout: number): Future<unknown> {
  const { runtime } = cellOf(pid);
  const result = new Deferred<unknown>();
  let open = true;
  /** What comes later is dropped: also what a method that hears of the discard request gives at once. */
  const close = (): boolean => {
    const first = open;
    open = false;
    timer.cancel();
    return first;
  };
  const discard = (): void => {
    if (!close()) return;
    result.future.discard();
    answer.discard();
  };
  const answer = new Deferred<unknown>({ discard });
  const timer = runtime.clock.timer(timeout, () => {
    if (!close()) return;
    result.future.discard();
    answer.fail(new AskTimeout('ASK_TIMEOUT', `${pid.toString()} did not answer '${name}' within ${timeout} ms`));
  });
  const gone = (): void => {
    if (!close()) return;
    answer.fail(
      new ProcessGone('PROCESS_ENDED', `${pid.toString()} did not answer '${name}': it has ended, or gave up`),
    );
  };
  const settled = (outcome: Future<unknown>): void => {
    if (!close()) return;
    if (outcome.isReady) answer.set(outcome.get());
    else if (outcome.isFailed) answer.fail(outcome.failure());
    else answer.discard();
  };
  result.future.onAny(settled).onAbandoned(gone);
  runtime.delivery.dispatch(pid, (process) => invoke(process, name, given), name, result, callerIn(runtime)?.callChain);
  return answer.future;
}

/** The process of the runtime whose turn it is. */
function callerIn(runtime: Runtime): Cell | undefined {
  const caller = currentOwner();
  return caller instanceof Cell && caller.runtime === runtime ? caller : undefined;
}

function cellOf(pid: LocalPID<unknown>): Cell {
  if (pid.receiver instanceof Cell) return pid.receiver;
  throw new ProcessGone(
    'PROCESS_NOT_FOUND',
    `${pid.toString()} is no local process: only an address that spawn returned can be called by method; ask it by message`,
  );
}

/** What the method gives. Without such a method it is a dead letter, and FAILED: the process is not to blame. */
export function invoke(process: Process, name: string, given: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(process, name);
  if (typeof method === 'function') return Reflect.apply(method, process, given);
  const { runtime, pid, id } = process.cell;
  runtime.deadLetter({ reason: 'unhandled', name, from: undefined, to: pid });
  return Future.failed(new TypeError(`Process '${id}' has no method '${name}'`));
}
