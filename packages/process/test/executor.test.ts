import { expect } from 'chai';
import { Deferred, Executor, Future, type Runtime, SpawnRefused } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

describe('Executor', () => {
  const errors: string[] = [];
  let world: Simulation;
  let runtime: Runtime;
  let executor: Executor;

  beforeEach(async () => {
    errors.length = 0;
    world = new Simulation();
    runtime = await world.start('node', {
      onError: (error, context) => errors.push(`${context}: ${String(error)}`),
    });
    executor = new Executor(runtime);
  });

  afterEach(async () => {
    await world.stop();
  });

  it('LP-PROC-14 what is deferred runs once for each call, with what it is called with', async () => {
    const seen: unknown[] = [];
    const first = executor.defer((n: number) => void seen.push(n));
    const second = executor.defer((text: string) => void seen.push(text));
    first(42);
    second('event2');
    expect(seen).to.deep.equal([]);
    await world.settle();
    expect(seen).to.deep.equal([42, 'event2']);
  });

  it('LP-PROC-15 gives what a function gives, flattened, and runs each once', async () => {
    const ran: string[] = [];
    const state = { name: 'f2' };
    const results = [
      executor.execute(() => void ran.push('f1')),
      executor.execute(function (this: void) {
        ran.push(state.name);
      }),
      executor.execute(() => {
        ran.push('f3');
        return 'f3';
      }),
      executor.execute(() => {
        ran.push('f4');
        return Future.ready('f4');
      }),
    ] as const;
    expect(ran).to.deep.equal([]);
    await world.settle();
    expect(results.map((result) => result.get())).to.deep.equal([undefined, undefined, 'f3', 'f4']);
    expect(ran).to.deep.equal(['f1', 'f2', 'f3', 'f4']);
    const text: Future<string> = results[3];
    expect(text.get()).to.equal('f4');
  });

  it('runs one at a time: an async function keeps the others waiting, one that returned a Future does not', async () => {
    const [promise, future] = [new Deferred<number>(), new Deferred<number>()];
    const first = executor.execute(() => future.future);
    const second = executor.execute(async () => promise.future);
    let third = false;
    void executor.execute(() => {
      third = true;
    });
    await world.settle();
    expect([first.isPending, second.isPending, third]).to.deep.equal([true, true, false]);
    promise.set(2);
    await world.settle();
    expect([second.get(), third, first.isPending]).to.deep.equal([2, true, true]);
    future.set(1);
    expect(first.get()).to.equal(1);
  });

  it('what throws or rejects is FAILED, and the next one runs', async () => {
    const thrown = executor.execute(() => {
      throw new Error('thrown');
    });
    const rejected = executor.execute(() => Promise.reject(new Error('rejected')));
    const next = executor.execute(() => 'next');
    await world.settle();
    expect([String(thrown), String(rejected), next.get()]).to.deep.equal([
      'Failed: thrown',
      'Failed: rejected',
      'next',
    ]);
    expect(errors).to.deep.equal([]);
  });

  it('what fails in a deferred function, whose result nobody sees, is reported', async () => {
    executor.defer(() => {
      throw new Error('lost');
    })();
    await world.settle();
    expect(errors).to.deep.equal(['a deferred function of executor(1)@node failed: Error: lost']);
  });

  it('a discard goes to the future that the function returned', async () => {
    const inner = new Deferred<number>();
    const early = executor.execute(() => inner.future);
    early.discard();
    await world.settle();
    expect(inner.future.hasDiscard).to.equal(true);
  });

  it('stopping abandons what is queued, what is under way, and what comes later', async () => {
    const promise = new Deferred<void>();
    const held = executor.execute(async () => promise.future);
    await world.settle();
    let ran = false;
    const queued = executor.execute(() => {
      ran = true;
    });
    {
      using stopped = executor;
      expect(stopped).to.equal(executor);
    }
    await world.settle();
    const late = executor.execute(() => 1);
    expect([held.isAbandoned, queued.isAbandoned, late.isAbandoned, ran]).to.deep.equal([true, true, true, false]);
    promise.set();
    await world.settle();
    expect(held.isPending).to.equal(true);
    expect(runtime.processes).to.deep.equal([]);
  });

  it('stopping without inject executes first what is queued', async () => {
    const promise = new Deferred<string>();
    const held = executor.execute(async () => promise.future);
    const queued = executor.execute(() => 'queued');
    executor.stop({ inject: false });
    const late = executor.execute(() => 'late');
    await world.settle();
    promise.set('held');
    await world.settle();
    expect([held.get(), queued.get(), late.isAbandoned]).to.deep.equal(['held', 'queued', true]);
    expect(runtime.processes).to.deep.equal([]);
  });

  describe('of a runtime', () => {
    const sum = (...numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

    it('LP-PROC-06 runs what is deferred outside any process a little later', async () => {
      const seen: unknown[] = [];
      const first = runtime.defer((flag: boolean) => void seen.push(flag));
      first(true);
      expect(seen).to.deep.equal([]);
      await world.settle();
      expect(seen).to.deep.equal([true]);
      runtime.defer((flag: boolean) => void seen.push(!flag))(true);
      await world.settle();
      expect(seen).to.deep.equal([true, false]);
    });

    it('LP-PROC-09 runs a function with its arguments, where the caller writes no process', async () => {
      function thunk(only: number): number;
      function thunk(first: number, second: number): number;
      function thunk(first: number, second = 0): number {
        return first + second;
      }
      const two = runtime.async(thunk, 21, 21);
      const one = runtime.async(() => thunk(42));
      await world.settle();
      expect([two.get(), one.get()]).to.deep.equal([42, 42]);
    });

    it('LP-PROC-16 runs functions of any number of arguments, whose processes then end', async () => {
      const before = runtime.processes;
      const results: Future<number>[] = [
        runtime.async(() => 1),
        runtime.async((a: number) => sum(a), 10),
        runtime.async((a: number, b: number) => sum(a, b), 10, 20),
        runtime.async((a: number, b: number, c: number) => sum(a, b, c), 10, 20, 30),
        runtime.async((a: number, b: number, c: number, d: number) => sum(a, b, c, d), 10, 20, 30, 40),
      ];
      const holder: Future<string> = runtime.async((held: { readonly value: number }) => `${held.value}`, {
        value: 42,
      });
      const flattened: Future<string> = runtime.async(() => Future.ready('42'));
      expect(results.every(({ isPending }) => isPending)).to.equal(true);
      await world.settle();
      expect(results.map((result) => result.get())).to.deep.equal([1, 10, 30, 60, 100]);
      expect([holder.get(), flattened.get()]).to.deep.equal(['42', '42']);
      expect(runtime.processes).to.deep.equal(before);
    });

    it('an async function runs to its end, what it throws is FAILED, and a discard reaches its future', async () => {
      const inner = new Deferred<number>();
      const awaited = runtime.async(async () => (await inner.future) + 1);
      const failed = runtime.async(() => {
        throw new Error('no');
      });
      const pending = new Deferred<number>();
      const discarded = runtime.async(() => pending.future);
      await world.settle();
      discarded.discard();
      inner.set(1);
      await world.settle();
      expect([awaited.get(), String(failed), pending.future.hasDiscard]).to.deep.equal([2, 'Failed: no', true]);
      expect(errors).to.deep.equal([]);
    });

    it('refuses while it stops', async () => {
      await runtime.stop();
      expect(() => runtime.async(() => 1)).to.throw(SpawnRefused);
      expect(() => runtime.defer(() => 1)).to.throw(SpawnRefused);
      expect(() => new Executor(runtime)).to.throw(SpawnRefused);
    });
  });
});
