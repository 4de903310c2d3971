import { once } from 'node:events';
import { MessageChannel, setEnvironmentData } from 'node:worker_threads';

import { type Future, Process, ProcessError, Runtime } from '@mezzo/process';
import { WorkerCrashed, WorkerPool, type WorkerPoolOptions, WorkTimeout } from '@mezzo/process/pool';
import { expect } from 'chai';

import { failure as failureIn, outcome as outcomeIn, poll } from '../transport/worlds.ts';
import type * as work from './fixtures/work.ts';
import { Gate } from './gate.ts';
import { execArgv, fixture } from './threads.ts';

type Fixture = typeof work;

const outcome = <T>(future: Future<T>): Promise<T> => outcomeIn({ until: poll }, future);
const failure = (future: Future<unknown>): Promise<Error> => failureIn({ until: poll }, future);

describe('a worker pool', () => {
  let runtime: Runtime;
  let errors: string[];
  const pools: WorkerPool<Fixture>[] = [];

  beforeEach(async () => {
    errors = [];
    runtime = await Runtime.start({ onError: (error, context) => errors.push(`${context}: ${String(error)}`) });
  });
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close();
    await runtime.stop();
  });

  async function start(options: Omit<WorkerPoolOptions, 'file'> = {}): Promise<WorkerPool<Fixture>> {
    const pool = await WorkerPool.start<Fixture>(runtime, { file: fixture('work.ts'), execArgv, ...options });
    pools.push(pool);
    return pool;
  }

  it('does work in other threads, as many at a time as it has', async () => {
    const workers = await start({ threads: 2 });
    const gate = new Gate();
    const held = [workers.offload('hold', gate.buffer), workers.offload('hold', gate.buffer)];
    const waiting = workers.offload('thread');
    await gate.reached(2);
    expect([workers.running, workers.waiting]).to.deep.equal([2, 1]);
    expect(waiting.isPending).to.equal(true);
    gate.open();
    const threads = await Promise.all(held.map(outcome));
    expect(new Set([0, ...threads]).size).to.equal(3);
    expect(threads).to.include(await outcome(waiting));
    expect([workers.running, workers.waiting]).to.deep.equal([0, 0]);
  });

  it('gives results to a process in its own turn', async () => {
    const workers = await start({ threads: 1 });
    class Counter extends Process {
      results: number[] = [];
      protected override initialize(): void {
        for (const n of [10, 20]) {
          workers.offload('fibonacci', n).onReady(
            this.defer((value) => {
              this.results.push(value);
              if (this.results.length === 2) this.terminate();
            }),
          );
        }
      }
    }
    const counter = new Counter();
    expect(await outcome(runtime.wait(runtime.spawn(counter)))).to.equal(true);
    expect(counter.results).to.deep.equal([55, 6765]);
  });

  it('clones arguments and results, and moves what is to be transferred', async () => {
    const workers = await start({ threads: 1 });
    const numbers = [3, 1, 2];
    expect(await outcome(workers.offload('sorted', numbers))).to.deep.equal([1, 2, 3]);
    expect(numbers).to.deep.equal([3, 1, 2]);
    const [kept, moved] = [new Uint8Array(1000), new Uint8Array(1000)];
    expect(await outcome(workers.offload('lengthOf', kept))).to.equal(1000);
    expect(await outcome(workers.offload('lengthOf', moved, { transfer: [moved.buffer] }))).to.equal(1000);
    expect([kept.length, moved.length]).to.deep.equal([1000, 0]);
  });

  it('fails with what the function threw, its name, code and cause included', async () => {
    const workers = await start({ threads: 1 });
    const error = await failure(workers.offload('refuse', 'cheddar'));
    expect(error)
      .to.be.instanceOf(Error)
      .and.to.include({ name: 'OutOfCheese', message: 'no cheddar', code: 'E_CHEESE' });
    expect(error.stack).to.include('fixtures/work.ts');
    expect(error.cause).to.be.instanceOf(Error).and.to.include({ name: 'TypeError', message: 'the mouse' });
    expect(await failure(workers.offload('refuseWithText', 'no luck'))).to.have.property('message', 'no luck');
    expect(await outcome(workers.offload('fibonacci', 10))).to.equal(55);
  });

  it('refuses what cannot be cloned, and goes on with what waits behind it', async () => {
    const workers = await start({ threads: 1 });
    const gate = new Gate();
    const held = workers.offload('hold', gate.buffer);
    const unclonable = { n: 1, call: () => 1 };
    const refused = workers.offload('double', unclonable);
    const behind = workers.offload('double', { n: 2 });
    gate.open();
    await outcome(held);
    const argument = await failure(refused);
    expect(argument).to.be.instanceOf(ProcessError).with.property('code', 'MESSAGE_INVALID');
    expect(argument.message).to.include("The argument of 'double'").and.to.include('could not be cloned');
    expect(await outcome(behind)).to.deep.equal({ n: 4 });
    const value = await failure(workers.offload('makeFunction'));
    expect(value).to.have.property('code', 'MESSAGE_INVALID');
    expect(value.message).to.include("The value of 'makeFunction'").and.to.include('could not be cloned');
    expect(await outcome(workers.offload('double', { n: 3 }))).to.deep.equal({ n: 6 });
  });

  describe('whose work is discarded', () => {
    it('while it runs ends the thread and starts another', async () => {
      const workers = await start({ threads: 1 });
      const gate = new Gate();
      const spinning = workers.offload('spin', gate.buffer);
      await gate.reached(1);
      spinning.discard();
      expect(spinning.isDiscarded).to.equal(true);
      expect(workers.running).to.equal(0);
      expect(await outcome(workers.offload('fibonacci', 10))).to.equal(55);
      expect(errors).to.deep.equal([]);
    });

    it('while it waits never does it', async () => {
      const workers = await start({ threads: 1 });
      const [first, second] = [new Gate(), new Gate()];
      const held = workers.offload('hold', first.buffer);
      const waiting = workers.offload('hold', second.buffer);
      await first.reached(1);
      waiting.discard();
      expect(waiting.isDiscarded).to.equal(true);
      expect([workers.running, workers.waiting]).to.deep.equal([1, 0]);
      first.open();
      await outcome(held);
      await outcome(workers.offload('thread'));
      expect(second.entered).to.equal(0);
    });

    it('by an AbortSignal ends as well, also if that was aborted before', async () => {
      const workers = await start({ threads: 1 });
      const gate = new Gate();
      const controller = new AbortController();
      const { signal } = controller;
      const spinning = workers.offload('spin', gate.buffer, { signal });
      await gate.reached(1);
      controller.abort();
      expect(spinning.isDiscarded).to.equal(true);
      expect(workers.offload('spin', gate.buffer, { signal }).isDiscarded).to.equal(true);
      expect([workers.running, workers.waiting]).to.deep.equal([0, 0]);
      await outcome(workers.offload('thread'));
      expect(gate.entered).to.equal(1);
    });
  });

  it('fails work that takes too long with WorkTimeout, whether it runs or waits, and ends its thread', async () => {
    const workers = await start({ threads: 1 });
    const gate = new Gate();
    const spinning = workers.offload('spin', gate.buffer, { timeout: '1s' });
    const waiting = workers.offload('thread', undefined, { timeout: '10ms' });
    expect(() => workers.offload('thread', undefined, { timeout: -1 }))
      .to.throw(ProcessError)
      .with.property('code', 'DURATION_INVALID');
    const late = await failure(waiting);
    expect(late).to.be.instanceOf(WorkTimeout).with.property('code', 'WORK_TIMEOUT');
    expect(late.message).to.match(/^'thread' of file:.*work\.ts got no thread within 10 ms$/);
    const stuck = await failure(spinning);
    expect(stuck).to.be.instanceOf(WorkTimeout);
    expect(stuck.message).to.match(/^'spin' of file:.*work\.ts did not end within 1000 ms$/);
    expect(await outcome(workers.offload('fibonacci', 10))).to.equal(55);
  });

  it('refuses work when too much waits, and takes it again when there is room', async () => {
    const workers = await start({ threads: 1, queue: 2 });
    const gate = new Gate();
    const held = workers.offload('hold', gate.buffer);
    const waiting = [workers.offload('fibonacci', 10), workers.offload('fibonacci', 11)];
    const refused = workers.offload('fibonacci', 12);
    expect(refused.isFailed).to.equal(true);
    expect(refused.failure()).to.be.instanceOf(ProcessError).with.property('code', 'WORK_QUEUE_FULL');
    waiting[0]?.discard();
    const taken = workers.offload('fibonacci', 13);
    expect(taken.isPending).to.equal(true);
    gate.open();
    await outcome(held);
    expect(await outcome(taken)).to.equal(233);
  });

  it('fails the work of a thread that dies, and that alone', async () => {
    const workers = await start({ threads: 2 });
    const gate = new Gate();
    const held = workers.offload('hold', gate.buffer);
    await gate.reached(1);
    const left = await failure(workers.offload('leave', 3));
    expect(left).to.be.instanceOf(WorkerCrashed).with.property('code', 'WORKER_CRASHED');
    expect(left.message).to.match(/^'leave' of file:.* failed: the worker thread died: it exited with code 3$/);
    const crashed = await failure(workers.offload('crash'));
    expect(crashed).to.be.instanceOf(WorkerCrashed);
    expect(crashed.message).to.include('out of order');
    expect(crashed.cause).to.be.instanceOf(Error);
    expect(await outcome(workers.offload('fibonacci', 10))).to.equal(55);
    expect(held.isPending).to.equal(true);
    gate.open();
    await outcome(held);
    expect(errors).to.deep.equal([]);
  });

  it('fails work, and does not let it wait for ever, while no thread can start', async () => {
    const fault = ['--import', fixture('fails-at-start.mjs').href];
    const workers = await start({ threads: 1, execArgv: [...execArgv, ...fault] });
    const gate = new Gate();
    const spinning = workers.offload('spin', gate.buffer);
    await gate.reached(1);
    setEnvironmentData('fault', true);
    try {
      spinning.discard();
      for (let round = 0; round < 3; round++) {
        const error = await failure(workers.offload('fibonacci', 10));
        expect(error).to.be.instanceOf(WorkerCrashed);
        expect(error.message).to.include('the worker thread died: no memory for a thread');
      }
      expect(errors[0]).to.match(/^an idle worker thread for file:.*work\.ts died: Error: no memory for a thread$/);
    } finally {
      setEnvironmentData('fault', undefined);
    }
    expect(await outcome(workers.offload('fibonacci', 10))).to.equal(55);
  });

  it('that is closed fails what was not done, and takes no more', async () => {
    const workers = await start({ threads: 1 });
    const gate = new Gate();
    const jobs = [workers.offload('spin', gate.buffer), workers.offload('fibonacci', 10)];
    await gate.reached(1);
    const closing = workers.close();
    jobs.push(workers.offload('fibonacci', 11));
    for (const job of jobs) expect(job.failure()).to.be.instanceOf(ProcessError).with.property('code', 'POOL_CLOSED');
    await outcome(closing);
    expect(workers.close()).to.equal(closing);
  });

  it('that is closed ends its threads', async () => {
    const workers = await start({ threads: 1 });
    const { port1, port2 } = new MessageChannel();
    const end = once(port1, 'close');
    workers.offload('keep', port2, { transfer: [port2] });
    await outcome(workers.close());
    await end;
  });

  it('closes at the end of the scope that uses it', async () => {
    let workers: WorkerPool<Fixture>;
    {
      await using scoped = await start({ threads: 1 });
      workers = scoped;
    }
    expect(workers.offload('thread').isFailed).to.equal(true);
  });

  it('says at its start that its module is missing or broken', async () => {
    const missing = await failure(WorkerPool.start(runtime, { file: fixture('no-such-work.ts'), execArgv }));
    expect(missing).to.be.instanceOf(ProcessError).with.property('code', 'WORK_UNAVAILABLE');
    expect(missing.message).to.match(
      /^Module file:.*no-such-work\.ts cannot be loaded for its work: Cannot find module/,
    );
    const broken = await failure(WorkerPool.start(runtime, { file: fixture('broken-work.ts'), execArgv }));
    expect(broken).to.have.property('code', 'WORK_UNAVAILABLE');
    expect(broken.message).to.include('broken-work.ts cannot be loaded for its work: this module never loads');
  });

  it('says that its module has no such function, and which it has', async () => {
    const workers = await WorkerPool.start(runtime, { file: fixture('work.ts'), threads: 1, execArgv });
    try {
      for (const name of ['fibonaci', 'notAFunction', 'toString']) {
        const error = await failure(workers.offload(name, 10));
        expect(error).to.be.instanceOf(ProcessError).with.property('code', 'WORK_UNAVAILABLE');
        expect(error.message).to.include(`work.ts exports no function '${name}'; it exports `);
        expect(error.message).to.include('double, fibonacci').and.not.include('notAFunction,');
      }
    } finally {
      await workers.close();
    }
  });

  it('refuses numbers of threads and of waiting calls that make no sense', async () => {
    for (const [options, text] of [
      [{ threads: 0 }, 'threads: got 0'],
      [{ threads: 1.5 }, 'threads: got 1.5'],
      [{ queue: -1 }, 'queue: got -1'],
    ] as const) {
      const error = await failure(WorkerPool.start(runtime, { file: fixture('work.ts'), ...options }));
      expect(error).to.have.property('code', 'POOL_OPTION_INVALID');
      expect(error.message).to.include(text);
    }
  });
});
