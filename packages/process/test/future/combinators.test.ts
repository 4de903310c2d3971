import { expect } from 'chai';
import { after, collect, Deferred, Future, select, settleAll, undiscardable } from '@mezzo/process';
import { VirtualClock } from '@mezzo/process/testing';

const deferreds = (count: number): Deferred<number>[] => Array.from({ length: count }, () => new Deferred<number>());
const futures = (promises: readonly Deferred<number>[]): Future<number>[] => promises.map((promise) => promise.future);

describe('collect', () => {
  it('LP-COLL-01 gives the values in the order of the inputs', () => {
    expect(collect([]).get()).to.deep.equal([]);
    const promises = deferreds(4);
    const all = collect(futures(promises));
    for (const index of [3, 1, 0, 2]) {
      expect(all.isPending).to.equal(true);
      promises[index]?.set(index + 1);
    }
    expect(all.get()).to.deep.equal([1, 2, 3, 4]);
  });

  it('LP-COLL-02 fails with the first input that failed or was discarded', () => {
    const outcome = (settle: (second: Deferred<boolean>) => unknown): Future<[number, boolean]> => {
      const first = new Deferred<number>();
      const second = new Deferred<boolean>();
      const all = collect([first.future, second.future]);
      expect(all.isPending).to.equal(true);
      first.set(42);
      expect(all.isPending).to.equal(true);
      settle(second);
      return all;
    };
    expect(outcome((second) => second.set(true)).get()).to.deep.equal([42, true]);
    expect(outcome((second) => second.fail('no')).toString()).to.equal('Failed: Collect failed: no');
    expect(outcome((second) => second.discard()).toString()).to.equal('Failed: Collect failed: future discarded');
  });

  it('LP-COLL-03 passes a discard to every input and is DISCARDED itself', () => {
    const promises = deferreds(2);
    for (const promise of promises) promise.future.onDiscard(() => promise.discard());
    const all = collect(futures(promises));
    expect(all.discard()).to.equal(true);
    expect([all.state, ...futures(promises).map((future) => future.state)]).to.deep.equal([
      'discarded',
      'discarded',
      'discarded',
    ]);
  });

  it('LP-COLL-04 is abandoned with an input', () => {
    const promise = new Deferred<number>();
    const result = collect([promise.future])
      .recover((all) => (all.isAbandoned ? [42] : [0]))
      .map(([first]) => first);
    promise.abandon();
    expect(result.get()).to.equal(42);
  });

  it('LP-SRC-35 leaves the other inputs alone when one fails', () => {
    const [first, second] = [new Deferred<number>(), new Deferred<number>()];
    const all = collect([first.future, second.future]);
    first.fail('no');
    expect(all.isFailed).to.equal(true);
    expect([second.future.isPending, second.future.hasDiscard]).to.deep.equal([true, false]);
  });
});

describe('settleAll', () => {
  it('LP-COLL-05 gives the futures in the order of the inputs once none is pending', () => {
    expect(settleAll([]).get()).to.deep.equal([]);
    const promises = deferreds(4);
    const all = settleAll(futures(promises));
    for (const index of [3, 1, 0, 2]) {
      expect(all.isPending).to.equal(true);
      promises[index]?.set(index + 1);
    }
    expect(all.get().map((future) => future.get())).to.deep.equal([1, 2, 3, 4]);
    for (const [index, future] of futures(promises).entries()) expect(all.get()[index]).to.equal(future);
  });

  for (const [id, outcome, settle] of [
    ['LP-COLL-06', 'Failed: no', (promise: Deferred<number>): unknown => promise.fail('no')],
    ['LP-COLL-07', 'Discarded', (promise: Deferred<number>): unknown => promise.discard()],
  ] as const) {
    it(`${id} is READY although one of them is ${outcome}`, () => {
      const [first, second] = [new Deferred<number>(), new Deferred<number>()];
      const all = settleAll([first.future, second.future]);
      expect(all.isPending).to.equal(true);
      first.set(42);
      expect(all.isPending).to.equal(true);
      settle(second);
      expect(all.get().map(String)).to.deep.equal(['Ready', outcome]);
      expect(all.get()[0].get()).to.equal(42);
    });
  }

  it('LP-COLL-08 passes a discard to every input and is DISCARDED itself', () => {
    const promises = deferreds(2);
    for (const promise of promises) promise.future.onDiscard(() => promise.discard());
    const all = settleAll(futures(promises));
    expect(all.discard()).to.equal(true);
    expect([all, ...futures(promises)].map(({ state }) => state)).to.deep.equal([
      'discarded',
      'discarded',
      'discarded',
    ]);
  });

  it('LP-COLL-10 does not wait for an input that ignores a discard', () => {
    const promise = new Deferred<number>();
    const result = settleAll([promise.future]).andThen(([future]) => future.map(String));
    expect(result.isPending).to.equal(true);
    result.discard();
    expect([result.isDiscarded, promise.future.hasDiscard, promise.future.isPending]).to.deep.equal([true, true, true]);
  });

  it('LP-COLL-09 is abandoned with an input, also with one that was so from the start', () => {
    const promise = new Deferred<number>();
    const first = (all: Future<readonly Future<number>[]>): Future<number> =>
      all
        .recover((given) => (given.isAbandoned ? [Future.ready(42), Future.ready(0)] : []))
        .andThen(([future]) => future ?? Future.failed('not abandoned'));
    const both = first(settleAll([promise.future, Future.abandoned<number>()]));
    const one = first(settleAll([promise.future, Future.ready(1)]));
    expect([both.get(), one.isPending]).to.deep.equal([42, true]);
    promise.abandon();
    expect([both.get(), one.get()]).to.deep.equal([42, 42]);
  });

  it('LP-COLL-11 what is chained behind it is abandoned with an input', () => {
    const promise = new Deferred<string>();
    const result = settleAll([promise.future])
      .andThen(([future]) => future.map((text) => `${text}!`))
      .recover((given) => (given.isAbandoned ? 'hello' : 'not abandoned'));
    expect(result.isPending).to.equal(true);
    promise.abandon();
    expect(result.get()).to.equal('hello');
  });
});

describe('select', () => {
  it('LP-FUT-15 gives the first that is READY, and its discard does not reach the inputs', () => {
    const promises = deferreds(3);
    const ready = Future.ready(42);
    expect(select([ready, ...futures(promises)]).get().future).to.equal(ready);
    const pending = select(futures(promises));
    expect(pending.isPending).to.equal(true);
    pending.discard();
    expect(pending.isDiscarded).to.equal(true);
    expect(futures(promises).some((future) => future.hasDiscard)).to.equal(false);
  });

  it('LP-SRC-36 ignores inputs that end otherwise, and is abandoned once none is left', () => {
    const discarded = new Deferred<number>();
    discarded.discard();
    const third = new Deferred<number>();
    const result = select([Future.failed<number>('no'), discarded.future, third.future]);
    expect(result.isPending).to.equal(true);
    third.set(3);
    expect(result.get().future).to.equal(third.future);
    expect(select([Future.failed('no'), Future.abandoned()]).isAbandoned).to.equal(true);
    const losing = deferreds(3);
    const lost = select(futures(losing));
    losing[0]?.fail('no');
    losing[1]?.discard();
    expect(lost.isAbandoned).to.equal(false);
    losing[2]?.abandon();
    expect([lost.isAbandoned, lost.isPending]).to.deep.equal([true, true]);
    expect(select([]).isAbandoned).to.equal(true);
  });
});

describe('undiscardable', () => {
  it('LP-FUT-18 keeps a discard request from the future behind it', () => {
    const promise = new Deferred<number>();
    const shielded = undiscardable(promise.future);
    shielded.discard();
    expect([shielded.hasDiscard, promise.future.hasDiscard]).to.deep.equal([true, false]);
    promise.set(42);
    expect(shielded.get()).to.equal(42);
  });

  it('LP-FUT-19 shields what a function returns', () => {
    const promise = new Deferred<number>();
    const result = Future.ready(2).andThen(
      undiscardable((factor: number) => promise.future.map((value) => value * factor)),
    );
    result.discard();
    expect([result.hasDiscard, promise.future.hasDiscard]).to.deep.equal([true, false]);
    promise.set(42);
    expect(result.get()).to.equal(84);
  });

  it('LP-SRC-34 lets every outcome through, and what is chained behind it is still cut off', () => {
    const outcome = (settle: (promise: Deferred<number>) => unknown): string => {
      const promise = new Deferred<number>();
      const shielded = undiscardable(promise.future);
      settle(promise);
      return shielded.toString();
    };
    expect(outcome((promise) => promise.set(1))).to.equal('Ready');
    expect(outcome((promise) => promise.fail('no'))).to.equal('Failed: no');
    expect(outcome((promise) => promise.discard())).to.equal('Discarded');
    expect(outcome((promise) => promise.abandon())).to.equal('Abandoned');
    const promise = new Deferred<number>();
    const behind = undiscardable(promise.future).map(String);
    behind.discard();
    expect([behind.hasDiscard, promise.future.hasDiscard]).to.deep.equal([true, false]);
    promise.set(1);
    expect(behind.isDiscarded).to.equal(true);
  });
});

describe('after', () => {
  it('is READY once the time has passed, and a discard cancels its timer', () => {
    const clock = new VirtualClock(0);
    const passed = after('1days', clock);
    clock.moveTo(86_399_999);
    clock.fireDue();
    expect(passed.isPending).to.equal(true);
    clock.moveTo(86_400_000);
    clock.fireDue();
    expect(passed.isReady).to.equal(true);
    const given = after('1days', clock);
    expect(given.isPending).to.equal(true);
    given.discard();
    expect(given.isDiscarded).to.equal(true);
    expect(clock.nextDue()).to.equal(undefined);
  });
});
