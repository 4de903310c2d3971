import { expect } from 'chai';
import { Deferred, Future, FutureAbandoned, FutureDiscarded, ProcessError } from '@mezzo/process';
import { VirtualClock } from '@mezzo/process/testing';
import { countAlive } from './garbage.ts';

const identity = <T>(value: T): T => value;
const hour = 3_600_000;

describe('Future', () => {
  describe('state', () => {
    it('LP-FUT-01 is READY with the value that was set', () => {
      const promise = new Deferred<boolean>();
      expect(promise.future.isPending).to.equal(true);
      expect(promise.set(true)).to.equal(true);
      expect(promise.future.isReady).to.equal(true);
      expect(promise.future.get()).to.equal(true);
    });

    it('LP-FUT-02 prints its state, and whether a discard was requested', () => {
      const text = (discard: boolean, settle: (promise: Deferred<number>) => unknown): string => {
        const promise = new Deferred<number>();
        if (discard) promise.future.discard();
        settle(promise);
        return promise.future.toString();
      };
      expect(Future.abandoned().toString()).to.equal('Abandoned');
      const dropped = new Deferred<number>();
      dropped.abandon();
      expect(dropped.future.toString()).to.equal('Abandoned');
      dropped.future.discard();
      expect(dropped.future.toString()).to.equal('Abandoned (with discard)');
      for (const [discard, suffix] of [[false, ''] as const, [true, ' (with discard)'] as const]) {
        expect(text(discard, () => undefined)).to.equal(`Pending${suffix}`);
        expect(text(discard, (promise) => promise.abandon())).to.equal(`Abandoned${suffix}`);
        expect(text(discard, (promise) => promise.set(1))).to.equal(`Ready${suffix}`);
        expect(text(discard, (promise) => promise.fail('Failure'))).to.equal(`Failed${suffix}: Failure`);
        expect(text(discard, (promise) => promise.discard())).to.equal(`Discarded${suffix}`);
      }
    });

    it('LP-FUT-16 can be made READY with a value or FAILED with an error', () => {
      const ready = Future.ready(1);
      expect([ready.isReady, ready.get()]).to.deep.equal([true, 1]);
      const failed = Future.failed('no');
      expect(failed.isFailed).to.equal(true);
      expect(failed.failure()).to.be.instanceOf(Error).with.property('message', 'no');
      const error = new Error('given');
      expect(Future.failed(error).failure()).to.equal(error);
    });

    it('LP-FUT-17 can be made of another future, or of the error there is instead', () => {
      const made = (given: Future<number> | Error): Future<number> => {
        const promise = new Deferred<number>();
        if (given instanceof Error) promise.fail(given);
        else promise.associate(given);
        return promise.future;
      };
      expect(made(Future.ready(1)).get()).to.equal(1);
      const promise = new Deferred<number>();
      const pending = made(promise.future);
      expect(pending.isPending).to.equal(true);
      promise.set(1);
      expect(pending.get()).to.equal(1);
      expect(made(new Error('no')).toString()).to.equal('Failed: no');
    });

    it('throws from get() and failure() in any other state, naming the one it is in', () => {
      expect(() => new Deferred<number>().future.get()).to.throw(ProcessError, 'Pending');
      const failed = Future.failed<number>('why');
      expect(() => failed.get())
        .to.throw(ProcessError, 'Failed: why')
        .with.property('code', 'FUTURE_NOT_READY');
      expect(() => Future.ready(1).failure()).to.throw(ProcessError, 'Ready');
    });

    it('LP-SRC-28 changes once: the first of set, fail and discard wins', () => {
      let number = 0;
      const settlers: ((promise: Deferred<number>) => boolean)[] = [
        (p) => p.set(++number),
        (p) => p.fail(`no ${++number}`),
        (p) => p.discard(),
      ];
      const told = (future: Future<number>): string => (future.isReady ? `Ready: ${future.get()}` : future.toString());
      for (const first of settlers) {
        const promise = new Deferred<number>();
        expect(first(promise)).to.equal(true);
        const before = told(promise.future);
        for (const later of settlers) expect(later(promise)).to.equal(false);
        expect(told(promise.future)).to.equal(before);
      }
      const associated = new Deferred<number>();
      associated.associate(new Deferred<number>().future);
      for (const later of settlers) expect(later(associated)).to.equal(false);
      expect(associated.associate(Future.ready(1))).to.equal(false);
      expect(associated.future.isPending).to.equal(true);
    });

    it('LP-FUT-20 is abandoned when its writer gives up while it is pending, and never otherwise', () => {
      let told = 0;
      Future.abandoned().onAbandoned(() => told++);
      expect(told).to.equal(1);
      const promise = new Deferred<number>();
      promise.future.onAbandoned(() => told++);
      expect(promise.future.isAbandoned).to.equal(false);
      {
        using dropped = promise;
        void dropped;
      }
      expect(promise.future.isAbandoned).to.equal(true);
      expect(told).to.equal(2);
      const ready = new Deferred<number>();
      ready.set(1);
      ready.abandon();
      expect(ready.future.isAbandoned).to.equal(false);
    });
  });

  describe('callbacks', () => {
    it('LP-FUT-04 onAny of a READY future runs before the call returns, with that future', () => {
      const ready = Future.ready(true);
      let given: Future<boolean> | undefined;
      ready.onAny((future) => (given = future));
      expect(given).to.equal(ready);
      expect(given?.get()).to.equal(true);
    });

    for (const [state, settle, expected] of [
      ['ready', (promise: Deferred<number>): unknown => promise.set(1), 'ready 1'],
      ['failed', (promise: Deferred<number>): unknown => promise.fail('f'), 'failed Error: f'],
      ['discarded', (promise: Deferred<number>): unknown => promise.discard(), 'discarded'],
    ] as const) {
      it(`LP-SRC-30 those of a ${state} future run before the registering call returns, or else inside the completing call`, () => {
        const promise = new Deferred<number>();
        const seen: string[] = [];
        const register = (future: Future<number>): unknown =>
          future
            .onReady((value) => seen.push(`ready ${value}`))
            .onFailed((error) => seen.push(`failed ${String(error)}`))
            .onDiscarded(() => seen.push('discarded'))
            .onAny((settled) => seen.push(`any ${settled.state}`));
        register(promise.future);
        expect(seen).to.deep.equal([]);
        settle(promise);
        expect(seen.splice(0)).to.deep.equal([expected, `any ${state}`]);
        register(promise.future);
        expect(seen).to.deep.equal([expected, `any ${state}`]);
      });
    }

    it('LP-FUT-06 run once each, and only those of the state', () => {
      let sum = 0;
      const read = Future.ready(1)
        .onReady(() => (sum += 1))
        .onAny(() => (sum += 10))
        .onFailed(() => (sum += 100))
        .onDiscard(() => (sum += 1000))
        .onDiscarded(() => (sum += 10_000))
        .map(() => sum);
      expect(read.get()).to.equal(11);
      const owned = [42];
      expect(
        Future.ready(1)
          .map(() => owned.pop())
          .get(),
      ).to.equal(42);
      expect([sum, owned]).to.deep.equal([11, []]);
    });

    it('LP-SRC-29 run in the order of registration, those of the state before onAny, and all are released', async () => {
      const seen: string[] = [];
      const promise = new Deferred<number>();
      const captured: WeakRef<object>[] = [];
      const tells = (name: string): (() => void) => {
        const holder = { name };
        captured.push(new WeakRef(holder));
        return () => void seen.push(holder.name);
      };
      promise.future
        .onAny(tells('a1'))
        .onReady(tells('r1'))
        .onAny(tells('a2'))
        .onReady(tells('r2'))
        .onFailed(tells('f1'));
      promise.set(1);
      expect(seen).to.deep.equal(['r1', 'r2', 'a1', 'a2']);
      await new Promise((resolve) => setImmediate(resolve));
      expect([captured.length, countAlive(captured)]).to.deep.equal([5, 0]);
      expect(promise.future.get()).to.equal(1);
    });

    it('LP-SRC-31 abandonment runs onAbandoned alone, also when it is registered later', () => {
      const seen: string[] = [];
      const promise = new Deferred<number>();
      promise.future.onAny(() => seen.push('any')).onAbandoned(() => seen.push('abandoned'));
      promise.abandon();
      promise.future.onAbandoned(() => seen.push('late'));
      expect(seen).to.deep.equal(['abandoned', 'late']);
    });

    it('may register further callbacks and complete other futures while they run', () => {
      const seen: string[] = [];
      const first = new Deferred<number>();
      const second = new Deferred<number>();
      second.future.onReady(() => seen.push('second'));
      first.future.onReady(() => {
        second.set(2);
        first.future.onReady(() => seen.push('nested'));
        seen.push('first');
      });
      first.set(1);
      expect(seen).to.deep.equal(['second', 'nested', 'first']);
    });
  });

  describe('discard', () => {
    it('LP-SRC-32 is a request that is true once, and only while the future is pending', () => {
      let asked = 0;
      const promise = new Deferred<number>();
      promise.future.onDiscard(() => asked++);
      expect(promise.future.discard()).to.equal(true);
      expect(promise.future.discard()).to.equal(false);
      expect(asked).to.equal(1);
      expect(promise.future.isPending).to.equal(true);
      promise.future.onDiscard(() => asked++);
      expect(asked).to.equal(2);
      const ready = Future.ready(1);
      expect(ready.discard()).to.equal(false);
      expect(ready.hasDiscard).to.equal(false);
      promise.set(1);
      expect(promise.future.discard()).to.equal(false);
      expect(asked).to.equal(2);
    });

    const chain = () => {
      const first = new Deferred<string>();
      const second = new Deferred<string>();
      let stepped = false;
      const result = Future.ready('hello world')
        .andThen(() => first.future)
        .andThen(() => {
          stepped = true;
          return second.future;
        });
      result.discard();
      return { first, second, result, stepped: () => stepped };
    };

    it('LP-FUT-12 travels to the future the chain waits for, and no further', () => {
      const { first, second, result, stepped } = chain();
      expect([result.hasDiscard, result.isPending, first.future.hasDiscard, second.future.hasDiscard]).to.deep.equal([
        true,
        true,
        true,
        false,
      ]);
      expect(first.discard()).to.equal(true);
      expect([result.isDiscarded, stepped(), second.future.isPending]).to.deep.equal([true, false, true]);
    });

    it('LP-FUT-13 cuts the chain off even if the source gets READY', () => {
      const { first, second, result, stepped } = chain();
      expect(first.set('x')).to.equal(true);
      expect([result.isDiscarded, stepped(), second.future.isPending]).to.deep.equal([true, false, true]);
    });

    it('LP-FUT-14 does not hide a failure', () => {
      const { first, second, result, stepped } = chain();
      expect(first.fail('message')).to.equal(true);
      expect([result.toString(), stepped(), second.future.isPending]).to.deep.equal([
        'Failed (with discard): message',
        false,
        true,
      ]);
    });

    it('travels up a chain of a hundred thousand links', () => {
      const promise = new Deferred<number>();
      let last = promise.future;
      for (let index = 0; index < 100_000; index++) last = last.map(identity);
      expect(last.discard()).to.equal(true);
      expect(promise.future.hasDiscard).to.equal(true);
    });
  });

  describe('associate', () => {
    it('LP-FUT-03 takes over each outcome, and sends a discard request to the source', () => {
      const associated = (settle: (source: Deferred<boolean>) => unknown): Future<boolean> => {
        const source = new Deferred<boolean>();
        const promise = new Deferred<boolean>();
        expect(promise.associate(source.future)).to.equal(true);
        settle(source);
        return promise.future;
      };
      const there = new Deferred<boolean>();
      there.associate(Future.ready(true));
      expect(there.future.get()).to.equal(true);
      expect(associated((source) => source.set(true)).get()).to.equal(true);
      expect(associated((source) => source.discard()).isDiscarded).to.equal(true);
      expect(associated((source) => source.fail('associate')).toString()).to.equal('Failed: associate');
      expect(associated((source) => source.abandon()).isAbandoned).to.equal(true);
      const source = new Deferred<boolean>();
      const promise = new Deferred<boolean>();
      promise.associate(source.future);
      promise.future.discard();
      expect([source.future.hasDiscard, source.future.isDiscarded]).to.deep.equal([true, false]);
    });

    it('LP-SRC-33 forwards a discard that was requested before', () => {
      const source = new Deferred<number>();
      const promise = new Deferred<number>();
      promise.future.discard();
      promise.associate(source.future);
      expect(source.future.hasDiscard).to.equal(true);
    });
  });

  describe('chaining', () => {
    it('LP-FUT-05 gives the value of map, and the outcome of the future of andThen, at once', () => {
      const promise = new Deferred<number>();
      const mapped = promise.future.map(String);
      const chained = promise.future.andThen((value) => Future.ready(String(value)));
      promise.set(7);
      expect([mapped.get(), chained.get()]).to.deep.equal(['7', '7']);
      expect(promise.future.map(String).get()).to.equal('7');
      expect(promise.future.andThen((value) => Future.ready(String(value))).get()).to.equal('7');
    });

    it('LP-FUT-11 passes FAILED and DISCARDED through without running a step', () => {
      let steps = 0;
      const through = (source: Future<boolean>): Future<string> =>
        source
          .map((value) => {
            steps++;
            return String(value);
          })
          .map(identity);
      expect(through(Future.ready(true)).get()).to.equal('true');
      expect(through(Future.failed('no')).toString()).to.equal('Failed: no');
      const promise = new Deferred<boolean>();
      const result = through(promise.future);
      expect(result.isPending).to.equal(true);
      promise.discard();
      expect(result.isDiscarded).to.equal(true);
      expect(steps).to.equal(1);
    });

    it('LP-FUT-21 passes abandonment through', () => {
      const promise = new Deferred<number>();
      const result = promise.future.map(String).andThen((text) => Future.ready(text));
      promise.abandon();
      expect(result.isAbandoned).to.equal(true);
    });

    it('FAILS with what a step throws', () => {
      const thrown = new Error('step');
      const failing = (): never => {
        throw thrown;
      };
      expect(Future.ready(1).map(failing).failure()).to.equal(thrown);
      expect(Future.ready(1).andThen(failing).failure()).to.equal(thrown);
      expect(Future.failed('x').repair(failing).failure()).to.equal(thrown);
      expect(Future.failed('x').recover(failing).failure()).to.equal(thrown);
    });

    it('LP-FUT-07 repair replaces a failure and nothing else', () => {
      const promise = new Deferred<number>();
      let given: Future<number> | undefined;
      const repaired = (source: Future<number>): Future<number> =>
        source.repair((failed) => {
          given = failed;
          return Future.ready(43);
        });
      const fine = repaired(promise.future);
      expect(fine.isPending).to.equal(true);
      promise.set(42);
      expect(fine.get()).to.equal(42);
      expect(given).to.equal(undefined);
      const broken = new Deferred<number>();
      const result = repaired(broken.future);
      broken.fail('Failure');
      expect(given?.toString()).to.equal('Failed: Failure');
      expect(result.get()).to.equal(43);
      const discarded = new Deferred<number>();
      const passed = repaired(discarded.future);
      discarded.discard();
      expect(passed.isDiscarded).to.equal(true);
    });

    for (const [id, how, settle] of [
      ['LP-FUT-22', 'discarded', (promise: Deferred<string>): unknown => promise.discard()],
      ['LP-FUT-23', 'failed', (promise: Deferred<string>): unknown => promise.fail('Failure')],
      ['LP-FUT-24', 'abandoned', (promise: Deferred<string>): unknown => promise.abandon()],
    ] as const) {
      it(`${id} recover replaces what was ${how}`, () => {
        const promise = new Deferred<string>();
        const result = promise.future.map(() => 'hello').recover(() => 'world');
        settle(promise);
        expect(result.get()).to.equal('world');
      });
    }

    it('LP-FUT-25 recover forgets the discard, and a second one reaches the recovery', () => {
      const [p1, p2, p3, p4] = [
        new Deferred<string>(),
        new Deferred<string>(),
        new Deferred<string>(),
        new Deferred<string>(),
      ];
      const result = p1.future
        .map(() => 'hello')
        .recover(() => p2.future.andThen(() => p3.future.andThen(() => p4.future)));
      let asked = 0;
      result.onDiscard(() => asked++);
      result.discard();
      p1.discard();
      expect(p2.future.hasDiscard).to.equal(false);
      p2.set('2');
      expect(p3.future.hasDiscard).to.equal(false);
      p3.set('3');
      expect(p4.future.hasDiscard).to.equal(false);
      expect(result.discard()).to.equal(true);
      expect(p4.future.hasDiscard).to.equal(true);
      expect(asked, 'a callback runs once at most').to.equal(1);
      p4.set('world');
      expect(result.get()).to.equal('world');
    });

    it('settles a chain of a hundred thousand links without overflowing the stack', () => {
      const promise = new Deferred<number>();
      let last = promise.future;
      for (let index = 0; index < 100_000; index++) last = last.map((value) => value + 1);
      promise.set(0);
      expect(last.get()).to.equal(100_000);
    });

    it('runs a recursion through ready futures without overflowing the stack', () => {
      const count = (left: number): Future<number> =>
        left === 0 ? Future.ready(0) : Future.ready(left - 1).andThen(count);
      expect(count(100_000).get()).to.equal(0);
    });
  });

  describe('after', () => {
    it('LP-FUT-08 gives the outcome of the function once the time has passed, also for an abandoned source', () => {
      const clock = new VirtualClock(0);
      const source = new Deferred<number>();
      source.abandon();
      const given: Future<number>[] = [];
      const result = source.future.after(
        '42hrs',
        (late) => {
          given.push(late);
          return Future.failed('late');
        },
        clock,
      );
      expect([result.isPending, result.isAbandoned]).to.deep.equal([true, true]);
      clock.moveTo(21 * hour);
      clock.fireDue();
      expect(result.isPending).to.equal(true);
      result.discard();
      expect([result.isPending, given]).to.deep.equal([true, []]);
      clock.moveTo(42 * hour);
      clock.fireDue();
      expect(given).to.have.length(1);
      expect(given[0]).to.equal(source.future);
      expect(given[0]?.hasDiscard).to.equal(true);
      expect(result.toString()).to.equal('Failed (with discard): late');
      clock.moveTo(84 * hour);
      clock.fireDue();
      expect(given).to.have.length(1);
    });

    it('LP-FUT-09 is cancelled by the completion', () => {
      const clock = new VirtualClock(0);
      const source = new Deferred<number>();
      let ran = false;
      const result = source.future.after(
        '42hrs',
        () => {
          ran = true;
          return 0;
        },
        clock,
      );
      clock.moveTo(21 * hour);
      clock.fireDue();
      expect(result.isPending).to.equal(true);
      result.discard();
      expect(result.isPending).to.equal(true);
      source.set(1);
      expect([result.isReady, result.get()]).to.deep.equal([true, 1]);
      expect(clock.nextDue()).to.equal(undefined);
      clock.moveTo(42 * hour);
      clock.fireDue();
      expect(ran).to.equal(false);
    });

    it('LP-FUT-10 keeps neither timer nor source, and a discard inside does not show on the result', async () => {
      const clock = new VirtualClock(0);
      const sources: WeakRef<object>[] = [];
      const begin = (): Future<number> => {
        const { future } = new Deferred<number>();
        sources.push(new WeakRef(future));
        return future.after(
          '1ms',
          (source) => {
            source.discard();
            return 5;
          },
          clock,
        );
      };
      const result = begin();
      clock.moveTo(1);
      clock.fireDue();
      expect([result.get(), result.hasDiscard]).to.deep.equal([5, false]);
      expect(clock.nextDue()).to.equal(undefined);
      await new Promise((resolve) => setImmediate(resolve));
      expect([sources.length, countAlive(sources)]).to.deep.equal([1, 0]);
      expect([result.get(), clock.nextDue()]).to.deep.equal([5, undefined]);
    });

    it('needs a clock outside a process', () => {
      expect(() => new Deferred<number>().future.after(1, () => 0)).to.throw(ProcessError, 'runtime.clock');
    });
  });

  describe('then', () => {
    const rejection = async (future: Future<unknown>): Promise<unknown> => {
      try {
        await future;
      } catch (error) {
        return error;
      }
      throw new Error('it was fulfilled');
    };

    it('awaits a value, and rejects with the failure, or with an error of its own for the other outcomes', async () => {
      expect(await Future.ready(1)).to.equal(1);
      const thrown = new Error('why');
      expect(await rejection(Future.failed(thrown))).to.equal(thrown);
      const discarded = new Deferred<number>();
      discarded.discard();
      expect(await rejection(discarded.future)).to.be.instanceOf(FutureDiscarded);
      const promise = new Deferred<number>();
      const awaited = rejection(promise.future);
      promise.abandon();
      expect(await awaited).to.be.instanceOf(FutureAbandoned);
    });

    it('gives a native promise whose handlers never run inside the call', async () => {
      const seen: string[] = [];
      const native = Future.ready(1).then((value) => seen.push(`then ${value}`));
      seen.push('after');
      expect(native).to.be.instanceOf(Promise);
      await native;
      expect(seen).to.deep.equal(['after', 'then 1']);
    });

    it('does not carry a discard back, and a failure that nobody awaits is no unhandled rejection', async () => {
      const seen: unknown[] = [];
      const listen = (reason: unknown): void => void seen.push(reason);
      process.on('unhandledRejection', listen);
      try {
        const promise = new Deferred<number>();
        promise.future.map(() => 1);
        promise.fail('nobody looks');
        Future.failed('nor here');
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        process.off('unhandledRejection', listen);
      }
      expect(seen).to.deep.equal([]);
    });

    it('follows a native promise', async () => {
      expect(await Future.from(Promise.resolve(1))).to.equal(1);
      const failed = Future.from(Promise.reject(new Error('native')));
      expect(await rejection(failed)).to.have.property('message', 'native');
    });
  });
});
