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

  for (const [latest, most] of [
    [20, 200],
    [2000, 1500],
  ] as const) {
    it(`agrees with a sorted list through any mix of up to ${most} times arming, cancelling and taking`, () => {
      const step = fc.oneof(
        { weight: 3, arbitrary: fc.record({ do: fc.constant('arm' as const), due: fc.nat(latest) }) },
        {
          weight: 9,
          arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(Math.floor(most / 4)) }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('take' as const), now: fc.nat(Math.floor(latest / 20)) }) },
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: most, size: 'max' }), (steps) => {
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
        { numRuns: most > 1000 ? 20 : 100 },
      );
    }).timeout(20_000);
  }
});
