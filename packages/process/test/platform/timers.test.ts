import { expect } from 'chai';
import fc from 'fast-check';
import { TimerQueue } from '../../src/platform/timers.ts';

describe('TimerQueue', () => {
  it('runs timers by due time, and in the order they were armed within the same', () => {
    const seen: string[] = [];
    const queue = new TimerQueue();
    queue.arm(2, () => seen.push('a'));
    queue.arm(1, () => seen.push('b'));
    queue.arm(1, () => seen.push('c'));
    expect(queue.take(0)).to.equal(undefined);
    for (let thunk = queue.take(2); thunk !== undefined; thunk = queue.take(2)) thunk();
    expect(seen).to.deep.equal(['b', 'c', 'a']);
  });

  it('keeps the order of the timers that are left where most were cancelled, and of those armed anew in their place', () => {
    const queue = new TimerQueue();
    const seen: number[] = [];
    // 7 has no factor in common with 1000, so every number from 0 comes once, out of order.
    const dues = Array.from({ length: 1000 }, (_, n) => (n * 7) % 1000);
    const timers = new Map(dues.map((due) => [due, queue.arm(due, () => seen.push(due))]));
    for (const due of dues) if (due % 10 !== 0) expect(timers.get(due)?.cancel()).to.equal(true);
    for (const due of dues) if (due % 10 === 5) queue.arm(due, () => seen.push(due));
    expect(queue.size).to.equal(200);
    for (let now = 0; now < 1000; now++) {
      for (let thunk = queue.take(now); thunk !== undefined; thunk = queue.take(now)) thunk();
      expect(seen.length).to.equal(Math.floor(now / 5) + 1);
    }
    expect(seen).to.deep.equal(Array.from({ length: 200 }, (_, n) => n * 5));
  });

  it('agrees with a sorted list through any mix of arming, cancelling and taking', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('arm' as const), due: fc.nat(20) }),
      fc.record({ do: fc.constant('cancel' as const), which: fc.nat(50) }),
      fc.record({ do: fc.constant('take' as const), now: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new TimerQueue();
        const taken: number[] = [];
        const timers: ReturnType<TimerQueue['arm']>[] = [];
        let model: { id: number; due: number }[] = [];
        for (const one of steps) {
          if (one.do === 'arm') {
            const id = timers.length;
            timers.push(queue.arm(one.due, () => taken.push(id)));
            model.push({ id, due: one.due });
            model.sort((a, b) => a.due - b.due || a.id - b.id);
          } else if (one.do === 'cancel') {
            const armed = model.some(({ id }) => id === one.which);
            expect(timers[one.which]?.cancel() ?? false).to.equal(armed);
            model = model.filter(({ id }) => id !== one.which);
          } else {
            queue.take(one.now)?.();
            const first = model[0];
            if (first !== undefined && first.due <= one.now) {
              expect(taken.at(-1)).to.equal(first.id);
              model.shift();
            }
          }
          expect(queue.nextDue()).to.equal(model[0]?.due);
          expect(queue.size).to.equal(model.length);
        }
      }),
    );
  });
});
