import {
  after,
  type Clock,
  dispatch,
  ManualClock,
  maxDuration,
  nodePlatform,
  Process,
  Runtime,
  Time,
  type Timer,
} from '@mezzo/process';
import { expect } from 'chai';
import { nodeClock } from '../../src/platform/node-clock.ts';
import { settle } from '../../src/testing/settle.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const day = 86_400_000;

/** A real clock that knows how many timers are armed. */
class CountingClock implements Clock {
  readonly #real = nodeClock();
  armed = 0;

  now(): number {
    return this.#real.now();
  }

  timer(delay: number, thunk: () => void): Timer {
    this.armed++;
    const timer = this.#real.timer(delay, () => {
      this.armed--;
      thunk();
    });
    return {
      cancel: () => {
        const cancelled = timer.cancel();
        if (cancelled) this.armed--;
        return cancelled;
      },
    };
  }
}

describe('ManualClock', () => {
  it('goes with the real clock until it is paused, and stands then', () => {
    const real = new VirtualClock(1000);
    const clock = new ManualClock(real);
    real.moveTo(1500);
    expect([clock.now(), clock.isPaused]).to.deep.equal([1500, false]);
    clock.advance('1hrs');
    expect(clock.now()).to.equal(1500);
    clock.pause();
    real.moveTo(2000);
    clock.pause();
    expect([clock.now(), clock.isPaused]).to.deep.equal([1500, true]);
    clock.advance('2secs');
    expect(clock.now()).to.equal(3500);
  });

  it('LP-SRC-38 after a pause time goes on from the advances, and never back', () => {
    const real = new VirtualClock(0);
    const clock = new ManualClock(real);
    const seen: number[] = [];
    const look = (): void => void seen.push(clock.now());
    look();
    clock.pause();
    clock.advance('1hrs');
    look();
    clock.resume();
    look();
    real.moveTo(10);
    look();
    clock.pause();
    real.moveTo(30);
    look();
    clock.advance(5);
    look();
    clock.resume();
    look();
    const hour = 3_600_000;
    // What passed while it was paused, 20 ms, passes at the second resume.
    expect(seen).to.deep.equal([0, hour, hour, hour + 10, hour + 10, hour + 15, hour + 35]);
  });

  it('LP-SRC-39 an advance runs timers by due time, and those of one time in the order they were armed', () => {
    const real = new VirtualClock(0);
    const clock = new ManualClock(real);
    clock.pause();
    const seen: string[] = [];
    clock.timer(2000, () => seen.push('a'));
    clock.timer(1000, () => seen.push('b'));
    clock.timer(1000, () => seen.push('c'));
    clock.advance('2secs');
    expect(seen).to.deep.equal([]);
    real.fireDue();
    expect(seen).to.deep.equal(['b', 'c', 'a']);
  });

  it('timers armed before a pause wait, run by an advance, and what is left runs when it is due after the resume', () => {
    const real = new VirtualClock(0);
    const clock = new ManualClock(real);
    const seen: string[] = [];
    const pass = (time: number): void => {
      real.moveTo(time);
      real.fireDue();
    };
    for (const delay of [100, 200, 300, 1000]) clock.timer(delay, () => seen.push(`${delay} at ${clock.now()}`));
    clock.timer(150, () => seen.push('never')).cancel();
    clock.pause();
    expect(real.nextDue()).to.equal(undefined);
    pass(50);
    clock.advance(100);
    pass(50);
    expect(seen).to.deep.equal(['100 at 100']);
    // 50 ms of the pause and 100 ms of advances.
    clock.resume();
    expect(clock.now()).to.equal(150);
    pass(99);
    expect(seen).to.have.length(1);
    pass(100);
    expect(seen.slice(1)).to.deep.equal(['200 at 200']);
    clock.pause();
    pass(500);
    expect(seen).to.have.length(2);
    clock.resume();
    pass(500);
    expect(seen.slice(2)).to.deep.equal(['300 at 600']);
    pass(900);
    expect(seen.slice(3)).to.deep.equal(['1000 at 1000']);
    expect(real.nextDue()).to.equal(undefined);
  });

  it('a timer of no delay that arms itself again while time stands does not hold the loop', async () => {
    const clock = new ManualClock();
    clock.pause();
    let count = 0;
    const again = (): void => {
      if (++count < 3) clock.timer(0, again);
    };
    clock.timer(0, again);
    expect([clock.fireDue(), count]).to.deep.equal([true, 1]);
    expect([clock.fireDue(), count]).to.deep.equal([true, 2]);
    expect([clock.fireDue(), count]).to.deep.equal([true, 3]);
    expect(clock.fireDue()).to.equal(false);
  });

  it('cancelled timers leave no real one behind', () => {
    const real = new VirtualClock(0);
    const clock = new ManualClock(real);
    const timers = [10, 20].map((delay) => clock.timer(delay, () => undefined));
    expect(timers.map((timer) => [timer.cancel(), timer.cancel()])).to.deep.equal([
      [true, false],
      [true, false],
    ]);
    expect(real.nextDue()).to.equal(undefined);
  });

  it('LP-SRC-40 delays above what a native timer takes fire neither at once nor early, and none after the end of time', async () => {
    const seen: string[] = [];
    const arm = (clock: Clock): Timer[] => [
      clock.timer(2 ** 31, () => seen.push('2^31 ms')),
      clock.timer(30 * day, () => seen.push('30 days')),
      clock.timer(maxDuration, () => seen.push('for ever')),
    ];
    const warnings: string[] = [];
    const listen = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', listen);
    for (const clock of [nodeClock(), new ManualClock()]) {
      const timers = arm(clock);
      await after(2, clock);
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(seen).to.deep.equal([]);
      expect(timers.map((timer) => timer.cancel())).to.deep.equal([true, true, true]);
    }
    process.off('warning', listen);
    expect(warnings, 'a native timer that was asked for more than it takes').to.deep.equal([]);

    const real = new VirtualClock(0);
    const exact = new ManualClock(real);
    exact.pause();
    real.moveTo(5 * day);
    exact.advance('1hrs');
    const step = (milliseconds: number): string[] => {
      exact.advance(milliseconds);
      real.fireDue();
      return seen;
    };
    arm(exact);
    expect(step(2 ** 31 - 1)).to.deep.equal([]);
    expect(step(1)).to.deep.equal(['2^31 ms']);
    expect(step(30 * day - 2 ** 31 - 1)).to.have.length(1);
    expect(step(1)).to.deep.equal(['2^31 ms', '30 days']);
    expect(step(Math.floor(Time.max.milliseconds) - exact.now())).to.have.length(2);
    expect(step(1)).to.deep.equal(['2^31 ms', '30 days', 'for ever']);
  });

  it('LP-CLOCK-05 after is READY when its time has come, by itself or by an advance, and DISCARDED when it is discarded', async () => {
    const clock = new ManualClock();
    const start = clock.now();
    await after('1ms', clock);
    expect(clock.now() - start).to.be.at.least(1);
    clock.pause();
    const passing = after('1days', clock);
    const discarded = after('1days', clock);
    await new Promise(setImmediate);
    expect(passing.isPending).to.equal(true);
    discarded.discard();
    expect(discarded.isDiscarded).to.equal(true);
    clock.advance('1days');
    await passing;
    expect(passing.isReady).to.equal(true);
  });

  describe('of a real runtime', () => {
    class Recorder extends Process {
      readonly seen: string[] = [];

      record(text: string): void {
        this.seen.push(text);
      }

      later(): void {
        this.delay('10ms', () => this.record('later'));
      }
    }

    async function start(clock: Clock): Promise<Runtime> {
      return Runtime.start({ platform: { ...nodePlatform(), clock } });
    }

    it('LP-CLOCK-01 a delay runs when the clock was advanced by it, without real time, and once', async () => {
      const clock = new ManualClock();
      await using runtime = await start(clock);
      const recorder = new Recorder('recorder');
      const pid = runtime.spawn(recorder);
      clock.pause();
      const began = performance.now();
      runtime.delay(pid, '5secs', () => recorder.record(`at ${clock.now() - paused}`));
      const paused = clock.now();
      await settle(runtime);
      expect(recorder.seen).to.deep.equal([]);
      clock.advance(4999);
      await settle(runtime);
      expect(recorder.seen).to.deep.equal([]);
      clock.advance(1);
      await settle(runtime);
      expect(recorder.seen).to.deep.equal(['at 5000']);
      clock.advance('1hrs');
      await settle(runtime);
      expect(recorder.seen).to.have.length(1);
      expect(performance.now() - began).to.be.lessThan(5000);
      clock.resume();
    });

    it('LP-CLOCK-04 a timer fires in the next runtime, and what the one before had armed is gone', async () => {
      const clock = new CountingClock();
      const platform = { ...nodePlatform(), clock };
      const first = await Runtime.start({ platform });
      const before = new Recorder('recorder');
      await dispatch(first.spawn(before), (process) => process.later());
      expect(clock.armed).to.equal(1);
      await first.stop();
      expect(clock.armed).to.equal(0);
      await using second = await Runtime.start({ platform });
      const recorder = new Recorder('recorder');
      const pid = second.spawn(recorder);
      await dispatch(pid, (process) => process.later());
      // Not by a timer of this clock, which could get a stuck one going again.
      const deadline = performance.now() + 2000;
      while (recorder.seen.length === 0 && performance.now() < deadline) await new Promise(setImmediate);
      expect(recorder.seen).to.deep.equal(['later']);
      expect(before.seen).to.deep.equal([]);
    });
  });
});
