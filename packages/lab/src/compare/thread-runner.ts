import { availableParallelism } from 'node:os';
import { execArgv as ours } from 'node:process';

import { Runtime } from '@mezzo/process';
import { WorkerPool } from '@mezzo/process/pool';

import type { Runner } from './compare.ts';
import type { Metrics } from './metrics.ts';
import type { Job } from './plan.ts';
import type * as work from './run-job.ts';

type Work = typeof work;

/** What threads import: this package as it runs here, compiled or not. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const file = new URL(`./run-job${extension}`, import.meta.url);

export interface ThreadRunnerOptions {
  /** Runs at a time. Default: as many as there are processors. */
  readonly threads?: number;
  /** Node's options for the threads, such as a loader for allocators in TypeScript. Default: those of this OS process. */
  readonly execArgv?: readonly string[];
}

/** Runs scenarios in worker threads. A run that takes its thread with it (out of memory) fails alone. */
export class ThreadRunner implements Runner, AsyncDisposable {
  readonly #runtime: Runtime;
  readonly #pool: WorkerPool<Work>;

  private constructor(runtime: Runtime, pool: WorkerPool<Work>) {
    this.#runtime = runtime;
    this.#pool = pool;
  }

  static async start(options: ThreadRunnerOptions = {}): Promise<ThreadRunner> {
    const { threads = availableParallelism(), execArgv = extension === '.ts' ? withLoader() : undefined } = options;
    const runtime = await Runtime.start({ name: 'lab' });
    try {
      const pool = await WorkerPool.start<Work>(runtime, {
        ...(execArgv === undefined ? {} : { execArgv }),
        file,
        threads,
        queue: Number.MAX_SAFE_INTEGER - threads,
      });
      return new ThreadRunner(runtime, pool);
    } catch (error) {
      await runtime.stop();
      throw error;
    }
  }

  async run(job: Job): Promise<Metrics> {
    return this.#pool.offload('runJob', job);
  }

  /** Ends the threads; runs that are not over fail. */
  async close(): Promise<void> {
    await this.#pool.close();
    await this.#runtime.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What this package needs in threads when it runs from its source. */
function withLoader(): readonly string[] {
  return [...ours, '--import', new URL('source-loader.mjs', import.meta.url).href];
}
