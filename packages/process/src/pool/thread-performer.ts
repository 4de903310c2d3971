import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Transferable } from 'node:worker_threads';
import type { Tinypool } from 'tinypool';

import { messageOf, ProcessError } from '../errors.ts';
import type { Performer } from './performer.ts';
import type { Call, Outcome } from './work.ts';

/** A thread beyond the first that had nothing to do for this many milliseconds ends. */
const idleTimeout = 60_000;
/** What worker threads import: this package as it runs here, compiled or not. */
const entry = fileURLToPath(
  new URL(`./work${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
);

export function defaultThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

export interface ThreadOptions {
  readonly threads: number;
  readonly execArgv: readonly string[] | undefined;
  /** Hears of threads that died while they had nothing to do. */
  readonly onError: (error: unknown) => void;
}

/** Performs work in tinypool's worker threads; hears of those that die. */
export class ThreadPerformer implements Performer {
  readonly #pool: Tinypool;
  readonly #watched = new WeakSet<object>();
  /** Why a thread that had nothing to do died last. */
  #death: unknown;

  private constructor(pool: Tinypool, onError: (error: unknown) => void) {
    this.#pool = pool;
    pool.on('error', (error) => {
      this.#death = error;
      onError(error);
      // When a thread dies before it is ready tinypool starts no other, and what waits for one would wait for ever.
      if (pool.threads.length === 0) pool.cancelPendingTasks();
    });
  }

  /** Fails with WORK_UNAVAILABLE if tinypool is not installed. */
  static async start({ threads, execArgv, onError }: ThreadOptions): Promise<ThreadPerformer> {
    const { Tinypool } = await import('tinypool').catch((error: unknown) => {
      throw new ProcessError(
        'WORK_UNAVAILABLE',
        `A worker pool needs the package tinypool, which cannot be loaded (npm install tinypool): ${messageOf(error)}`,
        { cause: error },
      );
    });
    const nodeOptions = execArgv === undefined ? {} : { execArgv: [...execArgv] };
    const pool = new Tinypool({ minThreads: 1, maxThreads: threads, idleTimeout, ...nodeOptions });
    return new ThreadPerformer(pool, onError);
  }

  async perform(call: Call, transfer: readonly Transferable[], abort: AbortSignal): Promise<Outcome> {
    const options = { filename: entry, name: 'perform', signal: abort, transferList: [...transfer] };
    const outcome = this.#pool.run(call, options) as Promise<Outcome>;
    this.#watchThreads();
    try {
      return await outcome;
    } catch (error) {
      throw error instanceof Error && error.name === 'CancelError' ? this.#death : error;
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** tinypool hears errors of its threads, but for one that just exits it would wait for ever. */
  #watchThreads(): void {
    const pool = this.#pool;
    for (const thread of pool.threads) {
      if (this.#watched.has(thread)) continue;
      this.#watched.add(thread);
      thread.once('exit', (code: number) => {
        if (pool.threads.includes(thread)) thread.emit('error', new Error(`it exited with code ${code}`));
      });
    }
  }
}
