import { expect } from 'chai';
import fc from 'fast-check';
import { equalIncomes } from '../src/equal-incomes.ts';
import { assetExample, lyingExample, weightedExample, workedExample } from '../src/paper.ts';
import { policies } from '../src/policies.ts';
import { fillEvenly, fillTaskByTask } from '../src/progressive-filling.ts';
import { dominantPart, type SharingProblem, type Tasks, usage } from '../src/sharing-problem.ts';
import { sharingProblems } from './sharing-problem-arbitrary.ts';

function expectTasks(tasks: Tasks, expected: Tasks): void {
  expect(tasks).to.have.lengthOf(expected.length);
  expected.forEach((count, user) => expect(tasks[user]).to.be.closeTo(count, 1e-6));
}

describe('the policies of the paper on dominant resource fairness', () => {
  it('DRF gives 3 and 2 tasks, dominant shares of 2/3 each (section 4.1)', () => {
    const tasks = policies.DRF(workedExample);
    expectTasks(tasks, [3, 2]);
    const shares = workedExample.users.map(({ demand }, user) => (tasks[user] ?? 0) * dominantPart(demand, [9, 18]));
    expectTasks(shares, [2 / 3, 2 / 3]);
    expectTasks(usage(workedExample, tasks), [9, 14]);
  });

  it('DRF task by task takes five turns, three of A and two of B (section 4.2, Algorithm 1 and Table 1)', () => {
    expect(fillTaskByTask(workedExample)).to.deep.equal({ tasks: [3, 2], turns: ['A', 'B', 'A', 'B', 'A'] });
  });

  it('DRF with weights gives shares in their proportion (section 4.3)', () => {
    expectTasks(policies.DRF(weightedExample), [18, 24]);
    expect(fillTaskByTask(weightedExample).tasks).to.deep.equal([18, 24]);
  });

  it('asset fairness gives 2.52 and 2.16 tasks: 2.5 CPUs and 10.1 GB, 6.5 CPUs and 2.2 GB (section 5.1)', () => {
    const tasks = policies['asset fairness'](workedExample);
    expectTasks(tasks, [2.52, 2.16]);
    const amounts = workedExample.users.map(({ demand }, user) => demand.map((need) => need * (tasks[user] ?? 0)));
    expect(amounts.flat().map((amount) => amount.toFixed(1))).to.deep.equal(['2.5', '10.1', '6.5', '2.2']);
  });

  it('CEEI gives 45/11 and 18/11 tasks: 4.1 CPUs and 16.4 GB, 4.9 CPUs and 1.6 GB (section 5.2)', () => {
    const tasks = policies.CEEI(workedExample);
    expectTasks(tasks, [45 / 11, 18 / 11]);
    const amounts = workedExample.users.map(({ demand }, user) => demand.map((need) => need * (tasks[user] ?? 0)));
    expect(amounts.flat().map((amount) => amount.toFixed(1))).to.deep.equal(['4.1', '16.4', '4.9', '1.6']);
  });

  it('differ in dominant shares: 67 and 67 %, 56 and 72 %, 91 and 55 % (section 5.3)', () => {
    const shares = Object.values(policies).map((policy) =>
      policy(workedExample).map((count, user) =>
        Math.round(100 * count * dominantPart(workedExample.users[user]?.demand ?? [], workedExample.capacity)),
      ),
    );
    expect(shares).to.deep.equal([
      [67, 67],
      [56, 72],
      [91, 55],
    ]);
  });

  it('asset fairness gives 6 and 12 tasks where half of all would give the second user 15 (section 6.1.1)', () => {
    expectTasks(policies['asset fairness'](assetExample), [6, 12]);
  });

  it('CEEI gives 100/31 and 1500/31 tasks in the example of lying (section 6.1.2)', () => {
    expectTasks(policies.CEEI(lyingExample), [100 / 31, 1500 / 31]);
  });

  it('never give out more than there is, and leave a resource used up', () => {
    fc.assert(
      fc.property(sharingProblems({ weighted: true, least: 0 }), (problem) => {
        for (const policy of Object.values(policies)) {
          const used = usage(problem, policy(problem)).map((use, resource) => use / (problem.capacity[resource] ?? 0));
          expect(Math.max(...used)).to.be.closeTo(1, 1e-6);
        }
      }),
    );
  });

  it('agree when there is one resource, but for its size: parts in proportion to the weights', () => {
    fc.assert(
      fc.property(sharingProblems({ weighted: true }), ({ capacity, users }) => {
        const single: SharingProblem = {
          capacity: capacity.slice(0, 1),
          users: users.map((user) => ({ ...user, demand: user.demand.slice(0, 1) })),
        };
        const all = single.users.reduce((sum, { weight = 1 }) => sum + weight, 0);
        const parts = single.users.map(
          ({ demand, weight = 1 }) => ((single.capacity[0] ?? 0) * weight) / all / (demand[0] ?? 0),
        );
        for (const policy of Object.values(policies)) expectTasks(policy(single), parts);
      }),
    );
  });
});

describe('progressive filling', () => {
  it('gives every pair of users equal weighted shares where all need all resources', () => {
    fc.assert(
      fc.property(sharingProblems({ weighted: true }), (problem) => {
        const tasks = fillEvenly(problem, dominantPart);
        const shares = problem.users.map(
          ({ demand, weight = 1 }, user) => ((tasks[user] ?? 0) * dominantPart(demand, problem.capacity)) / weight,
        );
        expect(Math.max(...shares)).to.be.closeTo(Math.min(...shares), 1e-9);
      }),
    );
  });

  it('lets users go on who need nothing of what is used up', () => {
    const users = [
      { name: 'a', demand: [1, 0] },
      { name: 'b', demand: [1, 1] },
      { name: 'c', demand: [0, 1] },
    ];
    expectTasks(fillEvenly({ capacity: [10, 20], users }, dominantPart), [5, 5, 15]);
  });

  it('with whole tasks has shares within a task of those with parts of tasks, until the first one does not fit', () => {
    fc.assert(
      fc.property(sharingProblems({ weighted: true }), (problem) => {
        const { tasks } = fillTaskByTask(problem);
        const shares = problem.users.map(
          ({ demand, weight = 1 }, user) => ((tasks[user] ?? 0) * dominantPart(demand, problem.capacity)) / weight,
        );
        const steps = problem.users.map(({ demand, weight = 1 }) => dominantPart(demand, problem.capacity) / weight);
        expect(Math.max(...shares) - Math.min(...shares)).to.be.at.most(Math.max(...steps) + 1e-9);
      }),
    );
  });

  it('passes over whoever does not fit, if told to, until nobody fits', () => {
    fc.assert(
      fc.property(sharingProblems({ weighted: true }), (problem) => {
        const used = usage(problem, fillTaskByTask(problem, { whenFull: 'pass' }).tasks);
        for (const { demand } of problem.users) {
          const fits = demand.every(
            (need, resource) => (used[resource] ?? 0) + need <= (problem.capacity[resource] ?? 0),
          );
          expect(fits).to.equal(false);
        }
      }),
    );
  });
});

describe('the competitive equilibrium', () => {
  it('spends the equal incomes of all, and what is left over costs nothing', () => {
    fc.assert(
      fc.property(sharingProblems(), (problem) => {
        const { tasks, prices } = equalIncomes(problem);
        problem.users.forEach(({ demand }, user) => {
          const spent =
            demand.reduce((sum, need, resource) => sum + need * (prices[resource] ?? 0), 0) * (tasks[user] ?? 0);
          expect(spent).to.be.closeTo(1 / problem.users.length, 1e-6);
        });
        usage(problem, tasks).forEach((use, resource) => {
          const left = (problem.capacity[resource] ?? 0) - use;
          expect(left * (prices[resource] ?? 0)).to.be.closeTo(0, 1e-6);
        });
      }),
    );
  });

  it('has no smaller product of tasks than the other policies', () => {
    fc.assert(
      fc.property(sharingProblems(), (problem) => {
        const product = (tasks: Tasks): number => tasks.reduce((all, count) => all * count, 1);
        const best = product(policies.CEEI(problem));
        for (const other of [policies.DRF, policies['asset fairness']]) {
          expect(product(other(problem))).to.be.at.most(best * (1 + 1e-6));
        }
      }),
    );
  });
});
