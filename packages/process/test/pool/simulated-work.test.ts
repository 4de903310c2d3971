import { type Future, Process, ProcessError, Runtime } from '@mezzo/process';
import { WorkerPool, WorkTimeout } from '@mezzo/process/pool';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

import type * as work from './fixtures/work.ts';
import { execArgv, fixture } from './threads.ts';

type Fixture = typeof work;
const file = fixture('work.ts');

/** What came of the work, as a test can compare it. */
async function story(future: Future<unknown>): Promise<unknown> {
  try {
    return await future;
  } catch (error) {
    if (!(error instanceof Error)) return error;
    const { name, message, cause } = error;
    return { name, message, code: 'code' in error ? error.code : undefined, cause: String(cause) };
  }
}

function everything(workers: WorkerPool<Fixture>): Future<unknown>[] {
  const moved = new Uint8Array(100);
  const loose = workers as unknown as WorkerPool;
  return [
    workers.offload('fibonacci', 15),
    workers.offload('double', { n: 21 }),
    workers.offload('sorted', [3, 1, 2]),
    workers.offload('lengthOf', moved, { transfer: [moved.buffer] }),
    workers.offload('refuse', 'cheddar'),
    workers.offload('refuseWithText', 'no luck'),
    workers.offload('makeFunction'),
    loose.offload('fibonaci', 1),
    loose.offload('double', { n: 1, call: () => 1 }),
  ];
}

describe('a worker pool in a simulation', () => {
  let world: Simulation;
  beforeEach(() => {
    world = new Simulation();
  });
  afterEach(() => world.stop());

  async function start(options: { readonly threads?: number; readonly queue?: number } = {}) {
    const runtime = await world.start('node');
    const workers = await WorkerPool.start<Fixture>(runtime, { file, ...options });
    return { runtime, workers };
  }

  it('gives the values and errors that threads give', async () => {
    const { workers } = await start();
    const inline = everything(workers);
    await world.settle();
    expect(inline.map((future) => future.isPending)).to.deep.equal(inline.map(() => false));
    const real = await Runtime.start();
    const threads = await WorkerPool.start<Fixture>(real, { file, threads: 1, execArgv });
    try {
      const expected = await Promise.all(everything(threads).map(story));
      expect(await Promise.all(inline.map(story))).to.deep.equal(expected);
      expect(expected.slice(0, 4)).to.deep.equal([610, { n: 42 }, [1, 2, 3], 100]);
    } finally {
      await threads.close();
      await real.stop();
    }
  });

  it('does the work in this thread, in later turns, in order, in no virtual time', async () => {
    const { workers } = await start({ threads: 1 });
    const before = world.clock.now();
    const order: number[] = [];
    const numbers = [3, 1, 2];
    const offloaded = [
      workers.offload('thread').onReady((thread) => order.push(thread)),
      workers.offload('sorted', numbers).onReady(([least]) => order.push(least ?? 0)),
      workers.offload('fibonacci', 10).onReady((value) => order.push(value)),
    ];
    expect(offloaded.every((future) => future.isPending)).to.equal(true);
    await world.settle();
    expect(order).to.deep.equal([0, 1, 55]);
    expect(numbers).to.deep.equal([3, 1, 2]);
    expect(world.clock.now()).to.equal(before);
  });

  it('repeats its history', async () => {
    const histories = [];
    for (let run = 0; run < 2; run++) {
      await using again = new Simulation({ seed: 7 });
      const runtime = await again.start('node');
      const workers = await WorkerPool.start<Fixture>(runtime, { file });
      const history: string[] = [];
      class Worker extends Process {
        protected override initialize(): void {
          const note = (what: string) =>
            this.defer((value: unknown) => {
              history.push(`${this.clock.now()} ${what} ${String(value)}`);
              if (history.length < 20) this.delay(this.random.next() * 3, () => this.#next(note));
            });
          this.#next(note);
          this.#next(note);
        }
        #next(note: (what: string) => (value: unknown) => void): void {
          const n = Math.floor(this.random.next() * 10);
          workers.offload('fibonacci', n).onReady(note(`fibonacci ${n}`));
          this.delay(0, () => note('timer')(n));
        }
      }
      runtime.spawn(new Worker());
      await again.advance('1s');
      histories.push(history);
    }
    expect(histories[0]).to.have.length.greaterThan(19);
    expect(histories[1]).to.deep.equal(histories[0]);
  });

  it('does not do what is discarded before its turn', async () => {
    const { workers } = await start();
    const gate = new SharedArrayBuffer(8);
    const cells = new Int32Array(gate);
    cells[0] = 1;
    const work = workers.offload('hold', gate);
    work.discard();
    expect(work.isDiscarded).to.equal(true);
    await world.settle();
    expect(cells[1]).to.equal(0);
    workers.offload('hold', gate);
    await world.settle();
    expect(cells[1]).to.equal(1);
  });

  it('times out in virtual time', async () => {
    const { workers } = await start();
    const stuck = workers.offload('never', undefined, { timeout: '1hrs' });
    await world.advance('59mins');
    expect(stuck.isPending).to.equal(true);
    await world.advance('1mins');
    expect(stuck.failure()).to.be.instanceOf(WorkTimeout);
  });

  it('has the bound it has with threads', async () => {
    const { workers } = await start({ threads: 1, queue: 1 });
    const work = [1, 2, 3].map((n) => workers.offload('fibonacci', n));
    await world.settle();
    expect(work.map((future) => future.state)).to.deep.equal(['ready', 'ready', 'failed']);
    expect(work[2]?.failure()).to.be.instanceOf(ProcessError).with.property('code', 'WORK_QUEUE_FULL');
  });

  it('says at its start that its module is missing', async () => {
    const runtime = await world.start('node');
    const error = await story(WorkerPool.start(runtime, { file: fixture('no-such-work.ts') }));
    expect(error).to.have.property('code', 'WORK_UNAVAILABLE');
  });

  it('keeps virtual time from passing while a process has it started', async () => {
    const runtime = await world.start('node');
    const history: string[] = [];
    class Starter extends Process {
      protected override initialize(): void {
        this.delay('1ms', () => history.push('a millisecond later'));
        WorkerPool.start<Fixture>(this.runtime, { file: fixture('slow-to-load.ts') })
          .andThen((workers) => workers.offload('fibonacci', 10))
          .onReady(this.defer((value) => history.push(`fibonacci ${value}`)));
      }
    }
    runtime.spawn(new Starter());
    await world.advance('1ms');
    expect(history).to.deep.equal(['fibonacci 55', 'a millisecond later']);
  });

  it('ends with its node', async () => {
    const { workers } = await start();
    const work = workers.offload('fibonacci', 10);
    world.crash('node');
    await world.settle();
    expect(work.isPending).to.equal(true);
  });
});
