import { expect } from 'chai';
import { runSeeds } from './seed-pool.ts';
import { limits } from './settings.ts';

const jobs = Array.from({ length: 200 }, (_, index) => ({ seed: index + 1 }));

describe('a simulated cluster of 3 masters, 20 agents and 3 frameworks', function () {
  // Half a core-second each on a machine that has nothing else to do.
  this.timeout(900_000);

  it('keeps its laws through ten minutes of faults, whatever the seed', async () => {
    const outcomes = await runSeeds(jobs);
    const failures = outcomes.flatMap(({ seed, failure }) =>
      failure === undefined ? [] : [`npm run simulate -- --replay ${seed} fails: ${failure.message}`],
    );
    expect(failures).to.deep.equal([]);
    for (const { seed, events } of outcomes) expect(events, `events of seed ${seed}`).to.be.lessThan(limits.events);
    const looks = new Map<string, number>();
    for (const outcome of outcomes)
      for (const [law, count] of Object.entries(outcome.looks)) looks.set(law, (looks.get(law) ?? 0) + count);
    for (const [law, count] of looks) expect(count, `${law} had something to look at`).to.be.greaterThan(1000);
  });
});
