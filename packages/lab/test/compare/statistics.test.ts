import { expect } from 'chai';
import fc from 'fast-check';

import { ascending, estimate, jainIndex, mean, pairedDifference, percentile } from '../../src/compare/statistics.ts';
import { incompleteBeta, studentProbability, studentQuantile } from '../../src/compare/student.ts';

const value = fc.integer({ min: 0, max: 1e9 }).map((thousandths) => thousandths / 1000);
const values = fc.array(value, { minLength: 1, maxLength: 40 });

/** As printed, to so many digits behind the point. */
const digits = (number: number | undefined, count: number): string => number?.toFixed(count) ?? 'undefined';

describe("Jain's index", () => {
  it('is 1 when all have the same, k/n when k of n share everything, and as the paper has it in between', () => {
    expect(jainIndex([3, 3, 3, 3])).to.equal(1);
    // 20 dollars among 100 people, one dollar each: 0.2 (Jain, Chiu and Hawe 1984, section 2).
    expect(jainIndex(Array.from({ length: 100 }, (_, person) => (person < 20 ? 1 : 0)))).to.be.closeTo(0.2, 1e-12);
    expect(jainIndex([1, 2, 3])).to.be.closeTo(36 / 42, 1e-12);
    expect(jainIndex([])).to.equal(1);
    expect(jainIndex([0, 0])).to.equal(1);
  });

  it('lies between 1/n and 1, and knows neither scale nor order', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (shares, scale) => {
        const index = jainIndex(shares);
        expect(index).to.be.within(1 / shares.length - 1e-12, 1 + 1e-12);
        expect(jainIndex(shares.map((share) => share * scale))).to.be.closeTo(index, 1e-9);
        expect(jainIndex([...shares].reverse())).to.be.closeTo(index, 1e-9);
      }),
    );
  });
});

describe('percentiles', () => {
  it('are linear between the nearest values, as numpy.percentile has them', () => {
    const sorted = ascending([40, 15, 50, 20, 35]);
    expect([0, 0.25, 0.4, 0.5, 0.95, 1].map((p) => percentile(sorted, p))).to.deep.equal([15, 20, 29, 35, 48, 50]);
    expect(percentile([1, 2, 3, 4], 0.5)).to.equal(2.5);
    expect(percentile([7], 0.99)).to.equal(7);
    expect(percentile([], 0.5)).to.equal(undefined);
    expect(() => percentile(sorted, 95)).to.throw('expected 0 to 1');
  });

  it('never decrease with p, and lie between the smallest and the largest', () => {
    const fraction = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, fraction, fraction, (list, one, other) => {
        const sorted = ascending(list);
        const low = percentile(sorted, Math.min(one, other)) ?? Number.NaN;
        const high = percentile(sorted, Math.max(one, other)) ?? Number.NaN;
        expect(low).to.be.at.most(high + 1e-9);
        expect(low).to.be.at.least(Math.min(...list));
        expect(high).to.be.at.most(Math.max(...list) + 1e-9);
      }),
    );
  });
});

describe("Student's t", () => {
  it('has the quantiles of the printed tables', () => {
    const tables: [number, number, string][] = [
      [0.975, 1, '12.706'],
      [0.975, 2, '4.303'],
      [0.975, 4, '2.776'],
      [0.975, 9, '2.262'],
      [0.975, 29, '2.045'],
      [0.975, 120, '1.980'],
      [0.95, 5, '2.015'],
      [0.995, 10, '3.169'],
      [0.9995, 3, '12.924'],
      [0.9, 30, '1.310'],
    ];
    for (const [p, degrees, expected] of tables) {
      expect(digits(studentQuantile(p, degrees), 3), `${p} ${degrees}`).to.equal(expected);
    }
    // Towards the normal distribution.
    expect(digits(studentQuantile(0.975, 1e7), 4)).to.equal('1.9600');
    // One degree of freedom is Cauchy's distribution, two have a closed form.
    expect(studentProbability(2.5, 1)).to.be.closeTo(0.5 + Math.atan(2.5) / Math.PI, 1e-13);
    expect(studentProbability(-1.2, 2)).to.be.closeTo(0.5 - 1.2 / (2 * Math.sqrt(2 + 1.44)), 1e-13);
    expect(incompleteBeta(0.3, 2, 3)).to.be.closeTo(0.3483, 1e-12);
  });

  it('is symmetric, and quantile and probability undo each other', () => {
    const probability = fc.double({ min: 1e-4, max: 1 - 1e-4, noNaN: true });
    fc.assert(
      fc.property(probability, fc.integer({ min: 1, max: 500 }), (p, degrees) => {
        const t = studentQuantile(p, degrees);
        expect(studentProbability(t, degrees)).to.be.closeTo(p, 1e-11);
        expect(studentProbability(-t, degrees)).to.be.closeTo(1 - p, 1e-11);
      }),
    );
    expect(() => studentQuantile(1, 3)).to.throw('less than 1');
    expect(() => studentQuantile(0.5, 0)).to.throw('at least 1');
  });
});

describe('a mean and its interval', () => {
  it("are those of Student's sleep data", () => {
    // "The probable error of a mean" (1908): hours of sleep gained by ten patients under two drugs; the paired difference is
    // 1.58 hours, and t.test of R gives 0.7001 to 2.4599 for its 95 % interval.
    const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
    const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    const byPatient = (gains: readonly number[]): Map<number, number> => new Map(gains.entries());
    const difference = pairedDifference(byPatient(second), byPatient(first));
    expect(difference?.count).to.equal(10);
    expect(digits(difference?.mean, 2)).to.equal('1.58');
    expect(digits((difference?.mean ?? 0) - (difference?.margin ?? 0), 4)).to.equal('0.7001');
    expect(digits((difference?.mean ?? 0) + (difference?.margin ?? 0), 4)).to.equal('2.4599');
    // The single drug's mean of 0.75 h has 95 % interval -0.5298 to 2.0298.
    const single = estimate(first);
    expect(digits(single?.mean, 2)).to.equal('0.75');
    expect(digits(single?.margin, 4)).to.equal('1.2798');
  });

  it('are wider for more confidence, and unknown without values to tell', () => {
    expect(estimate([])).to.equal(undefined);
    expect(estimate([4])).to.deep.equal({ count: 1, mean: 4, margin: undefined });
    expect(estimate([0.1, 0.1, 0.1])).to.deep.equal({ count: 3, mean: 0.1, margin: 0 });
    expect(digits(estimate([1, 2, 3, 4, 5], 0.99)?.margin, 3)).to.equal('3.256');
    expect(mean([])).to.equal(undefined);
  });

  it('move and scale with the values', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: -1000, max: 1000 }), (list, shift) => {
        const plain = estimate(list);
        const moved = estimate(list.map((one) => 2 * one + shift));
        expect(moved?.mean).to.be.closeTo(2 * (plain?.mean ?? 0) + shift, 1e-5);
        expect(moved?.margin ?? 0).to.be.closeTo(2 * (plain?.margin ?? 0), 1e-4);
      }),
    );
  });

  it('contain the true mean in about 95 of 100 samples', () => {
    // A fixed sequence of sums of twelve uniform numbers: about normal, mean 0.
    let state = 1;
    const uniform = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const normal = (): number => Array.from({ length: 12 }, uniform).reduce((sum, one) => sum + one, -6);
    const samples = Array.from({ length: 2000 }, () => estimate(Array.from({ length: 5 }, normal)));
    const covered = samples.filter((one) => Math.abs(one?.mean ?? 9) <= (one?.margin ?? 0)).length;
    expect(covered / samples.length).to.be.within(0.935, 0.965);
  });

  it('of differences pair what has the same seed, and leave out what has no partner', () => {
    const baseline = new Map([
      [1, 10],
      [2, 200],
      [3, 3000],
    ]);
    const values = new Map([
      [2, 201],
      [1, 11],
      [4, 7],
    ]);
    expect(pairedDifference(values, baseline)).to.deep.equal({ count: 2, mean: 1, margin: 0 });
    expect(pairedDifference(new Map([[9, 1]]), baseline)).to.equal(undefined);
  });
});
