import { expect } from 'chai';
import fc from 'fast-check';
import { ResourceNames } from '../../src/measure/quantities.ts';
import { TaskShape, type WaitingTask } from '../../src/workload/task.ts';
import { TaskQueue } from '../../src/workload/task-queue.ts';

const shape = new TaskShape('cpus:1', new ResourceNames(['cpus']));
const task = (arrival: number): WaitingTask => ({
  ...{ shape, arrival, duration: undefined, fails: false, isAgain: false, places: undefined, passedSince: undefined },
});

function taken(queue: TaskQueue, most: number, fits: (task: WaitingTask) => boolean): readonly number[] {
  const arrivals: number[] = [];
  queue.take(most, fits, ({ arrival }) => arrivals.push(arrival));
  return arrivals;
}

describe('a queue of tasks', () => {
  it('gives the oldest that fit, and keeps the others in their order', () => {
    const queue = new TaskQueue();
    for (let i = 0; i < 6; i++) queue.push(task(i));
    expect(taken(queue, 2, ({ arrival }) => arrival % 2 === 1)).to.deep.equal([1, 3]);
    expect(queue.size).to.equal(4);
    expect(taken(queue, Infinity, () => true)).to.deep.equal([0, 2, 4, 5]);
    expect(queue.size).to.equal(0);
  });

  it('looks no further than 100 tasks that do not fit', () => {
    const queue = new TaskQueue();
    for (let i = 0; i < 150; i++) queue.push(task(i));
    const asked: number[] = [];
    taken(queue, Infinity, ({ arrival }) => {
      asked.push(arrival);
      return false;
    });
    expect(asked).to.have.length(100);
    expect(queue.size).to.equal(150);
  });

  it('also takes what arrives while it is taken from', () => {
    const queue = new TaskQueue();
    queue.push(task(0));
    let next = 1;
    const arrivals: number[] = [];
    queue.take(
      5,
      () => true,
      ({ arrival }) => {
        arrivals.push(arrival);
        queue.push(task(next++));
      },
    );
    expect(arrivals).to.deep.equal([0, 1, 2, 3, 4]);
    expect(queue.size).to.equal(1);
  });

  it('behaves as a plain list does, whatever is pushed and taken', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ push: fc.nat(400), most: fc.nat(300), modulus: fc.integer({ min: 1, max: 3 }) })),
        (steps) => {
          const queue = new TaskQueue();
          let list: number[] = [];
          let next = 0;
          for (const { push, most, modulus } of steps) {
            for (let i = 0; i < push; i++) {
              queue.push(task(next));
              list.push(next++);
            }
            const expected: number[] = [];
            let passed = 0;
            for (const arrival of list) {
              if (expected.length === most || passed === 100) break;
              if (arrival % modulus === 0) expected.push(arrival);
              else passed++;
            }
            expect(taken(queue, most, ({ arrival }) => arrival % modulus === 0)).to.deep.equal(expected);
            const gone = new Set(expected);
            list = list.filter((arrival) => !gone.has(arrival));
          }
          expect(queue.clear().map(({ arrival }) => arrival)).to.deep.equal(list);
        },
      ),
      { numRuns: 50 },
    );
  });
});
