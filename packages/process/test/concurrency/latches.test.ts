import { expect } from 'chai';
import { CountDownLatch, Latch, Once, ProcessError } from '@mezzo/process';

describe('Latch', () => {
  it('is triggered once, and whoever waits then or later is READY', () => {
    const latch = new Latch();
    const [first, second] = [latch.triggered(), latch.triggered()];
    expect([first.isPending, second.isPending]).to.deep.equal([true, true]);
    expect([latch.trigger(), latch.trigger()]).to.deep.equal([true, false]);
    expect([first.isReady, second.isReady, latch.triggered().isReady]).to.deep.equal([true, true, true]);
  });

  it('one waiter that is discarded is no matter of the others', () => {
    const latch = new Latch();
    const [first, second] = [latch.triggered(), latch.triggered().map(() => 'went on')];
    first.discard();
    latch.trigger();
    expect([first.state, second.get()]).to.deep.equal(['discarded', 'went on']);
  });

  it('has happened when the first callback runs', () => {
    const latch = new Latch();
    const seen: unknown[] = [];
    latch.triggered().onReady(() => seen.push(latch.trigger(), latch.triggered().isReady));
    latch.trigger();
    expect(seen).to.deep.equal([false, true]);
  });
});

describe('CountDownLatch', () => {
  it('LP-CDL-01 is triggered by the last step, and steps beyond it do nothing', () => {
    const latch = new CountDownLatch(5);
    const triggered = latch.triggered();
    for (let step = 1; step <= 5; step++) {
      expect(triggered.isPending).to.equal(true);
      latch.decrement();
    }
    expect(triggered.isReady).to.equal(true);
    latch.decrement();
    expect(latch.triggered().isReady).to.equal(true);
  });

  it('LP-CDL-02 steps from five chains of microtasks trigger it exactly once', async () => {
    const latch = new CountDownLatch(5);
    let times = 0;
    const triggered = latch.triggered().onReady(() => times++);
    // Two chains each come to their step in the same round of microtasks.
    const steps = Array.from({ length: 5 }, async (_, chain) => {
      for (let hop = 0; hop < chain >> 1; hop++) await Promise.resolve();
      expect(triggered.isPending).to.equal(true);
      latch.decrement();
    });
    await Promise.all(steps);
    await triggered;
    expect(times).to.equal(1);
  });

  it('one of no steps is triggered from the start', () => {
    expect(new CountDownLatch(0).triggered().isReady).to.equal(true);
    expect(new CountDownLatch().triggered().isReady).to.equal(false);
  });

  it('refuses a count that is none', () => {
    for (const count of [-1, 1.5, NaN, Infinity]) {
      expect(() => new CountDownLatch(count))
        .to.throw(ProcessError, `Invalid count ${count}`)
        .with.property('code', 'COUNT_INVALID');
    }
  });
});

describe('Once', () => {
  it('lets the first one through, and the others once it is done', () => {
    const once = new Once();
    once.done();
    expect(once.once().get()).to.equal(false);
    const [second, third] = [once.once(), once.once()];
    second.discard();
    expect([second.state, third.state]).to.deep.equal(['discarded', 'pending']);
    once.done();
    once.done();
    expect([third.get(), once.once().get()]).to.deep.equal([true, true]);
  });
});
