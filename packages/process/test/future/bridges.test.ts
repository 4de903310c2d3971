import { getEventListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'chai';
import * as fc from 'fast-check';
import { Deferred, Future, FutureAbandoned, FutureDiscarded, Process, Runtime, dispatch } from '@mezzo/process';
import { VirtualClock } from '@mezzo/process/testing';

type Source = Pick<Deferred<number>, 'future' | 'set' | 'fail'>;

/** The same laws for a future that has its outcome when `then` is called, and for one that gets it afterwards. */
const moments = [
  [
    'already',
    (settle: (source: Source) => unknown, then: (future: Future<number>) => void) => {
      const deferred = new Deferred<number>();
      settle(deferred);
      then(deferred.future);
    },
  ],
  [
    'later',
    (settle: (source: Source) => unknown, then: (future: Future<number>) => void) => {
      const deferred = new Deferred<number>();
      then(deferred.future);
      settle(deferred);
    },
  ],
] as const;

const ticks = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
const reasonOf = async (promise: PromiseLike<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it was fulfilled');
};

describe('Future.then keeps the laws of Promises/A+', () => {
  for (const [when, go] of moments) {
    describe(`for a future that ${when === 'already' ? 'has its outcome' : 'gets its outcome later'}`, () => {
      it('never calls back before the caller has gone on, and once', async () => {
        const calls: unknown[] = [];
        go(
          (source) => source.set(1),
          (future) =>
            void future.then(
              (value) => calls.push(value),
              () => calls.push('rejected'),
            ),
        );
        go(
          (source) => source.fail(new Error('no')),
          (future) =>
            void future.then(
              () => calls.push('fulfilled'),
              (error: unknown) => calls.push(String(error)),
            ),
        );
        expect(calls).to.deep.equal([]);
        await ticks();
        expect(calls).to.have.members([1, 'Error: no']);
      });

      it('calls back without this', async () => {
        const receivers: unknown[] = [];
        go(
          (source) => source.set(1),
          (future) =>
            void future.then(function (this: unknown) {
              'use strict';
              receivers.push(this);
            }),
        );
        await ticks();
        expect(receivers).to.deep.equal([undefined]);
      });

      it('calls back in the order of the calls', async () => {
        const calls: number[] = [];
        go(
          (source) => source.set(1),
          (future) => {
            for (let index = 0; index < 10; index++) void future.then(() => calls.push(index));
          },
        );
        await ticks();
        expect(calls).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      });

      it('ignores what is no function', async () => {
        const odd = [undefined, null, 7, 'x', {}] as never[];
        for (const nothing of odd) {
          go(
            (source) => source.set(1),
            (future) => void future.then(nothing, nothing).then((value) => expect(value).to.equal(1)),
          );
          let promise: PromiseLike<unknown> = Promise.resolve();
          go(
            (source) => source.fail(new Error('no')),
            (future) => {
              promise = future.then(nothing, nothing);
            },
          );
          expect(String(await reasonOf(promise))).to.equal('Error: no');
        }
      });

      it('fulfils with what a callback returns, and adopts the state of a thenable', async () => {
        const thenable = { then: (resolve: (value: string) => void) => resolve('adopted') };
        const cases: readonly (readonly [unknown, unknown])[] = [
          [2, 2],
          [undefined, undefined],
          [Promise.resolve('native'), 'native'],
          [Future.ready('future'), 'future'],
          [Future.ready('x').map((text) => text + text), 'xx'],
          [thenable, 'adopted'],
        ];
        for (const [returned, expected] of cases) {
          let promises: PromiseLike<unknown>[] = [];
          go(
            (source) => source.set(1),
            (future) => (promises = [...promises, future.then(() => returned)]),
          );
          go(
            (source) => source.fail('no'),
            (future) => (promises = [...promises, future.then(undefined, () => returned)]),
          );
          expect(await Promise.all(promises)).to.deep.equal([expected, expected]);
        }
      });

      it('rejects with what a callback throws, and with why a thenable that it returned rejects', async () => {
        const error = new Error('thrown');
        const throwing = (): never => {
          throw error;
        };
        const failing: readonly (() => unknown)[] = [
          throwing,
          () => Promise.reject(error),
          () => Future.failed(error),
          () => ({ then: throwing }),
        ];
        for (const callback of failing) {
          let promises: PromiseLike<unknown>[] = [];
          go(
            (source) => source.set(1),
            (future) => (promises = [...promises, future.then(callback)]),
          );
          go(
            (source) => source.fail('no'),
            (future) => (promises = [...promises, future.then(undefined, callback)]),
          );
          expect(await Promise.all(promises.map(reasonOf))).to.deep.equal([error, error]);
        }
      });

      it('rejects a promise that would have to wait for itself', async () => {
        let promise: PromiseLike<unknown> = Promise.resolve();
        go(
          (source) => source.set(1),
          (future) => {
            promise = future.then(() => promise);
          },
        );
        expect(await reasonOf(promise)).to.be.instanceOf(TypeError);
      });

      it('is awaited like a promise', async () => {
        let promise: Promise<unknown> = Promise.resolve();
        go(
          (source) => source.set(41),
          (future) => {
            promise = (async () => (await future) + 1)();
          },
        );
        expect(await promise).to.equal(42);
      });
    });
  }

  it('calls back in the order of the calls, whenever the future was completed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(8), fc.nat(8), async (before, behind) => {
        const [deferred, calls] = [new Deferred<number>(), [] as number[]];
        for (let index = 0; index < before; index++) void deferred.future.then(() => calls.push(index));
        deferred.set(1);
        for (let index = 0; index < behind; index++) void deferred.future.then(() => calls.push(before + index));
        await ticks();
        expect(calls).to.deep.equal(Array.from({ length: before + behind }, (_, index) => index));
      }),
    );
  });

  it('rejects what is discarded or abandoned with an error of its own, each in both orders', async () => {
    const settled = (settle: (deferred: Deferred<number>) => void): Promise<unknown>[] => {
      const [now, later] = [new Deferred<number>(), new Deferred<number>()];
      settle(now);
      const reasons = [reasonOf(now.future), reasonOf(later.future)];
      settle(later);
      return reasons;
    };
    for (const reason of await Promise.all(settled((deferred) => deferred.discard())))
      expect(reason).to.be.instanceOf(FutureDiscarded).with.property('code', 'FUTURE_DISCARDED');
    for (const reason of await Promise.all(settled((deferred) => deferred.abandon())))
      expect(reason).to.be.instanceOf(FutureAbandoned).with.property('code', 'FUTURE_ABANDONED');
    expect(await reasonOf(Future.discarded())).to.be.instanceOf(FutureDiscarded);
  });

  it('rejects what was abandoned once, though it is completed later', async () => {
    const clock = new VirtualClock(0);
    const late = Future.abandoned<number>().after('1s', () => 7, clock);
    const calls: string[] = [];
    void late.then(
      () => calls.push('fulfilled'),
      (error: unknown) => calls.push((error as Error).name),
    );
    await ticks();
    clock.moveTo(1000);
    clock.fireDue();
    await ticks();
    expect([late.get(), late.isAbandoned]).to.deep.equal([7, true]);
    expect(calls).to.deep.equal(['FutureAbandoned']);
    expect(await late).to.equal(7);
  });

  it('leaves a failure that nobody looks at alone', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      Future.failed('nobody looks');
      new Deferred<number>().fail('nobody looks');
      await pause(1);
      expect(unhandled).to.deep.equal([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it('belongs to nobody: what a continuation throws ends no process', async () => {
    const errors: unknown[] = [];
    await using runtime = await Runtime.start({ onError: (error) => errors.push(error) });
    class Idle extends Process {}
    const pid = runtime.spawn(new Idle('idle'));
    let reason: Promise<unknown> = Promise.resolve();
    await dispatch(pid, () => {
      const failing = Future.ready(1).then(() => {
        throw new Error('mine');
      });
      reason = reasonOf(failing);
    });
    expect(String(await reason)).to.equal('Error: mine');
    expect([errors.length, runtime.processes]).to.deep.equal([0, ['idle']]);
  });
});

describe('the bridges between Futures and AbortSignals', () => {
  describe('discardOn', () => {
    it('requests a discard when the signal aborts', () => {
      const [deferred, controller] = [new Deferred<number>(), new AbortController()];
      expect(deferred.future.discardOn(controller.signal)).to.equal(deferred.future);
      expect([deferred.future.hasDiscard, listeners(controller.signal)]).to.deep.equal([false, 1]);
      controller.abort();
      expect([deferred.future.hasDiscard, deferred.future.isPending]).to.deep.equal([true, true]);
    });

    it('requests it at once of a signal that has aborted', () => {
      const deferred = new Deferred<number>();
      deferred.future.discardOn(AbortSignal.abort());
      expect(deferred.future.hasDiscard).to.equal(true);
    });

    it('requests it through the chain behind', () => {
      const [deferred, controller] = [new Deferred<number>(), new AbortController()];
      deferred.future
        .map(String)
        .andThen((text) => Future.ready(text))
        .discardOn(controller.signal);
      controller.abort();
      expect(deferred.future.hasDiscard).to.equal(true);
    });

    for (const [how, settle] of [
      ['READY', (deferred: Deferred<number>) => deferred.set(1)],
      ['FAILED', (deferred: Deferred<number>) => deferred.fail('no')],
      ['DISCARDED', (deferred: Deferred<number>) => deferred.discard()],
      ['abandoned', (deferred: Deferred<number>) => deferred.abandon()],
    ] as const) {
      it(`lets go of the signal once the future is ${how}, before or after`, () => {
        const { signal } = new AbortController();
        const [early, late] = [new Deferred<number>(), new Deferred<number>()];
        settle(early);
        early.future.discardOn(signal);
        late.future.discardOn(signal);
        expect(listeners(signal)).to.equal(1);
        settle(late);
        expect(listeners(signal)).to.equal(0);
      });
    }

    it('leaves nothing at a signal that outlives many futures', () => {
      const { signal } = new AbortController();
      for (let index = 0; index < 1000; index++) {
        const deferred = new Deferred<number>();
        deferred.future.discardOn(signal);
        deferred.set(index);
      }
      expect(listeners(signal)).to.equal(0);
    });
  });

  describe('Deferred.signal', () => {
    it('aborts at the discard request, with a reason', () => {
      const deferred = new Deferred<number>();
      const { signal } = deferred;
      expect(signal.aborted).to.equal(false);
      deferred.future.discard();
      expect(signal.aborted).to.equal(true);
      expect(signal.reason).to.be.instanceOf(FutureDiscarded).with.property('code', 'FUTURE_DISCARDED');
      expect(deferred.signal.aborted, 'also one that is asked for later').to.equal(true);
    });

    it('never aborts once the future has an outcome', () => {
      const deferred = new Deferred<number>();
      const { signal } = deferred;
      deferred.set(1);
      deferred.future.discard();
      expect([signal.aborted, deferred.signal.aborted]).to.deep.equal([false, false]);
    });
  });

  describe('Future.from', () => {
    it('follows a promise', async () => {
      const [value, error] = [Future.from(Promise.resolve(1)), Future.from(Promise.reject(new Error('no')))];
      expect([value.isPending, error.isPending]).to.deep.equal([true, true]);
      await ticks();
      expect([value.get(), String(error.failure())]).to.deep.equal([1, 'Error: no']);
    });

    it('gives a function a signal that aborts at the discard request', async () => {
      let given: AbortSignal | undefined;
      const future = Future.from((signal) => {
        given = signal;
        return pause(100_000, 'too late', { signal });
      });
      expect(given?.aborted).to.equal(false);
      future.discard();
      expect([given?.aborted, future.isPending]).to.deep.equal([true, true]);
      await pause(1);
      expect(future.isDiscarded, 'it gave up for that').to.equal(true);
    });

    it('is DISCARDED too where the promise rejects with the reason of the signal', async () => {
      const future = Future.from(
        (signal) =>
          new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      );
      future.discard();
      await ticks();
      expect(future.isDiscarded).to.equal(true);
    });

    it('hides no failure that has nothing to do with it, and no value that came all the same', async () => {
      const [failing, abortedBefore, fine] = [
        Future.from(async () => {
          await Promise.resolve();
          throw new Error('on its own');
        }),
        Future.from(() => Promise.reject(new DOMException('of another signal', 'AbortError'))),
        Future.from(async () => {
          await Promise.resolve();
          return 1;
        }),
      ];
      failing.discard();
      fine.discard();
      await ticks();
      expect(failing.toString()).to.equal('Failed (with discard): on its own');
      expect(abortedBefore.isFailed).to.equal(true);
      expect(fine.get()).to.equal(1);
    });

    it('is FAILED where the function throws', () => {
      const future = Future.from((): Promise<number> => {
        throw new Error('at once');
      });
      expect(String(future.failure())).to.equal('Error: at once');
    });
  });
});
