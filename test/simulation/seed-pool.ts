import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { SeedJob, SeedOutcome } from './run-seed.ts';

const file = new URL('seed-process.ts', import.meta.url);
/** What this OS process runs from its source with, and room for what a world throws away: less to copy. */
const execArgv = ['--import', 'tsx', '--conditions=mezzo:source', '--max-semi-space-size=32'];

export interface SeedPoolOptions {
  /** OS processes at a time. Default: one per core. */
  readonly processes?: number;
  /** Hears of each outcome as it comes. */
  readonly done?: (outcome: SeedOutcome) => void;
}

/** Runs all of the jobs in OS processes of their own; their outcomes in the order of the jobs. */
export async function runSeeds(
  jobs: readonly SeedJob[],
  options: SeedPoolOptions = {},
): Promise<readonly SeedOutcome[]> {
  const { processes = availableParallelism(), done } = options;
  const outcomes: SeedOutcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    const child = fork(file, [], { execArgv });
    try {
      for (let at = next++; at < jobs.length; at = next++) {
        const job = jobs[at];
        if (job === undefined) break;
        const outcome = await perform(child, job);
        outcomes[at] = outcome;
        done?.(outcome);
      }
    } finally {
      child.disconnect();
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, jobs.length) }, work));
  return outcomes;
}

function perform(child: ChildProcess, job: SeedJob): Promise<SeedOutcome> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`Seed ${job.seed}: its process ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (answer: { readonly outcome?: SeedOutcome; readonly error?: string }) => {
      child.off('exit', ended);
      if (answer.outcome === undefined) reject(new Error(`Seed ${job.seed} could not be run: ${answer.error}`));
      else resolve(answer.outcome);
    });
    child.send(job);
  });
}
