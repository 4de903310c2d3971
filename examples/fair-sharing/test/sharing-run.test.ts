import { expect } from 'chai';
import fc from 'fast-check';
import { weightedExample, workedExample } from '../src/paper.ts';
import { dominantResourceFairness } from '../src/policies.ts';
import { fillTaskByTask } from '../src/progressive-filling.ts';
import { dominantPart } from '../src/sharing-problem.ts';
import { runSharing } from '../src/sharing-run.ts';
import { sharingProblems } from './sharing-problem-arbitrary.ts';

describe('the shipping master, allocator and agents', function () {
  this.timeout(60_000);

  it('give 3 and 2 tasks in the worked example of the paper, as its algorithm does (section 4.1)', async () => {
    const tasks = await runSharing(workedExample);
    expect(tasks).to.deep.equal([3, 2]);
    expect(tasks).to.deep.equal(fillTaskByTask(workedExample).tasks);
  });

  it('give 18 and 24 tasks in its weighted form, shares of 40 and 80 % (section 4.3)', async () => {
    const tasks = await runSharing(weightedExample);
    expect(tasks).to.deep.equal([18, 24]);
    expect(tasks).to.deep.equal(fillTaskByTask(weightedExample).tasks);
    const shares = weightedExample.users.map(
      ({ demand }, user) => (tasks[user] ?? 0) * dominantPart(demand, weightedExample.capacity),
    );
    expect(shares).to.deep.equal([0.4, 0.8]);
  });

  it('stay within a task of each user of the algorithm of the paper, for any demands and weights', async () => {
    await fc.assert(
      fc.asyncProperty(
        sharingProblems({ weighted: true }),
        fc.integer({ min: 1, max: 1000 }),
        async (problem, seed) => {
          const { tasks: expected } = fillTaskByTask(problem, { whenFull: 'pass' });
          const tasks = await runSharing(problem, { seed });
          // A tie that is decided the other way gives somebody one task more, which may take the room of several of another.
          const parts = problem.users.map(({ demand }) => dominantPart(demand, problem.capacity));
          const oneOfEach = parts.reduce((sum, part) => sum + part, 0);
          tasks.forEach((count, user) =>
            expect(Math.abs(count - (expected[user] ?? 0)) * (parts[user] ?? 0)).to.be.at.most(oneOfEach + 1e-9),
          );
        },
      ),
      { numRuns: 20, seed: 1 },
    );
  });

  it('stay within one agent of equal shares on many small agents, for tasks much smaller than these', async () => {
    const agents = 10;
    // Eighths of a CPU and quarters of a GB, on agents of 4 CPUs and 8 GB: at least eight tasks fill one.
    const demand = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
      .map(([cpus, gigabytes]) => [cpus / 8, gigabytes / 4]);
    const demands = fc.array(demand, { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(demands, fc.integer({ min: 1, max: 1000 }), async (all, seed) => {
        const problem = {
          capacity: [4 * agents, 8 * agents],
          users: all.map((needs, index) => ({ name: `u${index}`, demand: needs })),
        };
        const fair = dominantResourceFairness(problem);
        const tasks = await runSharing(problem, { seed, agents });
        problem.users.forEach((user, index) => {
          const part = dominantPart(user.demand, problem.capacity);
          expect((tasks[index] ?? 0) * part).to.be.closeTo((fair[index] ?? 0) * part, 1 / agents);
        });
      }),
      { numRuns: 6, seed: 1 },
    );
  });
});
