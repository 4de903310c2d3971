import { expect } from 'chai';
import {
  after,
  dispatch,
  Future,
  type LocalPID,
  message,
  type PID,
  Process,
  ProcessError,
  Runtime,
} from '@mezzo/process';
import { advance, order, processTime, Simulation } from '@mezzo/process/testing';

const Note = message('note');

class Clocked extends Process {
  readonly times: number[] = [];
  protected override initialize(): void {
    this.install(Note, () => void this.look());
  }
  protected override exited(): void {
    this.look();
  }
  look(): number {
    this.times.push(this.clock.now());
    return this.clock.now();
  }
  tells(pid: PID): void {
    this.send(pid, Note);
  }
  calls(pid: LocalPID<Clocked>): void {
    void this.dispatch(pid, (process) => process.look());
  }
  links(pid: PID): void {
    this.link(pid);
  }
  arms(milliseconds: number): void {
    this.delay(milliseconds, () => this.look());
  }
  async waits(passed: Future<void>): Promise<number> {
    this.look();
    await passed;
    return this.look();
  }
  spawns(id: string): LocalPID<Clocked> {
    return this.runtime.spawn(new Clocked(id));
  }
  within<R>(act: (self: this) => R): R {
    return act(this);
  }
}

describe('the time of a process', () => {
  let world: Simulation;
  let runtime: Runtime;
  let start: number;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node', { onError: () => undefined });
    start = world.clock.now();
  });

  afterEach(async () => {
    await world.stop();
  });

  /** Lets the world's time pass without anything reaching anybody. */
  const pass = (milliseconds: number): void => world.clock.moveTo(world.clock.now() + milliseconds);
  /** Of each process, since the start. */
  const times = (...pids: PID[]): number[] => pids.map((pid) => processTime(runtime, pid) - start);
  const spawn = (id: string): { readonly clocked: Clocked; readonly pid: LocalPID<Clocked> } => {
    const clocked = new Clocked(id);
    return { clocked, pid: runtime.spawn(clocked) };
  };

  it('LP-CLOCK-02 stays while the process is idle, and is lifted to that of whoever reaches it', async () => {
    const a = spawn('a');
    await world.settle();
    expect(times(a.pid)).to.deep.equal([0]);
    pass(1000);
    expect(times(a.pid)).to.deep.equal([0]);
    const b = spawn('b');
    expect(times(a.pid, b.pid)).to.deep.equal([0, 1000]);
    void dispatch(b.pid, (process) => process.calls(a.pid));
    await world.settle();
    expect(times(a.pid, b.pid)).to.deep.equal([1000, 1000]);
    expect(a.clocked.times).to.deep.equal([start + 1000]);
  });

  it('LP-SRC-41 of a process that another one spawned begins at that time, and of others at the world time', async () => {
    const a = spawn('a');
    await world.settle();
    pass(10_000);
    const b = spawn('b');
    expect(times(a.pid, b.pid)).to.deep.equal([0, 10_000]);
    let inner: LocalPID<Clocked> | undefined;
    void dispatch(b.pid, (process) => {
      pass(10_000);
      inner = process.spawns('c');
    });
    await world.settle();
    expect(times(b.pid, inner ?? a.pid)).to.deep.equal([10_000, 10_000]);
  });

  for (const [what, reach] of [
    ['a message', (from: Clocked, to: LocalPID<Clocked>) => from.tells(to)],
    ['a dispatch', (from: Clocked, to: LocalPID<Clocked>) => from.calls(to)],
  ] as const) {
    it(`is lifted by ${what} to the time of the sender, not to the world's, and never goes back`, async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      await world.settle();
      advance(b.pid, 500);
      void dispatch(b.pid, (process) => {
        pass(2000);
        reach(process, a.pid);
      });
      await world.settle();
      expect(times(a.pid)).to.deep.equal([500]);
      advance(a.pid, 100_000);
      void dispatch(b.pid, (process) => reach(process, a.pid));
      await world.settle();
      expect(times(a.pid)).to.deep.equal([100_500]);
      expect(a.clocked.times).to.deep.equal([start + 500, start + 100_500]);
    });
  }

  it('is lifted by the end of a process it is linked to', async () => {
    const [a, b] = [spawn('a'), spawn('b')];
    void dispatch(a.pid, (process) => process.links(b.pid));
    await world.settle();
    pass(700);
    runtime.terminate(b.pid);
    await world.settle();
    expect(a.clocked.times).to.deep.equal([start + 700]);
  });

  it('is lifted by its own timers, which are due by its own clock', async () => {
    const a = spawn('a');
    await world.settle();
    void dispatch(a.pid, (process) =>
      process.within((self) => {
        pass(400);
        self.arms(1000);
      }),
    );
    await world.settle();
    await world.advance(599);
    expect(a.clocked.times).to.deep.equal([]);
    await world.advance(1);
    expect(a.clocked.times).to.deep.equal([start + 1000]);
    expect(times(a.pid)).to.deep.equal([1000]);
  });

  it('does not go back behind what an async handler saw while it waited', async () => {
    const { clocked, pid } = spawn('a');
    const outside = after(5000, world.clock);
    const waited = dispatch(pid, (process) => process.waits(outside));
    await world.advance(1000);
    void dispatch(pid, (process) => process.look());
    await world.advance(10_000);
    expect(waited.get()).to.equal(start + 5000);
    expect(clocked.times).to.deep.equal([start, start + 5000, start + 5000]);
  });

  it('in a callback of a Future is that at which the Future was completed', async () => {
    const { clocked, pid } = spawn('a');
    void dispatch(pid, (process) =>
      process.within((self) => {
        after('3s', world.clock).onReady(() => {
          self.look();
          self.arms(1000);
        });
      }),
    );
    await world.advance('10s');
    expect(clocked.times).to.deep.equal([start + 3000, start + 4000]);
  });

  it('is lifted by a timer that it armed at its clock', async () => {
    const { pid } = spawn('a');
    void dispatch(pid, () => runtime.clock.timer(300, () => undefined));
    await world.advance('1s');
    expect(times(pid)).to.deep.equal([300]);
  });

  it('is asked for by whoever acts, also while another process looks on', async () => {
    const [a, b] = [spawn('a'), spawn('b')];
    await world.settle();
    pass(50);
    const seen: number[] = [];
    void dispatch(b.pid, () => seen.push(runtime.clock.now() - start));
    await world.settle();
    expect(seen).to.deep.equal([50]);
    expect(times(a.pid, b.pid)).to.deep.equal([0, 50]);
    expect(runtime.clock.now() - start).to.equal(50);
  });

  it('can be brought forward: of one process, or to that of another', async () => {
    const [a, b] = [spawn('a'), spawn('b')];
    await world.settle();
    advance(a.pid, '10s');
    expect(times(a.pid, b.pid)).to.deep.equal([10_000, 0]);
    expect(world.elapsed).to.equal(0);
    order(b.pid, a.pid);
    expect(times(a.pid, b.pid)).to.deep.equal([10_000, 0]);
    order(a.pid, b.pid);
    expect(times(a.pid, b.pid)).to.deep.equal([10_000, 10_000]);
  });

  it('of who is not there cannot be told', async () => {
    const { pid } = spawn('a');
    expect(times(runtime.pid('a'))).to.deep.equal([0]);
    runtime.terminate(pid);
    await world.settle();
    const next = spawn('a');
    for (const ask of [
      () => processTime(runtime, pid),
      () => processTime(runtime, runtime.pid('nobody')),
      () => advance(pid, 1),
      () => order(pid, next.pid),
      () => order(next.pid, runtime.pid('a')),
    ]) {
      expect(ask).to.throw(ProcessError, 'No time of').with.property('code', 'PROCESS_NOT_FOUND');
    }
  });

  it('is that of the runtime where time runs by itself', async () => {
    await using real = await Runtime.start();
    const pid = real.spawn(new Clocked('real'));
    await dispatch(pid, () => Future.ready(undefined));
    const before = real.clock.now();
    advance(pid, '1hrs');
    order(pid, pid);
    expect(processTime(real, pid)).to.be.within(before, before + 60_000);
  });
});
