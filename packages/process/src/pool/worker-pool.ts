import type { Transferable } from 'node:worker_threads';

import { type Duration, toMilliseconds } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';
import { Deferred, Future } from '../future/future.ts';
import type { Clock, Timer } from '../platform/platform.ts';
import type { Runtime } from '../runtime.ts';
import { restore } from './carried-error.ts';
import { InlinePerformer } from './inline-performer.ts';
import type { Performer } from './performer.ts';
import { defaultThreads, ThreadPerformer } from './thread-performer.ts';
import type { Outcome } from './work.ts';
import { WorkerCrashed, WorkTimeout } from './work-errors.ts';

export interface WorkerPoolOptions {
  /** The module whose exported functions are the work: `new URL('./work.js', import.meta.url)`. */
  readonly file: URL;
  /** So much work is done at a time. Default: the processors less one, at least 1; in a simulation 4 on any machine. */
  readonly threads?: number;
  /** So much work may wait for a thread; more is refused with WORK_QUEUE_FULL. Default 1,000. */
  readonly queue?: number;
  /** Node's options for the threads, such as `--import` for a module in TypeScript. Default: those of this OS process. */
  readonly execArgv?: readonly string[];
}

export interface OffloadOptions {
  /** From now until the value is there, waiting for a thread included. Default: none. */
  readonly timeout?: Duration;
  /** Its abort discards the future. */
  readonly signal?: AbortSignal;
  /** Parts of the argument, such as ArrayBuffers, that move to the thread instead of being copied; here they are gone then. */
  readonly transfer?: readonly Transferable[];
}

/** The functions of a module that can be offloaded: of one argument or none. */
export type WorkNames<M> = { [K in keyof M]: M[K] extends (argument: never) => unknown ? K : never }[keyof M] & string;
export type ArgumentOf<M, K extends keyof M> = M[K] extends (argument: infer A) => unknown ? A : never;
export type ResultOf<M, K extends keyof M> = M[K] extends (argument: never) => infer R ? Awaited<R> : never;
/** A module nothing is known of. */
export type Work = Readonly<Record<string, (argument: unknown) => unknown>>;

/** An argument that may be undefined may be left out. */
type Given<A> = undefined extends A
  ? [argument?: A, options?: OffloadOptions]
  : [argument: A, options?: OffloadOptions];

const simulatedThreads = 4;

/**
 * CPU-bound work off the event loop: functions that a module exports, called in worker threads. Arguments and values are
 * cloned, so both sides keep their own. In a simulation the same functions are called in this thread, in later turns of the
 * virtual clock, and take no virtual time; they must be functions of their argument alone, or histories will not repeat.
 *
 * ```ts
 * const file = new URL('./work.js', import.meta.url);
 * await using workers = await WorkerPool.start<typeof import('./work.ts')>(runtime, { file });
 * workers.offload('digest', text, { timeout: '10s' }).onReady(this.defer((digest) => this.keep(digest)));
 * ```
 */
export class WorkerPool<M extends object = Work> implements AsyncDisposable {
  readonly #file: URL;
  readonly #clock: Clock;
  readonly #performer: Performer;
  readonly #threads: number;
  readonly #queue: number;
  /** In the order they came; those that run and those that wait. */
  readonly #jobs = new Set<Job>();
  #running = 0;
  #closing: Future<void> | undefined;

  private constructor(runtime: Runtime, performer: Performer, threads: number, options: WorkerPoolOptions) {
    this.#file = options.file;
    this.#clock = runtime.clock;
    this.#performer = performer;
    this.#threads = threads;
    this.#queue = options.queue ?? 1000;
  }

  /**
   * Starts a thread and loads the module there. FAILED with WORK_UNAVAILABLE if it cannot be loaded or tinypool is not
   * installed, WorkerCrashed if the thread dies over it, or POOL_OPTION_INVALID.
   */
  static start<M extends object = Work>(runtime: Runtime, options: WorkerPoolOptions): Future<WorkerPool<M>> {
    return Future.from(WorkerPool.#start<M>(runtime, options));
  }

  static async #start<M extends object>(runtime: Runtime, options: WorkerPoolOptions): Promise<WorkerPool<M>> {
    const { simulated } = runtime.platform;
    const threads = options.threads ?? (simulated ? simulatedThreads : defaultThreads());
    checkCount('threads', threads, 1);
    checkCount('queue', options.queue ?? 0, 0);
    const performer = simulated
      ? new InlinePerformer(runtime.clock)
      : await ThreadPerformer.start({
          threads,
          execArgv: options.execArgv,
          onError: (error) => runtime.report(error, `an idle worker thread for ${options.file.href} died`),
        });
    const pool = new WorkerPool<M>(runtime, performer, threads, options);
    try {
      await pool.#add(undefined, undefined, {});
      return pool;
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  /** Work that a thread does just now. */
  get running(): number {
    return this.#running;
  }
  /** Work that waits for a thread. */
  get waiting(): number {
    return this.#jobs.size - this.#running;
  }

  /**
   * Calls the function `name` of the module in a worker thread, as soon as one is free. The Future fails with what the
   * function throws, as an Error of the same name, message, code and cause, or with a ProcessError: WorkTimeout,
   * WorkerCrashed, WORK_QUEUE_FULL, WORK_UNAVAILABLE (no such function), MESSAGE_INVALID (argument or value cannot be cloned)
   * or POOL_CLOSED. Discarding it ends the thread if it has begun; another takes its place. The argument may be cloned only
   * when a thread is free: do not change it.
   */
  offload<K extends WorkNames<M>>(name: K, ...given: Given<ArgumentOf<M, K>>): Future<ResultOf<M, K>> {
    const [argument, options] = given;
    // The module's own types say what it returns.
    return this.#add(name, argument, options ?? {}) as Future<ResultOf<M, K>>;
  }

  /** Ends the threads; what was not done yet fails with POOL_CLOSED. */
  close(): Future<void> {
    if (this.#closing !== undefined) return this.#closing;
    const jobs = [...this.#jobs];
    this.#jobs.clear();
    this.#closing = Future.from(this.#performer.close());
    for (const job of jobs) job.end();
    for (const job of jobs) job.result.fail(this.#closed());
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add(name: string | undefined, argument: unknown, options: OffloadOptions): Future<unknown> {
    if (this.#closing !== undefined) return Future.failed(this.#closed());
    if (this.#jobs.size >= this.#threads + this.#queue) {
      return Future.failed(
        new ProcessError(
          'WORK_QUEUE_FULL',
          `'${name}' was refused: ${this.#queue} calls wait for the ${this.#threads} threads of ${this.#file.href} already`,
        ),
      );
    }
    const { signal, transfer = [] } = options;
    const timeout = options.timeout === undefined ? undefined : toMilliseconds(options.timeout);
    const job: Job = new Job(name, argument, transfer, () => this.#giveUp(job, () => void job.result.discard()));
    this.#jobs.add(job);
    if (timeout !== undefined) job.timer = this.#clock.timer(timeout, () => this.#timeOut(job, timeout));
    if (signal !== undefined) job.result.future.discardOn(signal);
    this.#startNext();
    return job.result.future;
  }

  #startNext(): void {
    if (this.#running >= this.#threads) return;
    // Those that run came first, so there are few to pass over.
    for (const job of this.#jobs) {
      if (job.running) continue;
      job.running = true;
      this.#running++;
      const call = { module: this.#file.href, name: job.name, argument: job.argument };
      this.#performer.perform(call, job.transfer, job.abort.signal).then(
        (outcome) => this.#finish(job, () => this.#settle(job, outcome)),
        (error: unknown) => this.#finish(job, () => void job.result.fail(this.#failure(job, error))),
      );
      return;
    }
  }

  #timeOut(job: Job, timeout: number): void {
    this.#giveUp(job, () => {
      const state = job.running ? 'did not end' : 'got no thread';
      job.result.fail(
        new WorkTimeout('WORK_TIMEOUT', `'${job.name}' of ${this.#file.href} ${state} within ${timeout} ms`),
      );
    });
  }

  #giveUp(job: Job, complete: () => void): void {
    job.abort.abort();
    this.#finish(job, complete);
  }

  #finish(job: Job, complete: () => void): void {
    if (!this.#jobs.delete(job)) return;
    if (job.running) this.#running--;
    job.end();
    complete();
    if (this.#closing === undefined) this.#startNext();
  }

  #settle(job: Job, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'done':
        return void job.result.set(outcome.value);
      case 'threw':
        return void job.result.fail(restore(outcome.error));
      case 'unclonable':
        return void job.result.fail(this.#unclonable(job, 'value', restore(outcome.error)));
      case 'unloadable': {
        const cause = restore(outcome.error);
        const message = `Module ${this.#file.href} cannot be loaded for its work: ${cause.message}`;
        return void job.result.fail(new ProcessError('WORK_UNAVAILABLE', message, { cause }));
      }
      case 'missing': {
        const known = outcome.known.length === 0 ? 'no functions' : outcome.known.join(', ');
        const message = `Module ${this.#file.href} exports no function '${job.name}'; it exports ${known}`;
        return void job.result.fail(new ProcessError('WORK_UNAVAILABLE', message));
      }
    }
  }

  #failure(job: Job, error: unknown): ProcessError {
    if (error instanceof Error && error.name === 'DataCloneError') return this.#unclonable(job, 'argument', error);
    const what = job.name === undefined ? 'Loading' : `'${job.name}' of`;
    const message = `${what} ${this.#file.href} failed: the worker thread died: ${messageOf(error)}`;
    return new WorkerCrashed('WORKER_CRASHED', message, { cause: error });
  }

  #unclonable(job: Job, what: string, cause: Error): ProcessError {
    const message = `The ${what} of '${job.name}' of ${this.#file.href} cannot be cloned: ${cause.message}`;
    return new ProcessError('MESSAGE_INVALID', message, { cause });
  }

  #closed(): ProcessError {
    return new ProcessError('POOL_CLOSED', `The worker pool of ${this.#file.href} was closed`);
  }
}

function checkCount(option: string, given: number, least: number): void {
  if (Number.isInteger(given) && given >= least) return;
  throw new ProcessError(
    'POOL_OPTION_INVALID',
    `Invalid worker pool option ${option}: got ${given}, expected a whole number of at least ${least}`,
  );
}

/** Work from its offloading to its outcome. */
class Job {
  readonly name: string | undefined;
  readonly argument: unknown;
  readonly transfer: readonly Transferable[];
  readonly abort = new AbortController();
  readonly result: Deferred<unknown>;
  running = false;
  timer: Timer | undefined;

  constructor(name: string | undefined, argument: unknown, transfer: readonly Transferable[], discard: () => void) {
    this.name = name;
    this.argument = argument;
    this.transfer = transfer;
    this.result = new Deferred<unknown>({ discard });
  }

  end(): void {
    this.timer?.cancel();
  }
}
