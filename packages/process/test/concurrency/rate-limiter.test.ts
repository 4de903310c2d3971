import { expect } from 'chai';
import { type Duration, ProcessError, RateLimiter } from '@mezzo/process';
import { VirtualClock } from '@mezzo/process/testing';

describe('RateLimiter', () => {
  let clock: VirtualClock;
  let limiter: RateLimiter;

  const advance = (milliseconds: number): void => {
    clock.moveTo(clock.now() + milliseconds);
    clock.fireDue();
  };

  beforeEach(() => {
    clock = new VirtualClock(0);
    limiter = new RateLimiter(clock, 2, '5ms');
  });

  it('LP-LIM-01 grants the first at once and the next ones at even distances', () => {
    const [first, second, third] = [limiter.acquire(), limiter.acquire(), limiter.acquire()];
    expect(first.isReady).to.equal(true);
    expect(second.isPending).to.equal(true);
    advance(2.5);
    expect([second.isReady, third.isPending]).to.deep.equal([true, true]);
    advance(2.5);
    expect(third.isReady).to.equal(true);
  });

  it('LP-LIM-02 one that is discarded between others costs no permit', () => {
    const [first, second, third, fourth] = [1, 2, 3, 4].map(() => limiter.acquire());
    expect(first?.isReady).to.equal(true);
    second?.discard();
    advance(2.5);
    expect([second?.state, third?.state, fourth?.state]).to.deep.equal(['discarded', 'ready', 'pending']);
    advance(2.5);
    expect(fourth?.isReady).to.equal(true);
  });

  it('LP-LIM-03 one that is discarded at the end leaves its place to the next', () => {
    const [first, second] = [limiter.acquire(), limiter.acquire()];
    expect(first.isReady).to.equal(true);
    second.discard();
    const third = limiter.acquire();
    advance(2.5);
    expect(third.isReady).to.equal(true);
  });

  it('does not save up what was not used', () => {
    limiter.acquire();
    advance(100);
    expect([limiter.acquire().state, limiter.acquire().state]).to.deep.equal(['ready', 'pending']);
  });

  it('a callback of a grant that acquires again waits its turn', () => {
    limiter.acquire();
    const states: string[] = [];
    limiter.acquire().onReady(() => states.push(limiter.acquire().state));
    advance(2.5);
    expect(states).to.deep.equal(['pending']);
  });

  it('once stopped it discards who waits, grants nothing and leaves no timer', () => {
    limiter.acquire();
    const waiting = limiter.acquire();
    {
      using stopped = limiter;
      expect(stopped).to.equal(limiter);
    }
    expect([waiting.state, limiter.acquire().state]).to.deep.equal(['discarded', 'discarded']);
    expect(clock.nextDue()).to.equal(undefined);
  });

  it('refuses a rate that is none', () => {
    const refused = (permits: number, duration: Duration): void => {
      expect(() => new RateLimiter(clock, permits, duration), `${permits} per ${duration}`)
        .to.throw(ProcessError, 'expected both to be above 0 and finite')
        .with.property('code', 'RATE_INVALID');
    };
    refused(0, '1secs');
    refused(-1, '1secs');
    refused(NaN, '1secs');
    refused(Infinity, '1secs');
    refused(1, 0);
    refused(1, Infinity);
    expect(() => new RateLimiter(clock, 1, -1)).to.throw(ProcessError, 'Invalid duration');
  });
});
