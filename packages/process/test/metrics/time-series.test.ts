import { TimeSeries } from '@mezzo/process';

import { expect } from 'chai';
import fc from 'fast-check';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const second = 1000;

function series(capacity?: number): { clock: VirtualClock; values: TimeSeries<number> } {
  const clock = new VirtualClock(0);
  return { clock, values: new TimeSeries<number>(clock, { window: '10secs', ...(capacity && { capacity }) }) };
}

/** Value n under the time of n seconds. */
function put(values: TimeSeries<number>, ...numbers: readonly number[]): number[] {
  for (const number of numbers) values.set(number, number * second);
  return kept(values);
}

function kept(values: TimeSeries<number>): number[] {
  return values.get().map(({ value }) => value);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

describe('TimeSeries', () => {
  it('LP-TS-01 is empty at first, and then its latest value is the one set last', () => {
    const { clock, values } = series();
    expect([values.size, values.latest]).to.deep.equal([0, undefined]);
    clock.moveTo(3 * second);
    values.set(7);
    expect([values.size, values.latest]).to.deep.equal([1, { time: 3 * second, value: 7 }]);
    values.set(8);
    expect([values.size, values.latest]).to.deep.equal([1, { time: 3 * second, value: 8 }]);
  });

  it('LP-TS-02 above its capacity every other value of the older half goes, then again from the second on', () => {
    const { values } = series(10);
    let expected = put(values, ...range(0, 9));
    expect(expected).to.deep.equal(range(0, 9));
    const victims = [1, 3, 5, 7, 9, 2, 6, 10, 12, 14];
    for (const [index, victim] of victims.entries()) {
      expected = [...expected, 10 + index].filter((value) => value !== victim);
      expect(put(values, 10 + index), `after ${10 + index}`).to.deep.equal(expected);
    }
    expect(expected).to.deep.equal([0, 4, 8, 11, 13, 15, 16, 17, 18, 19]);
  });

  it('LP-TS-03 what is older than the window goes, and the round of the next victims follows', () => {
    const first = series(10);
    put(first.values, ...range(0, 9));
    first.clock.moveTo(16 * second);
    expect(put(first.values, 10)).to.deep.equal(range(7, 10));

    const { clock, values } = series(10);
    expect(put(values, ...range(0, 12))).to.deep.equal([0, 2, 4, ...range(6, 12)]);
    clock.moveTo(12 * second);
    values.truncate();
    expect(kept(values)).to.deep.equal([4, ...range(6, 12)]);
    expect(put(values, 13, 14, 15)).to.deep.equal([4, 6, ...range(8, 15)]);
    clock.moveTo(19 * second);
    values.truncate();
    expect(kept(values)).to.deep.equal(range(10, 15));
    expect(put(values, ...range(16, 20))).to.deep.equal([10, ...range(12, 20)]);
  });

  it('a window in which all values are too old keeps them until there is a new one', () => {
    const { clock, values } = series();
    put(values, 1, 2, 3);
    clock.moveTo(60 * second);
    values.truncate();
    expect(kept(values)).to.deep.equal([1, 2, 3]);
    expect(put(values, 60)).to.deep.equal([60]);
  });

  it('a value of an earlier time takes its place, and the round of victims begins again', () => {
    const { values } = series(5);
    expect(put(values, 0, 10, 20, 30, 40, 50)).to.deep.equal([0, 20, 30, 40, 50]);
    expect(put(values, 25)).to.deep.equal([0, 25, 30, 40, 50]);
  });

  it('tells the values of a range of time', () => {
    const { values } = series();
    put(values, 1, 2, 3, 4);
    const between = (from?: number, to?: number): number[] => values.get(from, to).map(({ value }) => value);
    expect(between(2 * second, 3 * second)).to.deep.equal([2, 3]);
    expect(between(undefined, 2 * second)).to.deep.equal([1, 2]);
    expect(between(4 * second, 3 * second)).to.deep.equal([]);
  });

  it('keeps three values at least, 1000 without a capacity, and two weeks without a window', () => {
    const { values: small } = series(1);
    expect(put(small, 0, 1, 2, 3)).to.deep.equal([0, 2, 3]);
    const clock = new VirtualClock(0);
    const large = new TimeSeries<number>(clock);
    for (let time = 0; time < 1500; time++) large.set(time, time);
    expect(large.size).to.equal(1000);
    const twoWeeks = 14 * 86_400 * second;
    clock.moveTo(twoWeeks - 1);
    large.set(1);
    expect(large.get()[0]?.time).to.equal(0);
    clock.moveTo(twoWeeks);
    large.truncate();
    expect(large.get()[0]?.time).to.be.greaterThan(0);
  });

  it('never holds more than its capacity, is sorted by time, and keeps the oldest of its window and the newest', () => {
    const times = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(times, fc.integer({ min: 3, max: 20 }), (given, capacity) => {
        const values = new TimeSeries<number>(new VirtualClock(0), { capacity });
        for (const [index, time] of given.entries()) {
          values.set(index, time);
          const found = values.get().map((each) => each.time);
          expect(found.length).to.be.at.most(capacity);
          expect(found).to.deep.equal([...new Set(found)].sort((a, b) => a - b));
          const soFar = given.slice(0, index + 1);
          expect([found[0], found.at(-1)]).to.deep.equal([Math.min(...soFar), Math.max(...soFar)]);
        }
      }),
    );
  });
});
