import { expect } from 'chai';
import { Deferred, dispatch, type LocalPID, message, Process, Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

const Tick = message('tick');

/** Sends itself another message for each it serves. */
class Perpetual extends Process {
  served = 0;
  stopped = false;
  protected override initialize(): void {
    this.install(Tick, () => {
      this.served++;
      if (!this.stopped) this.send(this.self, Tick);
    });
    this.send(this.self, Tick);
  }
}

const timer = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
const spin = (milliseconds: number): void => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
};

describe('RunQueue', () => {
  it('a process that feeds itself starves neither timers nor other processes', async () => {
    await using runtime = await Runtime.start();
    const perpetual = new Perpetual();
    runtime.spawn(perpetual);
    const other = runtime.spawn(new Perpetual());
    await timer(5);
    expect(await dispatch(other, () => 'served')).to.equal('served');
    expect(perpetual.served).to.be.greaterThan(0);
    perpetual.stopped = true;
    await dispatch(other, (process) => {
      process.stopped = true;
    });
  });

  it('a chain of async handlers, which never leaves the microtasks by itself, does not starve timers', async () => {
    await using runtime = await Runtime.start();
    let stopped = false;
    class Chained extends Process {
      protected override initialize(): void {
        this.install(Tick, async () => {
          await Promise.resolve();
          if (!stopped) this.send(this.self, Tick);
        });
        this.send(this.self, Tick);
      }
    }
    runtime.spawn(new Chained());
    await timer(5);
    stopped = true;
  });

  it('a slice of slow events ends after 2 ms, not after its budget', async () => {
    await using runtime = await Runtime.start();
    class Slow extends Process {
      served = 0;
      work(): void {
        this.served++;
        spin(1);
      }
    }
    const slow = new Slow();
    const pid = runtime.spawn(slow);
    for (let index = 0; index < 50; index++) void dispatch(pid, (process) => process.work());
    // setImmediate runs between two slices.
    let atFirstHop = -1;
    setImmediate(() => (atFirstHop = slow.served));
    await dispatch(pid, () => undefined);
    expect(slow.served).to.equal(50);
    expect(atFirstHop).to.be.within(0, 10);
  });

  it('gives every process its quantum in turn', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    const order: string[] = [];
    class Named extends Process {
      note(): void {
        if (order.at(-1) !== this.self.id) order.push(this.self.id);
      }
    }
    const pids: LocalPID<Named>[] = ['a', 'b'].map((id) => runtime.spawn(new Named(id)));
    for (const pid of pids) for (let index = 0; index < 150; index++) void dispatch(pid, (process) => process.note());
    await world.settle();
    // 64 events each (the first turn of each begins with initialize), then the next.
    expect(order).to.deep.equal(['a', 'b', 'a', 'b', 'a', 'b']);
  });

  it('in simulation, a macrotask passes between a turn that left a promise pending and the next event', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    class Plain extends Process {}
    const [first, second] = [runtime.spawn(new Plain()), runtime.spawn(new Plain())];
    await world.settle();
    let done = false;
    void dispatch(first, async () => {
      // Many microtasks: without the hop the next event would come between them.
      for (let index = 0; index < 50; index++) await Promise.resolve();
      done = true;
    });
    const seen = dispatch(second, () => done);
    await world.settle();
    expect(seen.get()).to.equal(true);
  });

  it('reports to nobody and goes on when a callback outside any process throws', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    class Plain extends Process {}
    const pid = runtime.spawn(new Plain());
    const seen: unknown[] = [];
    const listen = (reason: unknown): void => void seen.push(reason);
    process.on('unhandledRejection', listen);
    try {
      const promise = new Deferred<number>();
      promise.future.onReady(() => {
        throw new Error('mine');
      });
      const completing = dispatch(pid, () => promise.set(1));
      await world.settle();
      expect(completing.get()).to.equal(true);
      expect([...new Set(seen.map(String))]).to.deep.equal(['Error: mine']);
    } finally {
      process.off('unhandledRejection', listen);
    }
  });
});
