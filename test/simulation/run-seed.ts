import { messageOf } from '@mezzo/process';
import { ExplorationFailure, explore, type Simulation } from '@mezzo/process/testing';
import { script } from './cluster.ts';
import { focusedDiagram } from './focused-diagram.ts';
import type { Plant } from './plants.ts';
import { scenario } from './scenario.ts';
import { faults, latency } from './settings.ts';

export interface SeedJob {
  readonly seed: number;
  readonly plant?: Plant;
  /** What to run of the seed, as a failure named it. */
  readonly replay?: string;
  /** How many runs the shortest history may take to find. */
  readonly shrinkingRuns?: number;
}

export interface SeedFailure {
  readonly message: string;
  /** What replays the shortest history. */
  readonly replay: string;
  /** How short it is. */
  readonly shortened: string;
  /** Of the shortest history, as the text of a Mermaid sequence diagram. */
  readonly diagram: string;
  /** Every event and frame of the shortest history. */
  readonly history: string;
}

export interface SeedOutcome {
  readonly seed: number;
  /** Core-seconds; of a seed that passed. */
  readonly cpu: number;
  readonly events: number;
  /** How often each law looked at something. */
  readonly looks: Readonly<Record<string, number>>;
  readonly failure?: SeedFailure;
}

/** Runs one seed; if it fails, finds the shortest history that does. */
export async function runSeed({ seed, plant, replay, shrinkingRuns = 120 }: SeedJob): Promise<SeedOutcome> {
  const before = process.cpuUsage();
  let looks: Readonly<Record<string, number>> = {};
  let last: Simulation | undefined;
  try {
    const { events } = await explore({
      seeds: [seed, seed],
      // A whole seed is made shorter if it fails; a part of one has been.
      replay: replay?.includes(':') === true ? replay : '',
      faults,
      latency,
      script,
      shrinkingRuns,
      scenario: async (world) => {
        last = world;
        looks = (await scenario(world, plant)).witness.looks;
      },
    });
    const { user, system } = process.cpuUsage(before);
    return { seed, cpu: (user + system) / 1e6, events, looks };
  } catch (error) {
    if (!(error instanceof ExplorationFailure)) throw error;
    const { history, replay: shortest } = error;
    const message = messageOf(error.cause);
    // The last world is that of the shortest history.
    const records = last?.recorded.records ?? [];
    const shortened = /\((\d+ of \d+ faults and acts)\)/.exec(error.message)?.[1] ?? 'all of it';
    return {
      ...{ seed, cpu: 0, events: 0, looks },
      failure: { message, replay: shortest, shortened, diagram: focusedDiagram(records, message), history },
    };
  }
}
