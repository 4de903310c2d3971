import { expect } from 'chai';
import { type Locality, setting } from '../src/locality-run.ts';
import { expectedLocality, reportDelays, reportRefusals, runDelays, runRefusals } from '../src/reports.ts';
import { page, quoted } from './page.ts';

/** Differences between each value and the next one. */
function steps(values: readonly number[]): readonly number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? 0));
}

describe('delay scheduling', function () {
  this.timeout(120_000);
  let runs: Awaited<ReturnType<typeof runDelays>>;
  before(async () => {
    runs = await runDelays();
  });

  it('makes more tasks local the longer jobs wait, from a tenth to nearly all', () => {
    const local = runs.map(([, result]) => result.local);
    expect(Math.min(...steps(local))).to.be.above(0);
    expect(local[0]).to.be.closeTo(0.1, 0.05);
    expect(local.at(-1)).to.be.at.least(0.98);
  });

  it('costs a wait that grows ever more slowly, and stays a fraction of a task', () => {
    const waits = runs.map(([, result]) => result.meanWait);
    expect(Math.min(...steps(waits))).to.be.above(0);
    const perSecond = steps(waits).map((step, index) => step / ((runs[index + 1]?.[0] ?? 0) - (runs[index]?.[0] ?? 0)));
    expect(Math.max(...steps(perSecond))).to.be.below(0);
    // Tasks of the others, for whose end jobs wait, take 20 s.
    expect(waits.at(-1)).to.be.below(0.25 * 20);
  });

  it('has the locality that the analysis of the paper expects, exponential in the slots let go by (section 3.5)', () => {
    for (const [delay, { local }] of runs) expect(local).to.be.closeTo(expectedLocality(delay), 0.08);
  });

  it('is documented with these numbers', () => {
    expect(setting).to.deep.equal({
      agents: 20,
      slots: 2,
      replicas: 2,
      jobs: 200,
      arrivals: 2,
      others: 3,
      task: [10, 30],
      jobTask: 5,
    });
    expect(page).to.include(quoted(reportDelays(runs)));
  });
});

describe('refuse_seconds', function () {
  this.timeout(120_000);
  let runs: Awaited<ReturnType<typeof runRefusals>>;
  before(async () => {
    runs = await runRefusals();
  });
  const at = (seconds: number): Locality => {
    const found = runs.find(([refused]) => refused === seconds);
    if (found === undefined) throw new Error(`No run with ${seconds} s`);
    return found[1];
  };

  it('of 0 has the same slots offered and declined again and again, while others could use them', () => {
    expect(at(0).declined).to.be.above(2.5 * at(1).declined);
    expect(at(0).busy).to.be.below(at(1).busy - 0.05);
  });

  it('up to the default of 5 saves offers and costs no locality', () => {
    expect(at(5).declined).to.be.below(at(1).declined);
    expect(at(5).local).to.be.at.least(0.98);
    expect(at(5).meanWait).to.be.closeTo(at(1).meanWait, 1);
  });

  it('of a minute keeps agents from jobs that came after the refusal: they wait longer, and for nothing', () => {
    expect(at(60).meanWait).to.be.above(3 * at(5).meanWait);
    expect(at(60).local).to.be.below(0.85);
  });

  it('is documented with these numbers', () => {
    expect(page).to.include(quoted(reportRefusals(runs)));
  });
});
