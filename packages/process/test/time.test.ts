import { after, ManualClock, maxDuration, Time } from '@mezzo/process';
import { expect } from 'chai';
import fc from 'fast-check';
import { nodeClock } from '../src/platform/node-clock.ts';

const { epoch } = Time;

describe('Time', () => {
  it('LP-TIME-01 adds and subtracts durations, and times give the duration between them', () => {
    const time = epoch.plus('1000weeks');
    const earlier = time.minus('1weeks');
    expect(earlier.equals(epoch.plus('999weeks'))).to.equal(true);
    const later = earlier.plus('2weeks');
    expect(later.equals(epoch.plus('1001weeks'))).to.equal(true);
    expect(later.equals(epoch.plus('1002weeks').minus('1weeks'))).to.equal(true);
    expect(later.equals(time)).to.equal(false);
    expect(time.since(epoch.plus('999weeks'))).to.equal(7 * 86_400_000);
    expect(earlier.since(time)).to.equal(-7 * 86_400_000);
    expect([earlier.compare(time), time.compare(time), later.compare(time)]).to.deep.equal([-1, 0, 1]);
  });

  it('LP-TIME-02 now goes on by what was waited for at least', async () => {
    const clock = nodeClock();
    const before = Time.now(clock);
    await after('1ms', clock);
    const later = Time.now(clock);
    expect(later.since(before)).to.be.at.least(1);
    expect(Math.abs(later.milliseconds - Date.now())).to.be.lessThan(60_000);
  });

  it('LP-TIME-03 is written as RFC 1123 wants it, in whole seconds', () => {
    const time = epoch.plus('1000weeks');
    expect(epoch.rfc1123()).to.equal('Thu, 01 Jan 1970 00:00:00 GMT');
    expect(time.rfc1123()).to.equal('Thu, 02 Mar 1989 00:00:00 GMT');
    expect(time.plus('1ns').rfc1123()).to.equal('Thu, 02 Mar 1989 00:00:00 GMT');
    expect(time.plus('1secs').rfc1123()).to.equal('Thu, 02 Mar 1989 00:00:01 GMT');
    expect(Time.max.rfc1123()).to.equal('Fri, 11 Apr 2262 23:47:16 GMT');
  });

  it('LP-TIME-04 is written as RFC 3339 wants it, with nine digits of a fraction only where there is one', () => {
    const time = epoch.plus('1000weeks');
    expect(epoch.rfc3339()).to.equal('1970-01-01 00:00:00+00:00');
    expect(time.rfc3339()).to.equal('1989-03-02 00:00:00+00:00');
    expect(time.plus('1ns').rfc3339()).to.equal('1989-03-02 00:00:00.000000001+00:00');
    expect(time.plus('1us').rfc3339()).to.equal('1989-03-02 00:00:00.000001000+00:00');
    expect(Time.max.rfc3339()).to.equal('2262-04-11 23:47:16.854775807+00:00');
  });

  it('LP-TIME-05 as text it is RFC 3339', () => {
    const time = epoch.plus('1000weeks').plus('1ns');
    expect(String(time)).to.equal(time.rfc3339());
    expect(JSON.stringify({ time })).to.equal('{"time":"1989-03-02 00:00:00.000000001+00:00"}');
  });

  it('stops at its limits', () => {
    expect(Time.max.plus('1ns').equals(Time.max)).to.equal(true);
    expect(Time.max.nanoseconds).to.equal(2n ** 63n - 1n);
    expect(epoch.plus(maxDuration).equals(Time.max)).to.equal(true);
    expect(Time.now(new ManualClock()).plus(maxDuration).equals(Time.max)).to.equal(true);
    expect(epoch.plus(Number.POSITIVE_INFINITY).equals(Time.max)).to.equal(true);
    expect(epoch.minus(Number.POSITIVE_INFINITY).minus('1ns').equals(Time.min)).to.equal(true);
    expect(Time.min.rfc3339()).to.equal('1677-09-21 00:12:43.145224192+00:00');
  });

  it('agrees with Date on every millisecond of its range', () => {
    const limit = 9_223_372_036_854;
    const milliseconds = fc.oneof(
      fc.integer({ min: -limit, max: limit }),
      // Around the ends of days, years and centuries.
      fc
        .tuple(fc.integer({ min: 1678, max: 2261 }), fc.constantFrom(0, 1, 2, 11), fc.integer({ min: -2, max: 2 }))
        .map(([year, month, difference]) => Date.UTC(year, month, 1) + difference),
    );
    fc.assert(
      fc.property(milliseconds, (given) => {
        const time = Time.at(given);
        const date = new Date(given);
        expect(time.milliseconds).to.equal(given);
        expect(time.rfc1123()).to.equal(date.toUTCString());
        expect(Date.parse(time.rfc3339().replace(' ', 'T'))).to.equal(given);
        expect(time.rfc3339().slice(0, 19)).to.equal(date.toISOString().slice(0, 19).replace('T', ' '));
      }),
      { numRuns: 2000 },
    );
  });
});
