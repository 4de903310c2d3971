import { type Duration, statisticsOf, toMilliseconds } from '@mezzo/process';
import { expect } from 'chai';
import fc from 'fast-check';

const fractions = {
  min: 0,
  max: 1,
  p25: 0.25,
  p50: 0.5,
  p75: 0.75,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  p999: 0.999,
  p9999: 0.9999,
} as const;

/** The value so far along the line through the sorted values, walked rank by rank. */
function naivePercentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  let position = fraction * (sorted.length - 1);
  for (const [rank, value] of sorted.entries()) {
    const next = sorted[rank + 1];
    if (position < 1 && next !== undefined) return value + position * (next - value);
    if (next === undefined) return value;
    position--;
  }
  return Number.NaN;
}

describe('statistics', () => {
  it('LP-STAT-01 there are none of no values', () => {
    expect(statisticsOf([])).to.equal(undefined);
  });

  it('LP-STAT-02 there are none of one value', () => {
    expect(statisticsOf([1])).to.equal(undefined);
    expect(statisticsOf([1, 1])).not.to.equal(undefined);
  });

  it('LP-STAT-03 percentiles lie on the line between the two nearest values', () => {
    const found = statisticsOf([5, -5, 4, -4, 3, -3, 2, -2, 1, -1, 0]);
    const expected = {
      count: 11,
      min: -5,
      max: 5,
      p25: -2.5,
      p50: 0,
      p75: 2.5,
      p90: 4,
      p95: 4.5,
      p99: 4.9,
      p999: 4.99,
      p9999: 4.999,
    };
    expect(Object.keys(found ?? {}).sort()).to.deep.equal(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected))
      expect(found, name).to.have.property(name).that.is.closeTo(value, 1e-9);
  });

  it('LP-STAT-04 durations have statistics too', () => {
    const durations = [
      '0secs',
      '10secs',
      '20secs',
      '30secs',
      '40secs',
      '50secs',
      '60secs',
      '70secs',
      '80secs',
    ] as const;
    const found = statisticsOf(
      [...durations, '90secs', '100secs'].map((duration) => toMilliseconds(duration as Duration)),
    );
    expect(found).to.include({ count: 11, min: 0, max: 100_000, p25: 25_000, p50: 50_000, p75: 75_000, p90: 90_000 });
  });

  it('percentiles are those of a walk along the sorted values', () => {
    const values = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 2, maxLength: 300 });
    fc.assert(
      fc.property(values, (given) => {
        const found = statisticsOf(given);
        expect(found?.count).to.equal(given.length);
        for (const [name, fraction] of Object.entries(fractions))
          expect(found, name).to.have.property(name).that.is.closeTo(naivePercentile(given, fraction), 1e-3);
      }),
    );
  });
});
