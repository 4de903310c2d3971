import { expect } from 'chai';

import { Intake } from '../../src/node/intake.ts';

/** An intake whose processes serve when told to. */
function setting(): {
  intake: Intake;
  opened: number[];
  arrive: (n: number, messages: number) => void;
  rest: () => void;
  serve: () => void;
  end: () => void;
  at: (now: number) => void;
} {
  const microtasks: (() => void)[] = [];
  const queue = { idle: true };
  let now = 0;
  const intake = new Intake(
    queue,
    { microtask: (task) => microtasks.push(task), macrotask: () => undefined },
    () => now,
    250,
  );
  const opened: number[] = [];
  const end = (): void => {
    intake.resume();
    for (const task of microtasks.splice(0)) task();
  };
  return {
    intake,
    opened,
    arrive: (n, messages) =>
      intake.take(() => {
        opened.push(n);
        intake.count(messages);
        queue.idle = false;
      }),
    rest: () => (queue.idle = true),
    serve: () => {
      queue.idle = true;
      end();
    },
    end,
    at: (time) => (now = time),
  };
}

describe('the intake of a node', () => {
  it('opens at once what comes while the processes are at rest, or have little to do', () => {
    const { opened, arrive } = setting();
    for (let n = 0; n < 4; n++) arrive(n, 100);
    expect(opened).to.deep.equal([0, 1, 2, 3]);
  });

  it('keeps the rest of a burst closed, in order, until everything is served', () => {
    const { opened, arrive, rest, serve, end } = setting();
    for (let n = 0; n < 4; n++) arrive(n, 1000);
    expect(opened).to.deep.equal([0, 1]);
    end();
    expect(opened).to.deep.equal([0, 1]);
    rest();
    arrive(4, 1);
    expect(opened).to.deep.equal([0, 1]);
    end();
    expect(opened).to.deep.equal([0, 1, 2, 3]);
    serve();
    expect(opened).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('goes on at once where nobody took what was opened', () => {
    const { intake, opened, arrive, serve } = setting();
    arrive(0, 5000);
    for (let n = 1; n < 100; n++) intake.take(() => (opened.push(n), intake.count(5000)));
    serve();
    expect(opened).to.have.length(100);
  });

  it('opens a share for every slice of processes that never rest', () => {
    const { opened, arrive, end } = setting();
    arrive(0, 1024);
    for (let n = 1; n <= 20; n++) arrive(n, 100);
    expect(opened).to.have.length(1);
    const perSlice = Array.from({ length: 6 }, () => {
      const before = opened.length;
      end();
      return opened.length - before;
    });
    expect(perSlice).to.deep.equal([3, 3, 2, 3, 2, 3]);
  });

  it('opens what waited too long, though the processes never rest', () => {
    const { opened, arrive, end, at } = setting();
    arrive(0, 5000);
    arrive(1, 1);
    at(100);
    arrive(2, 1);
    at(251);
    end();
    expect(opened).to.deep.equal([0, 1]);
    at(351);
    end();
    expect(opened).to.deep.equal([0, 1, 2]);
  });

  it('forgets what waits when its node closes', () => {
    const { intake, opened, arrive, serve } = setting();
    arrive(0, 5000);
    arrive(1, 1);
    intake.clear();
    serve();
    expect(opened).to.deep.equal([0]);
  });
});
