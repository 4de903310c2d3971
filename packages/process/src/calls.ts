import type { CallChain } from './call-chain.ts';
import { Cell } from './cell.ts';
import type { Belonging } from './extras.ts';
import { type Duration, toMilliseconds } from './duration.ts';
import { AskTimeout, ProcessGone } from './errors.ts';
import { Deferred, Future } from './future/future.ts';
import { isThenable } from './future/outcome.ts';
import type { LocalPID } from './pid.ts';
import type { Process, Unwrapped } from './process.ts';
import type { Runtime } from './runtime.ts';
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
  ) => Result<P, M> extends AsyncIterable<infer T> | Generator<infer T> ? AsyncIterableIterator<T> : never;
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
  return byName<Streaming<P>>((name, given) => new MethodStream(cellOf(pid), name, given));
}

type Items = Iterator<unknown> | AsyncIterator<unknown>;
type Step = (items: Items) => IteratorResult<unknown> | Promise<IteratorResult<unknown>>;

const over = { done: true, value: undefined } as const;

/**
 * The items of a generator method, each fetched by a round trip within the runtime and taken in a turn of its process.
 * Nothing is sent ahead of the reader, so there is no window; what the generator throws reaches the reader as it is.
 */
class MethodStream implements AsyncIterableIterator<unknown>, Belonging {
  readonly #cell: Cell;
  readonly #name: string;
  readonly #given: readonly unknown[];
  #items: Items | undefined;
  /** Who waits for an item, to be told if the process ends before. */
  readonly #waiting = new Set<(gone: ProcessGone) => void>();
  /** Nobody reads any more. */
  #left = false;

  constructor(cell: Cell, name: string, given: readonly unknown[]) {
    this.#cell = cell;
    this.#name = name;
    this.#given = given;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    return this.#left ? over : this.#turn((items) => items.next());
  }

  /** Has the generator run its `finally` blocks, in a turn of the process. */
  async return(): Promise<IteratorResult<unknown>> {
    const begun = this.#items !== undefined && !this.#left;
    this.#left = true;
    // Not begun, or the process is gone: there is nothing to close.
    if (!begun || this.#cell.ended) return over;
    try {
      await this.#turn((items) => items.return?.() ?? over);
    } catch (error) {
      if (!(error instanceof ProcessGone)) throw error;
    }
    return over;
  }

  /** The process has ended: what waits in the generator may never come. */
  ownerEnded(): void {
    this.#left = this.#waiting.size > 0;
    const error = new ProcessGone(
      'PROCESS_ENDED',
      `${this.#cell.pid.toString()} has ended in the midst of '${this.#name}'`,
    );
    for (const fail of this.#waiting) fail(error);
    this.#waiting.clear();
    this.#close();
  }

  #turn(step: Step): Promise<IteratorResult<unknown>> {
    const { runtime, pid } = this.#cell;
    return new Promise((resolve, reject) => {
      const given = (result: IteratorResult<unknown>): void => {
        this.#waiting.delete(reject);
        if (result.done === true) this.#forget();
        resolve(result);
      };
      const failed = (error: unknown): void => {
        this.#waiting.delete(reject);
        this.#forget();
        reject(error);
      };
      this.#waiting.add(reject);
      const turn = (process: Process): void => {
        // A promise of the next item must not hold the mailbox, and what the generator throws is the reader's.
        this.#attempt(process, step).then(given, failed);
      };
      const result = new Deferred<unknown>();
      const text = `${pid.toString()} has ended before '${this.#name}' could go on`;
      result.future.onFailed(failed).onAbandoned(() => failed(new ProcessGone('PROCESS_ENDED', text)));
      runtime.delivery.dispatch(pid, turn, this.#name, result, chainTo(runtime));
    });
  }

  async #attempt(process: Process, step: Step): Promise<IteratorResult<unknown>> {
    if (this.#items === undefined) {
      if (this.#left) return over;
      this.#items = itemsOf(invoke(process, this.#name, this.#given), this.#name);
      (this.#cell.extras.belongings ??= new Set()).add(this);
    }
    return step(this.#items);
  }

  /** The generator is over. */
  #forget(): void {
    this.#left = true;
    if (!this.#cell.ended) this.#cell.extras.belongings?.delete(this);
  }

  #close(): void {
    const threw = (error: unknown): void => {
      this.#cell.runtime.report(error, `'${this.#name}' of ${this.#cell.pid.toString()} threw while it was closed`);
    };
    try {
      const closed = this.#items?.return?.();
      if (isThenable(closed)) closed.then(undefined, threw);
    } catch (error) {
      threw(error);
    }
  }
}

function itemsOf(source: unknown, name: string): Items {
  if (source instanceof Future && source.isFailed) throw source.failure();
  if (typeof source === 'object' && source !== null) {
    if (Symbol.asyncIterator in source) return (source as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    if (Symbol.iterator in source) return (source as Iterable<unknown>)[Symbol.iterator]();
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
  runtime.delivery.dispatch(pid, (process) => invoke(process, name, given), name, result, chainTo(runtime));
  return answer.future;
}

/** Of a process's own turn: who waits. */
function chainTo(runtime: Runtime): CallChain | undefined {
  const caller = currentOwner();
  return caller instanceof Cell && caller.runtime === runtime ? caller.callChain : undefined;
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
