import { expect } from 'chai';
import fc from 'fast-check';
import { Deferred, Future, Mutex, ProcessError } from '@mezzo/process';

describe('Mutex', () => {
  it('LP-MUTEX-01 a free lock is READY at once, also after it was given back', () => {
    const mutex = new Mutex();
    expect(mutex.lock().isReady).to.equal(true);
    mutex.unlock();
    expect(mutex.lock().isReady).to.equal(true);
  });

  it('LP-MUTEX-02 a second lock waits, and is READY when unlock returns', () => {
    const mutex = new Mutex();
    mutex.lock();
    const second = mutex.lock();
    expect(second.isPending).to.equal(true);
    mutex.unlock();
    expect(second.isReady).to.equal(true);
  });

  it('LP-MUTEX-03 locks are had one after another in the order they were asked for', () => {
    const mutex = new Mutex();
    mutex.lock();
    const [first, second] = [mutex.lock(), mutex.lock()];
    expect([first.state, second.state]).to.deep.equal(['pending', 'pending']);
    mutex.unlock();
    expect([first.state, second.state]).to.deep.equal(['ready', 'pending']);
    mutex.unlock();
    expect([first.state, second.state]).to.deep.equal(['ready', 'ready']);
  });

  it('who discards while waiting never gets the lock', () => {
    const mutex = new Mutex();
    mutex.lock();
    const [first, second] = [mutex.lock(), mutex.lock()];
    first.discard();
    expect(first.isDiscarded).to.equal(true);
    mutex.unlock();
    expect(second.isReady).to.equal(true);
    mutex.unlock();
    expect(mutex.lock().isReady).to.equal(true);
  });

  it('unlocking what nobody holds throws', () => {
    const mutex = new Mutex();
    const wrong = (): void => mutex.unlock();
    expect(wrong).to.throw(ProcessError, 'nobody holds the lock').with.property('code', 'LOCK_NOT_HELD');
    mutex.lock();
    mutex.unlock();
    expect(wrong).to.throw(ProcessError);
  });

  it('a handle gives the lock back at the end of its block, and only once', async () => {
    const mutex = new Mutex();
    const held = await mutex.lock();
    {
      using handle = held;
      expect(handle).to.equal(held);
      expect(mutex.lock().isPending).to.equal(true);
    }
    const third = mutex.lock();
    held[Symbol.dispose]();
    expect(third.isPending).to.equal(true);
  });

  it('a hundred thousand waiters that unlock in their callbacks do not overflow the stack', () => {
    const mutex = new Mutex();
    mutex.lock();
    let had = 0;
    for (let index = 0; index < 100_000; index++) {
      mutex.lock().onReady(() => {
        had++;
        mutex.unlock();
      });
    }
    mutex.unlock();
    expect(had).to.equal(100_000);
    expect(mutex.lock().isReady).to.equal(true);
  });

  describe('run', () => {
    it('gives what the function gives, flattened, and holds the lock until then', async () => {
      const mutex = new Mutex();
      const inner = new Deferred<number>();
      const first = mutex.run(() => inner.future);
      const second = mutex.run(async () => 'second');
      const third: Future<string> = mutex.run(() => 'third');
      expect([first.state, second.state, third.state]).to.deep.equal(['pending', 'pending', 'pending']);
      inner.set(1);
      expect(first.get()).to.equal(1);
      expect(await second).to.equal('second');
      expect(third.get()).to.equal('third');
    });

    it('gives the lock back whatever comes of it', () => {
      const mutex = new Mutex();
      const thrown = mutex.run(() => {
        throw new Error('no');
      });
      expect(String(thrown)).to.equal('Failed: no');
      const inner = new Deferred<void>();
      const run = mutex.run(() => inner.future);
      inner.discard();
      expect(run.isDiscarded).to.equal(true);
      expect(mutex.run(() => Future.abandoned()).isAbandoned).to.equal(true);
      expect(mutex.lock().isReady).to.equal(true);
    });

    it('a discard leaves the line, or reaches the future of the function', () => {
      const mutex = new Mutex();
      const inner = new Deferred<void>();
      const first = mutex.run(() => inner.future);
      let ran = false;
      const second = mutex.run(() => {
        ran = true;
      });
      second.discard();
      expect(second.isDiscarded).to.equal(true);
      first.discard();
      expect([first.isPending, inner.future.hasDiscard]).to.deep.equal([true, true]);
      inner.set();
      expect([ran, mutex.lock().isReady]).to.deep.equal([false, true]);
    });

    it('a discard at the moment the lock is had does not keep it for ever', () => {
      const mutex = new Mutex();
      mutex.lock();
      // So many that the last ones are handed over before their callbacks run.
      const runs = Array.from({ length: 200 }, (_, index): Future<void> =>
        mutex.run(() => {
          runs[index + 1]?.discard();
        }),
      );
      mutex.unlock();
      expect(runs.some((run) => run.isPending)).to.equal(false);
      expect(mutex.lock().isReady).to.equal(true);
    });
  });

  it('is held by one at a time and passed on in order, whoever discards when', () => {
    const step = fc.oneof(
      fc.constant('lock' as const),
      fc.constant('unlock' as const),
      fc.record({ discard: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const mutex = new Mutex();
        const locks: Future<unknown>[] = [];
        const had: number[] = [];
        let holders = 0;
        const lock = (): void => {
          const index = locks.length;
          locks.push(
            mutex.lock().onReady(() => {
              expect(++holders).to.equal(1);
              had.push(index);
            }),
          );
        };
        for (const one of steps) {
          if (one === 'lock') lock();
          else if (one === 'unlock') {
            if (holders === 0) expect(() => mutex.unlock()).to.throw(ProcessError);
            else {
              holders--;
              mutex.unlock();
            }
          } else locks[one.discard]?.discard();
          expect(holders === 0 && locks.some((one) => one.isPending), 'free beside a waiter').to.equal(false);
        }
        while (holders > 0) {
          holders--;
          mutex.unlock();
        }
        const wanted = locks.flatMap((one, index) => (one.isDiscarded ? [] : [index]));
        expect(had).to.deep.equal(wanted);
      }),
    );
  });
});
