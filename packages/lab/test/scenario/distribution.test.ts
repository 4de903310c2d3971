import { expect } from 'chai';
import { SeededRandom } from '@mezzo/process/testing';
import { type Distribution, draw, drawCount } from '../../src/scenario/distribution.ts';

const many = 100_000;

function sample(distribution: Distribution, count = many): readonly number[] {
  const random = new SeededRandom('distributions');
  return Array.from({ length: count }, () => draw(distribution, random));
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Largest distance of the sample's distribution function from the law's (Kolmogorov and Smirnov). */
function distance(values: readonly number[], law: (value: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.max(
    ...[0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99].map((part) => {
      const value = sorted[Math.floor(part * sorted.length)] ?? 0;
      return Math.abs(law(value) - part);
    }),
  );
}

/** At 99.9 % confidence 100,000 draws stay within this. */
const tolerance = 1.95 / Math.sqrt(many);

describe('distributions follow their laws', () => {
  it('fixed', () => {
    expect(new Set(sample({ law: 'fixed', value: 5 }, 100))).to.deep.equal(new Set([5]));
  });

  it('uniform', () => {
    const values = sample({ law: 'uniform', from: 10, to: 30 });
    expect(distance(values, (value) => (value - 10) / 20)).to.be.below(tolerance);
  });

  it('exponential, with its mean', () => {
    const values = sample({ law: 'exponential', mean: 40, most: undefined });
    expect(distance(values, (value) => 1 - Math.exp(-value / 40))).to.be.below(tolerance);
    expect(mean(values)).to.be.closeTo(40, 0.5);
  });

  it('lognormal, with its median and spread', () => {
    const values = sample({ law: 'lognormal', median: 60, sigma: 0.5, most: undefined });
    const logs = values.map((value) => Math.log(value / 60) / 0.5);
    expect(mean(logs)).to.be.closeTo(0, 0.015);
    expect(mean(logs.map((log) => log * log))).to.be.closeTo(1, 0.02);
    expect(mean(logs.map((log) => log ** 4))).to.be.closeTo(3, 0.15);
  });

  it('Pareto, from its least value on', () => {
    const values = sample({ law: 'pareto', least: 10, alpha: 2.5, most: undefined });
    expect(Math.min(...values)).to.be.at.least(10);
    expect(distance(values, (value) => 1 - (10 / value) ** 2.5)).to.be.below(tolerance);
  });

  it('cut off at the most', () => {
    for (const distribution of [
      { law: 'exponential', mean: 40, most: 50 },
      { law: 'lognormal', median: 40, sigma: 1, most: 50 },
      { law: 'pareto', least: 10, alpha: 1, most: 50 },
    ] as const) {
      expect(Math.max(...sample(distribution, 10_000))).to.equal(50);
    }
  });

  it('cut off where no scenario could follow: at 36,500 days, and a million tasks', () => {
    const endless: Distribution = { law: 'pareto', least: 1, alpha: 0.01, most: undefined };
    expect(Math.max(...sample(endless, 1000))).to.equal(36_500 * 86_400_000);
    const random = new SeededRandom('counts');
    const counts = Array.from({ length: 1000 }, () => drawCount(endless, random));
    expect(Math.max(...counts)).to.equal(1_000_000);
  });

  it('counts are whole, at least 1, and as likely at the ends of a range as inside', () => {
    const random = new SeededRandom('counts');
    const seen = new Map<number, number>();
    for (let i = 0; i < many; i++) {
      const count = drawCount({ law: 'uniform', from: 1, to: 4 }, random);
      seen.set(count, (seen.get(count) ?? 0) + 1);
    }
    expect([...seen.keys()].sort((a, b) => a - b)).to.deep.equal([1, 2, 3, 4]);
    for (const times of seen.values()) expect(times / many).to.be.closeTo(0.25, 0.006);
    const small = Array.from({ length: 1000 }, () =>
      drawCount({ law: 'exponential', mean: 1, most: undefined }, random),
    );
    expect(Math.min(...small)).to.equal(1);
    expect(small.every(Number.isInteger)).to.equal(true);
  });
});
