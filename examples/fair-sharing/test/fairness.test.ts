import { expect } from 'chai';
import fc from 'fast-check';
import { couldRunMore, envies, tasksOnOwnPart, tasksWhenClaiming, worseOffThanAlone } from '../src/fairness.ts';
import { assetExample, lyingExample, weightedExample, workedExample } from '../src/paper.ts';
import { dominantResourceFairness, policies } from '../src/policies.ts';
import { reportPolicies, reportProperties } from '../src/reports.ts';
import { page, quoted } from './page.ts';
import { sharingProblems } from './sharing-problem-arbitrary.ts';

describe('what DRF promises, on the examples of the paper', () => {
  it('sharing incentive: 2.25 and 1.5 tasks on half of the cluster each, 3 and 2 together', () => {
    expect(tasksOnOwnPart(workedExample)).to.deep.equal([2.25, 1.5]);
    expect(worseOffThanAlone(workedExample, dominantResourceFairness(workedExample))).to.deep.equal([]);
  });

  it('sharing incentive, which asset fairness does not give: 12 tasks where half of all would do for 15 (section 6.1.1)', () => {
    expect(tasksOnOwnPart(assetExample)).to.deep.equal([5, 15]);
    expect(worseOffThanAlone(assetExample, policies['asset fairness'](assetExample))).to.deep.equal(['2']);
    expect(worseOffThanAlone(assetExample, policies.DRF(assetExample))).to.deep.equal([]);
    expect(worseOffThanAlone(assetExample, policies.CEEI(assetExample))).to.deep.equal([]);
  });

  it('strategy-proofness, which CEEI does not give: 3.23 tasks for the truth, 4.17 for a lie (section 6.1.2)', () => {
    const { liar, claim } = lyingExample;
    const outcomes = Object.values(policies).map((policy) => [
      (policy(lyingExample)[0] ?? 0).toFixed(2),
      tasksWhenClaiming(policy, lyingExample, liar, claim).toFixed(2),
    ]);
    expect(outcomes).to.deep.equal([
      ['4.17', '4.17'],
      ['4.62', '4.17'],
      ['3.23', '4.17'],
    ]);
    expect(tasksWhenClaiming(policies.CEEI, lyingExample, liar, claim)).to.be.closeTo(25 / 6, 1e-6);
    // The other user pays for it: 1500/31 tasks before, 100/3 after.
    const users = lyingExample.users.map((user) => (user.name === liar ? { ...user, demand: claim } : user));
    expect(policies.CEEI({ ...lyingExample, users })[1]).to.be.closeTo(100 / 3, 1e-6);
  });

  it('envy-freeness and Pareto efficiency, as the others', () => {
    for (const policy of Object.values(policies)) {
      for (const example of [workedExample, assetExample, lyingExample]) {
        const tasks = policy(example);
        expect(envies(example, tasks)).to.deep.equal([]);
        expect(couldRunMore(example, tasks)).to.deep.equal([]);
      }
    }
  });

  it('is seen to be missing where it is missing', () => {
    expect(couldRunMore(workedExample, [2, 1])).to.deep.equal(['A', 'B']);
    expect(worseOffThanAlone(workedExample, [2, 2])).to.deep.equal(['A']);
    // B's 6 CPUs and 2 GB hold half a task of A, which has a quarter of one.
    expect(envies(workedExample, [0.25, 2])).to.deep.equal([['A', 'B']]);
  });

  it('goes by the weights: a third of the cluster, and two thirds, are worth 15 and 20 tasks', () => {
    expect(tasksOnOwnPart(weightedExample)).to.deep.equal([15, 20]);
    const [light, heavy] = [
      { name: 'light', demand: [1, 1] },
      { name: 'heavy', demand: [1, 1], weight: 2 },
    ];
    const problem = { capacity: [9, 9], users: [light, heavy] };
    expect(envies(problem, [3, 6])).to.deep.equal([]);
    expect(envies(problem, [4.5, 4.5])).to.deep.equal([['heavy', 'light']]);
  });
});

describe('what DRF promises, on any small cluster', () => {
  const problems = sharingProblems({ least: 0, weighted: true });

  it('sharing incentive: nobody runs more on a part of its own', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        expect(worseOffThanAlone(problem, dominantResourceFairness(problem))).to.deep.equal([]);
      }),
    );
  });

  it('strategy-proofness: no claim, above or below the truth, makes up for itself', () => {
    const claims = fc.tuple(
      fc.double({ min: 0.1, max: 12, noNaN: true }),
      fc.double({ min: 0.1, max: 12, noNaN: true }),
    );
    fc.assert(
      fc.property(problems, claims, (problem, claim) => {
        const honest = dominantResourceFairness(problem)[0] ?? 0;
        expect(tasksWhenClaiming(dominantResourceFairness, problem, 'u0', claim)).to.be.at.most(honest + 1e-9);
      }),
      { numRuns: 1000 },
    );
  });

  it('envy-freeness: nobody could use what another has better', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        expect(envies(problem, dominantResourceFairness(problem))).to.deep.equal([]);
      }),
    );
  });

  it('Pareto efficiency: nobody could run more of what is free', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        expect(couldRunMore(problem, dominantResourceFairness(problem))).to.deep.equal([]);
      }),
    );
  });
});

describe('the tables', () => {
  it('of the policies are as the documentation has them', async () => {
    expect(page).to.include(quoted(await reportPolicies()));
  });

  it('of the properties are as the documentation has them', () => {
    expect(page).to.include(quoted(reportProperties()));
  });
});
