import { expect } from 'chai';
import {
  after,
  Break,
  Continue,
  type ControlFlow,
  Deferred,
  dispatch,
  Future,
  type LocalPID,
  loop,
  Process,
  ProcessError,
  Queue,
  type Runtime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { countAlive } from './garbage.ts';

class Place extends Process {}

describe('loop', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  /** A promise that is discarded on request. */
  const obedient = <T>(): Deferred<T> => {
    const promise: Deferred<T> = new Deferred<T>({ discard: () => promise.discard() });
    return promise;
  };

  it('LP-LOOP-01 over values that are there returns to its caller, and ends when the body says so', async () => {
    let value = 1;
    const result = loop({ runtime, iterate: () => value, body: (given) => (given === 0 ? Break() : Continue) });
    expect(result.isPending).to.equal(true);
    value = 0;
    await world.settle();
    expect(result.isReady).to.equal(true);
  });

  it('LP-LOOP-02 waits for what iterate and body give', () => {
    const queue = new Queue<number>();
    const seen = new Deferred<number>();
    const text = new Deferred<string>();
    const result: Future<string> = loop({
      runtime,
      iterate: () => queue.get(),
      body: (item) => {
        seen.set(item);
        return text.future.map((value) => Break(value));
      },
    });
    expect(result.isPending).to.equal(true);
    queue.put(1);
    expect(seen.future.get()).to.equal(1);
    expect(result.isPending).to.equal(true);
    text.set('Hello world!');
    expect(result.get()).to.equal('Hello world!');
  });

  it('LP-LOOP-03 a discard reaches what iterate gave, and the loop is DISCARDED with it', () => {
    const promise = obedient<number>();
    const result = loop({ runtime, iterate: () => promise.future, body: () => Break() });
    expect(result.isPending).to.equal(true);
    result.discard();
    expect([result.isDiscarded, promise.future.hasDiscard]).to.deep.equal([true, true]);
  });

  it('LP-LOOP-04 a discard reaches what the body gave, and the loop is DISCARDED with it', () => {
    const promise = obedient<string>();
    const result = loop({ runtime, iterate: () => 42, body: () => promise.future.map((value) => Break(value)) });
    expect(result.isPending).to.equal(true);
    result.discard();
    expect([result.isDiscarded, promise.future.hasDiscard]).to.deep.equal([true, true]);
  });

  it('LP-CLOCK-06 a discard cancels the time a loop waits for, or lets its body end it', async () => {
    const forever = loop({ runtime, iterate: () => after('1days', runtime.clock), body: () => Continue });
    expect(forever.isPending).to.equal(true);
    forever.discard();
    expect(forever.isDiscarded).to.equal(true);
    expect(world.clock.nextDue()).to.equal(undefined);

    const promise: Deferred<ControlFlow<void>> = new Deferred<ControlFlow<void>>({
      discard: () => promise.set(Break()),
    });
    let entered = false;
    const result = loop({
      runtime,
      iterate: () => after('1ms', runtime.clock),
      body: () => {
        entered = true;
        return promise.future;
      },
    });
    await world.advance('1ms');
    expect([entered, result.isPending]).to.deep.equal([true, true]);
    result.discard();
    expect(result.isReady).to.equal(true);
  });

  it('a discard reaches later futures as well, if the first one ignores it', () => {
    const [first, second] = [new Deferred<number>(), obedient<number>()];
    const futures = [first.future, second.future];
    const result = loop({ runtime, iterate: () => futures.shift() ?? 0, body: () => Continue });
    result.discard();
    expect([first.future.hasDiscard, result.isPending]).to.deep.equal([true, true]);
    first.set(1);
    expect([second.future.hasDiscard, result.isDiscarded]).to.deep.equal([true, true]);
  });

  it('LP-SRC-37 over a million values that are there ends without overflowing the stack, and keeps none of them', async () => {
    const limit = 1_000_000;
    for (const kind of ['value', 'ready future'] as const) {
      for (const place of [{ runtime }, { on: runtime.spawn(new Place()) }]) {
        const sampled: WeakRef<object>[] = [];
        let count = 0;
        let alive = -1;
        const result = loop({
          ...place,
          iterate: (): object | Future<object> => {
            const value = { number: ++count };
            if (count % 10_000 === 0) sampled.push(new WeakRef(value));
            return kind === 'value' ? value : Future.ready(value);
          },
          body: () => {
            if (count === limit - 5000) alive = countAlive(sampled);
            return count === limit ? Break(count) : Continue;
          },
        });
        await world.settle();
        expect(result.get()).to.equal(limit);
        expect(sampled.length).to.equal(100);
        expect(alive, `${kind}s that are kept`).to.be.within(0, 1);
      }
    }
  });

  it('keeps none of the futures it waited for, nor their values', async () => {
    const futures: WeakRef<object>[] = [];
    const values: WeakRef<object>[] = [];
    let blocked = new Deferred<{ readonly number: number }>();
    const result = loop({
      runtime,
      iterate: () => {
        blocked = new Deferred();
        futures.push(new WeakRef(blocked.future));
        return blocked.future;
      },
      body: (value) => {
        values.push(new WeakRef(value));
        return value.number < 10_000 ? Continue : Break();
      },
    });
    for (let number = 1; number < 10_000; number++) blocked.set({ number });
    // Weak references hold what they point to until the turn of the event loop ends.
    await new Promise((resolve) => setImmediate(resolve));
    expect([futures.length, values.length]).to.deep.equal([10_000, 9_999]);
    expect([countAlive(futures), countAlive(values)]).to.deep.equal([1, 0]);
    blocked.set({ number: 10_000 });
    expect(result.isReady).to.equal(true);
  });

  it('over values that are there lets timers and processes have their turns', async () => {
    const place = runtime.spawn(new Place());
    for (const where of [{ runtime }, { on: place }]) {
      let stopped = false;
      let iterations = 0;
      const result = loop({
        ...where,
        iterate: () => ++iterations,
        body: () => (stopped ? Break(iterations) : Continue),
      });
      runtime.clock.timer(0, () => {
        void dispatch(place, () => {
          stopped = true;
        });
      });
      await world.settle();
      expect(result.get()).to.be.lessThan(20_000);
    }
  });

  it('the event loop gets its turn after as many iterations each time, whatever the machine', async () => {
    let iterations = 0;
    const result = loop({ runtime, iterate: () => ++iterations, body: () => (iterations < 4000 ? Continue : Break()) });
    expect(iterations).to.equal(1024);
    const counts: number[] = [];
    while (result.isPending) {
      await new Promise((resolve) => setImmediate(resolve));
      counts.push(iterations);
    }
    expect(counts).to.deep.equal([2048, 3072, 4000]);
  });

  it('a step that fails, throws or rejects fails the loop with its error', async () => {
    const error = new Error('no');
    const thrower = (): never => {
      throw error;
    };
    const steps: (() => Future<never> | Promise<never>)[] = [
      () => Future.failed(error),
      thrower,
      () => Promise.reject(error),
    ];
    for (const step of steps) {
      const ofIterate = loop({ runtime, iterate: step, body: () => Continue });
      const ofBody = loop({ runtime, iterate: () => 1, body: step });
      await world.settle();
      expect([ofIterate.failure(), ofBody.failure()]).to.deep.equal([error, error]);
    }
  });

  it('what a callback of a step throws belongs to who started the loop, also after the event loop had its turn', async () => {
    const errors: string[] = [];
    const other = await world.start('other', { onError: (_error, context) => errors.push(context) });
    class Starter extends Process {
      protected override initialize(): void {
        let count = 0;
        loop({
          runtime: this.runtime,
          iterate: () => ++count,
          body: () => {
            if (count < 2000) return Continue;
            Future.ready(1).onReady(() => {
              throw new Error('mine');
            });
            return Break();
          },
        });
      }
    }
    other.spawn(new Starter('starter'));
    await world.settle();
    expect(errors).to.deep.equal(['process starter@other crashed']);
  });

  it('steps may be async functions', async () => {
    let count = 0;
    const result = loop({
      runtime,
      iterate: async () => ++count,
      body: async (value) => (value < 5 ? Continue : Break(value)),
    });
    expect(await result).to.equal(5);
  });

  it('is abandoned with the future it waits for, but goes on should that be completed all the same', () => {
    const promise = new Deferred<number>();
    const result = loop({ runtime, iterate: () => promise.future, body: (value) => Break(value) });
    promise.abandon();
    expect([result.isPending, result.isAbandoned]).to.deep.equal([true, true]);
    promise.set(1);
    expect(result.get()).to.equal(1);
    expect(loop({ runtime, iterate: () => Future.abandoned(), body: () => Break() }).isAbandoned).to.equal(true);
  });

  describe('on a process', () => {
    it('runs every step in a turn of it', async () => {
      const pid = runtime.spawn(new Place());
      const queue = new Queue<number>();
      const log: string[] = [];
      const result = loop({
        on: pid,
        iterate: () => {
          log.push('iterate');
          return queue.get();
        },
        body: (item) => {
          log.push(`body ${item}`);
          return item < 2 ? Continue : Break(item);
        },
      });
      expect(log).to.deep.equal([]);
      await world.settle();
      expect(log).to.deep.equal(['iterate']);
      queue.put(1);
      expect(log).to.deep.equal(['iterate']);
      queue.put(2);
      await world.settle();
      expect(log).to.deep.equal(['iterate', 'body 1', 'iterate', 'body 2']);
      expect(result.get()).to.equal(2);
    });

    it('is abandoned when its process has ended, as soon as what it waits for is there', async () => {
      const pid = runtime.spawn(new Place());
      const promise = new Deferred<number>();
      const result = loop({ on: pid, iterate: () => promise.future, body: () => Continue });
      await world.settle();
      runtime.terminate(pid);
      await world.settle();
      expect(result.isAbandoned).to.equal(false);
      promise.set(1);
      await world.settle();
      expect([result.isPending, result.isAbandoned]).to.deep.equal([true, true]);
      expect(loop({ on: pid, iterate: () => 1, body: () => Continue }).isAbandoned).to.equal(true);
    });

    it('over values that are there is abandoned when its process ends', async () => {
      const pid = runtime.spawn(new Place());
      const result = loop({ on: pid, iterate: () => 1, body: () => Continue });
      runtime.delay(pid, 0, () => runtime.terminate(pid));
      await world.settle();
      expect(result.isAbandoned).to.equal(true);
    });

    it('a discard before its first step reaches the first future', async () => {
      const pid = runtime.spawn(new Place());
      const promise = obedient<number>();
      const result = loop({ on: pid, iterate: () => promise.future, body: () => Continue });
      result.discard();
      expect(result.isPending).to.equal(true);
      await world.settle();
      expect([promise.future.hasDiscard, result.isDiscarded]).to.deep.equal([true, true]);
    });

    it('refuses an address that spawn did not return', () => {
      const bare = runtime.pid('x') as LocalPID<Place>;
      expect(() => loop({ on: bare, iterate: () => 1, body: () => Break() }))
        .to.throw(ProcessError, 'only an address that spawn returned')
        .with.property('code', 'PROCESS_NOT_FOUND');
    });
  });
});
