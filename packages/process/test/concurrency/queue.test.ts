import { expect } from 'chai';
import fc from 'fast-check';
import { type Future, Queue } from '@mezzo/process';

describe('Queue', () => {
  it('LP-QUEUE-01 a get of an empty queue waits for the next put, and is READY when that returns', () => {
    const queue = new Queue<string>();
    const got = queue.get();
    expect(got.isPending).to.equal(true);
    expect(queue.put('hello world')).to.equal(true);
    expect(got.get()).to.equal('hello world');
    expect(queue.size).to.equal(0);
  });

  it('LP-QUEUE-02 what was put before is READY at once', () => {
    const queue = new Queue<string>();
    queue.put('world hello');
    expect(queue.size).to.equal(1);
    expect(queue.get().get()).to.equal('world hello');
    expect(queue.size).to.equal(0);
  });

  it('LP-QUEUE-03 each put completes the get that has waited longest', () => {
    const queue = new Queue<string>();
    const gets = [queue.get(), queue.get(), queue.get()];
    const states = (): string[] => gets.map((got) => (got.isReady ? got.get() : got.state));
    queue.put('hello');
    expect(states()).to.deep.equal(['hello', 'pending', 'pending']);
    queue.put('pretty');
    expect(states()).to.deep.equal(['hello', 'pretty', 'pending']);
    queue.put('world');
    expect(states()).to.deep.equal(['hello', 'pretty', 'world']);
  });

  it('LP-QUEUE-04 a get that is discarded is DISCARDED at once and takes no item', () => {
    const queue = new Queue<string>();
    const [first, second] = [queue.get(), queue.get()];
    first.discard();
    expect(first.isDiscarded).to.equal(true);
    queue.put('hello');
    expect(second.get()).to.equal('hello');
  });

  it('an item may be undefined', () => {
    const queue = new Queue<undefined>();
    queue.put(undefined);
    expect(queue.get().isReady).to.equal(true);
    expect(queue.get().isPending).to.equal(true);
  });

  it('once stopped it discards who waits and refuses items, but gives those it has', () => {
    const waiting = new Queue<number>();
    const got = waiting.get();
    waiting.stop();
    expect(got.isDiscarded).to.equal(true);
    expect(waiting.put(1)).to.equal(false);
    expect(waiting.get().isDiscarded).to.equal(true);

    const filled = new Queue<number>();
    {
      using queue = filled;
      queue.put(1);
    }
    expect(filled.get().get()).to.equal(1);
    expect(filled.get().isDiscarded).to.equal(true);
  });

  it('a get made by a callback of stop does not keep it from ending', () => {
    const queue = new Queue<number>();
    const again: Future<number>[] = [];
    queue.get().onDiscarded(() => again.push(queue.get()));
    queue.stop();
    expect(again.map(String)).to.deep.equal(['Discarded (with discard)']);
  });

  it('for await takes items in order until the queue is stopped, and leaves the rest when it is left', async () => {
    const queue = new Queue<number>();
    queue.put(1);
    queue.put(2);
    queue.put(3);
    for await (const item of queue) if (item === 2) break;
    expect(queue.size).to.equal(1);
    const taken: number[] = [];
    const done = (async () => {
      for await (const item of queue) taken.push(item);
    })();
    queue.put(4);
    queue.stop();
    await done;
    expect(taken).to.deep.equal([3, 4]);
  });

  it('a get that puts again in its callback runs as often as one likes', () => {
    const queue = new Queue<number>();
    let last = 0;
    const next = (): void => {
      queue.get().onReady((item) => {
        last = item;
        next();
        if (item < 100_000) queue.put(item + 1);
      });
    };
    next();
    queue.put(1);
    expect(last).to.equal(100_000);
  });

  it('leaving the line and being served cost the same however many wait', function () {
    // A line that is walked through takes several times as long.
    this.timeout(2000);
    const queue = new Queue<number>();
    const gets = Array.from({ length: 200_000 }, () => queue.get());
    for (const [index, got] of gets.entries()) if (index % 2 === 0) got.discard();
    for (let item = 0; item < 100_000; item++) queue.put(item);
    expect(gets.at(-1)?.get()).to.equal(99_999);
  });

  it('keeps order and loses nothing under any mix of put, get and discard', () => {
    const step = fc.oneof(fc.constant('put' as const), fc.constant('get' as const), fc.record({ discard: fc.nat(30) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new Queue<number>();
        const gets: Future<number>[] = [];
        let put = 0;
        for (const one of steps) {
          if (one === 'put') queue.put(put++);
          else if (one === 'get') gets.push(queue.get());
          else gets[one.discard]?.discard();
          expect(gets.some((got) => got.isPending) && queue.size > 0, 'an item beside a waiting get').to.equal(false);
        }
        const got = gets.filter((future) => future.isReady).map((future) => future.get());
        while (queue.size > 0) got.push(queue.get().get());
        expect(got).to.deep.equal(Array.from({ length: put }, (_, index) => index));
      }),
    );
  });
});
