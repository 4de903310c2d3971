import { availableParallelism } from 'node:os';
import { expect } from 'chai';
import { plantNames, type Plant } from './plants.ts';
import type { SeedFailure, SeedOutcome } from './run-seed.ts';
import { runSeeds } from './seed-pool.ts';

/** What finds each bug, and within how many seeds at most. */
const found: Readonly<Record<Plant, { readonly by: RegExp; readonly within: number }>> = {
  'skipped-ack': { by: /takes its task .* for TASK_\w+, and it is|heard TASK_\w+ of task/, within: 4 },
  'double-recover': { by: /are held as the allocator on master-\d counts|gave away/, within: 4 },
  'stale-leader-write': { by: /wrote to the registry in term|sealed the registry/, within: 80 },
  'lost-rescind': { by: /has offer .* which its master has taken back/, within: 20 },
  'reused-id': { by: /was launched twice/, within: 4 },
};

/** Seed after seed until one fails. */
async function firstFailure(plant: Plant, within: number): Promise<SeedOutcome & { readonly failure: SeedFailure }> {
  const batch = availableParallelism() * 4;
  for (let from = 1; from <= within; from += batch) {
    const jobs = Array.from({ length: Math.min(batch, within - from + 1) }, (_, index) => ({
      ...{ seed: from + index, plant, shrinkingRuns: 0 },
    }));
    for (const { failure, ...outcome } of await runSeeds(jobs))
      if (failure !== undefined) return { ...outcome, failure };
  }
  throw new Error(`None of ${within} seeds finds the bug '${plant}'`);
}

describe('the laws of a simulated cluster', function () {
  this.timeout(300_000);

  for (const plant of plantNames) {
    it(`find the planted bug ${plant}`, async () => {
      const { by, within } = found[plant];
      const { failure } = await firstFailure(plant, within);
      expect(failure.message).to.match(by);
    });
  }

  it('name the shortest history that fails, draw it, and it fails again', async () => {
    const [outcome] = await runSeeds([{ seed: 1, plant: 'reused-id', shrinkingRuns: 25 }]);
    const failure = outcome?.failure;
    expect(failure?.replay).to.match(/^1:act\.\d+/);
    expect(failure?.diagram)
      .to.match(/^sequenceDiagram\n/)
      .and.include('run-task');
    const parts = failure?.replay.split(',').length ?? 0;
    const all = Number(/of (\d+)/.exec(failure?.shortened ?? '')?.[1]);
    expect(parts).to.be.lessThan(all / 2);
    const [again] = await runSeeds([{ seed: 1, plant: 'reused-id', replay: failure?.replay ?? '' }]);
    expect(again?.failure?.message).to.match(found['reused-id'].by);
  });
});
