import { expect } from 'chai';
import { type Duration, parseDuration, ProcessError, toMilliseconds } from '@mezzo/process';

describe('Duration', () => {
  it('is a number of milliseconds, or text with a unit', () => {
    const cases: [Duration, number][] = [
      [5, 5],
      [0, 0],
      ['1000000ns', 1],
      ['1500us', 1.5],
      ['500ms', 500],
      ['2secs', 2000],
      ['2s', 2000],
      ['1.5hrs', 5_400_000],
      ['5mins', 300_000],
      ['1days', 86_400_000],
      ['2weeks', 1_209_600_000],
    ];
    for (const [given, expected] of cases) expect(toMilliseconds(given), String(given)).to.equal(expected);
    expect(parseDuration(' 10 secs ')).to.equal(10_000);
  });

  it('refuses anything else, and says what it was and what is expected', () => {
    for (const text of ['', '5', 's', '-1s', '1parsec', '1s2', '5constructor', '1e3s']) {
      expect(() => parseDuration(text), text)
        .to.throw(ProcessError, 'expected a non-negative number')
        .with.property('code', 'DURATION_INVALID');
    }
    expect(() => toMilliseconds(-1)).to.throw(ProcessError, "'-1'");
    expect(() => toMilliseconds(Number.NaN)).to.throw(ProcessError, "'NaN'");
    for (const given of [undefined, null, true, {}, ['5ms']]) {
      expect(() => toMilliseconds(given as unknown as Duration), JSON.stringify(given))
        .to.throw(ProcessError, 'expected a non-negative number')
        .with.property('code', 'DURATION_INVALID');
    }
  });
});
