import { expect } from 'chai';
import fc from 'fast-check';
import { Deferred, type Future, ProcessError, ReadWriteLock } from '@mezzo/process';

const states = (...locks: readonly Future<unknown>[]): string[] => locks.map(({ state }) => state);

describe('ReadWriteLock', () => {
  it('LP-RWLOCK-01 a free lock is READY at once for either kind', () => {
    const lock = new ReadWriteLock();
    expect(lock.writeLock().isReady).to.equal(true);
    lock.writeUnlock();
    expect(lock.readLock().isReady).to.equal(true);
    lock.readUnlock();
    expect(lock.writeLock().isReady).to.equal(true);
    lock.writeUnlock();
  });

  it('LP-RWLOCK-02 a reader waits for the writer, and is READY when its unlock returns', () => {
    const lock = new ReadWriteLock();
    lock.writeLock();
    const reader = lock.readLock();
    expect(reader.isPending).to.equal(true);
    lock.writeUnlock();
    expect(reader.isReady).to.equal(true);
  });

  it('LP-RWLOCK-03 a writer waits for a writer and for a reader', () => {
    const lock = new ReadWriteLock();
    lock.writeLock();
    const second = lock.writeLock();
    expect(second.isPending).to.equal(true);
    lock.writeUnlock();
    expect(second.isReady).to.equal(true);
    lock.writeUnlock();
    lock.readLock();
    const third = lock.writeLock();
    expect(third.isPending).to.equal(true);
    lock.readUnlock();
    expect(third.isReady).to.equal(true);
  });

  it('LP-RWLOCK-04 many read at once, and a writer waits for the last of them', () => {
    const lock = new ReadWriteLock();
    expect(states(lock.readLock(), lock.readLock(), lock.readLock())).to.deep.equal(['ready', 'ready', 'ready']);
    const writer = lock.writeLock();
    expect(writer.isPending).to.equal(true);
    lock.readUnlock();
    expect(writer.isPending).to.equal(true);
    lock.readUnlock();
    expect(writer.isPending).to.equal(true);
    lock.readUnlock();
    expect(writer.isReady).to.equal(true);
  });

  it('LP-RWLOCK-05 lets in one writer or a run of readers at a time; no reader passes a writer that waits', () => {
    const lock = new ReadWriteLock();
    lock.readLock();
    const queued = [
      lock.writeLock(),
      lock.readLock(),
      lock.readLock(),
      lock.writeLock(),
      lock.readLock(),
      lock.readLock(),
    ];
    const ready = (): number => queued.filter(({ isReady }) => isReady).length;
    const admitted = (count: number): void => {
      expect(states(...queued)).to.deep.equal(queued.map((_, index) => (index < count ? 'ready' : 'pending')));
      expect(ready()).to.equal(count);
    };
    admitted(0);
    lock.readUnlock();
    admitted(1);
    lock.writeUnlock();
    admitted(3);
    lock.readUnlock();
    admitted(3);
    lock.readUnlock();
    admitted(4);
    lock.writeUnlock();
    admitted(6);
  });

  it('who discards while waiting never gets the lock, and readers behind a writer that left join those who read', () => {
    const lock = new ReadWriteLock();
    lock.readLock();
    const [writer, reader, second] = [lock.writeLock(), lock.readLock(), lock.writeLock()];
    writer.discard();
    expect(states(writer, reader, second)).to.deep.equal(['discarded', 'ready', 'pending']);
    lock.readUnlock();
    expect(second.isPending).to.equal(true);
    lock.readUnlock();
    expect(second.isReady).to.equal(true);
  });

  it('a reader that is discarded by one let in with it has the lock all the same', () => {
    const lock = new ReadWriteLock();
    lock.writeLock();
    const first = lock.readLock();
    const second = lock.readLock();
    first.onReady(() => second.discard());
    lock.writeUnlock();
    expect(states(first, second)).to.deep.equal(['ready', 'ready']);
    const writer = lock.writeLock();
    lock.readUnlock();
    expect(writer.isPending).to.equal(true);
    lock.readUnlock();
    expect(writer.isReady).to.equal(true);
  });

  it('a wrong unlock throws', () => {
    const lock = new ReadWriteLock();
    const refused = (unlock: () => void, text: string): void => {
      expect(unlock).to.throw(ProcessError, text).with.property('code', 'LOCK_NOT_HELD');
    };
    refused(() => lock.readUnlock(), 'ReadWriteLock.readUnlock: no reader');
    refused(() => lock.writeUnlock(), 'ReadWriteLock.writeUnlock: no writer');
    lock.readLock();
    refused(() => lock.writeUnlock(), 'no writer');
    lock.readUnlock();
    lock.writeLock();
    refused(() => lock.readUnlock(), 'no reader');
  });

  it('handles give back what they stand for, once', async () => {
    const lock = new ReadWriteLock();
    const [first, second] = [await lock.readLock(), await lock.readLock()];
    const writer = lock.writeLock();
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    expect(writer.isPending).to.equal(true);
    second[Symbol.dispose]();
    {
      using held = await writer;
      expect(held).to.equal(writer.get());
      expect(lock.readLock().isPending).to.equal(true);
    }
    expect(lock.readLock().isReady).to.equal(true);
  });

  it('read and write run functions while the lock is had', () => {
    const lock = new ReadWriteLock();
    const [first, second] = [new Deferred<number>(), new Deferred<number>()];
    const reads = [lock.read(() => first.future), lock.read(() => second.future)];
    const write = lock.write(() => 'written');
    first.set(1);
    expect(states(...reads, write)).to.deep.equal(['ready', 'pending', 'pending']);
    second.set(2);
    expect(write.get()).to.equal('written');
    expect(lock.writeLock().isReady).to.equal(true);
  });

  it('a hundred thousand waiters that unlock in their callbacks do not overflow the stack', () => {
    const lock = new ReadWriteLock();
    lock.writeLock();
    let had = 0;
    for (let index = 0; index < 100_000; index++) {
      const writes = index % 3 === 0;
      (writes ? lock.writeLock() : lock.readLock()).onReady(() => {
        had++;
        if (writes) lock.writeUnlock();
        else lock.readUnlock();
      });
    }
    lock.writeUnlock();
    expect(had).to.equal(100_000);
  });

  it('never lets a writer in beside anybody, and everybody in at last in order, whoever discards when', () => {
    const step = fc.oneof(
      fc.constantFrom('read' as const, 'write' as const),
      fc.record({ unlock: fc.nat(30) }),
      fc.record({ discard: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const lock = new ReadWriteLock();
        const locks: { writes: boolean; future: Future<unknown> }[] = [];
        const holding: number[] = [];
        const had: number[] = [];
        const ask = (writes: boolean): void => {
          const index = locks.length;
          const future = writes ? lock.writeLock() : lock.readLock();
          locks.push({ writes, future });
          future.onReady(() => {
            had.push(index);
            holding.push(index);
            const writers = holding.filter((one) => locks[one]?.writes).length;
            expect(writers === 0 || holding.length === 1, 'a writer beside somebody').to.equal(true);
          });
        };
        const unlock = (which: number): void => {
          const [holder] = holding.splice(which % Math.max(holding.length, 1), 1);
          if (holder === undefined) return;
          if (locks[holder]?.writes === true) lock.writeUnlock();
          else lock.readUnlock();
        };
        for (const one of steps) {
          if (typeof one === 'string') ask(one === 'write');
          else if ('unlock' in one) unlock(one.unlock);
          else locks[one.discard]?.future.discard();
          const next = locks.find(({ future }) => future.isPending);
          if (next === undefined) continue;
          const writes = holding.some((index) => locks[index]?.writes);
          expect(next.writes ? holding.length > 0 : writes, 'somebody waits who need not').to.equal(true);
        }
        while (holding.length > 0) unlock(0);
        const wanted = locks.flatMap(({ future }, index) => (future.isDiscarded ? [] : [index]));
        expect(had).to.deep.equal(wanted);
      }),
    );
  });
});
