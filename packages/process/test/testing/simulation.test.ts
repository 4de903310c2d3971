import { expect } from 'chai';
import {
  type Command,
  dispatch,
  type Future,
  message,
  type PID,
  Process,
  ProcessError,
  type Runtime,
  type WireSchema,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

const schema = <T>(): WireSchema<T> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
});
const Ping = message('ping', schema<number>());
const Pong = message('pong', schema<number>());

class Echo extends Process {
  protected override initialize(): void {
    this.install(Ping, (n, from) => void this.send(from, Pong, n));
  }
}

class Player extends Process {
  readonly log: string[] = [];
  readonly #to: PID;
  constructor(to: PID) {
    super();
    this.#to = to;
  }
  protected override initialize(): void {
    this.install(Pong, (n) => {
      this.log.push(`${this.clock.now()} ${n} ${this.random.uuid()}`);
      this.delay(Math.floor(this.random.next() * 10), () => void this.send(this.#to, Ping, n + 1));
    });
    this.send(this.#to, Ping, 0);
  }
}

describe('Simulation', () => {
  const history = async (seed: number): Promise<string[]> => {
    await using world = new Simulation({ seed, latency: [1, 20] });
    const [a, b] = [await world.start('a'), await world.start('b')];
    b.spawn(new Echo('echo'));
    const player = new Player(a.pid('echo@b'));
    a.spawn(player);
    await world.advance('10secs');
    return player.log;
  };

  it('gives the same history for the same seed, and another for another', async () => {
    const [first, again, other] = [await history(7), await history(7), await history(8)];
    expect(first.length).to.be.greaterThan(50);
    expect(again).to.deep.equal(first);
    expect(other).to.not.deep.equal(first);
  });

  it('lets time pass only when told, and runs each timer at its time', async () => {
    await using world = new Simulation({ start: 1000 });
    const runtime = await world.start('node');
    const pid = runtime.spawn(new Echo());
    const seen: number[] = [];
    for (const delay of [30, 10, 20]) runtime.delay(pid, delay, () => seen.push(world.clock.now()));
    await world.settle();
    expect([world.clock.now(), seen]).to.deep.equal([1000, []]);
    await world.advance(25);
    expect([world.clock.now(), seen]).to.deep.equal([1025, [1010, 1020]]);
    expect(await world.advanceUntil(() => seen.length === 3, '1mins')).to.equal(true);
    expect(world.clock.now()).to.equal(1030);
    expect(await world.advanceUntil(() => seen.length === 4, '1mins')).to.equal(false);
  });

  it('serves everything of one time before the next, however much it is', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    let served = 0;
    class Busy extends Process {
      protected override initialize(): void {
        this.install(Ping, () => void served++);
      }
    }
    const pid = runtime.spawn(new Busy());
    const seen: number[] = [];
    runtime.clock.timer(10, () => {
      for (let count = 0; count < 10_000; count++) runtime.send(pid, Ping, count);
    });
    runtime.clock.timer(10.001, () => seen.push(served));
    await world.advance(20);
    expect(seen).to.deep.equal([10_000]);
  });

  it('LP-CLOCK-03 settle drains what processes set off: timers of no delay, dispatches, the end of others', async () => {
    await using world = new Simulation();
    const runtime = await world.start('node');
    const log: string[] = [];
    class Cascading extends Process {
      protected override initialize(): void {
        this.delay(0, () => {
          void dispatch(this.self, (process) => process.second());
        });
      }
      async second(): Promise<void> {
        const inner = runtime.spawn(new Echo('inner'));
        const ended = runtime.wait(inner);
        runtime.terminate(inner);
        log.push(`second ${await ended}`);
      }
    }
    runtime.spawn(new Cascading());
    await world.settle();
    expect(log).to.deep.equal(['second true']);
  });

  it('takes delays of any length', async () => {
    await using world = new Simulation({ start: 0 });
    const runtime = await world.start('node');
    const pid = runtime.spawn(new Echo());
    const seen: number[] = [];
    for (const delay of [2 ** 31, 30 * 86_400_000, Number.POSITIVE_INFINITY])
      runtime.delay(pid, delay, () => seen.push(world.clock.now()));
    await world.advance(2 ** 31 - 1);
    expect(seen).to.deep.equal([]);
    await world.advance('60days');
    expect(seen).to.deep.equal([2 ** 31, 30 * 86_400_000]);
  });

  it('a handler that waits for its mailbox counts as settled; processes that feed each other for ever do not settle', async function () {
    await using world = new Simulation();
    const runtime = await world.start('node');
    const pid = runtime.spawn(new Echo());
    const held = dispatch(pid, () => new Promise(() => undefined));
    await world.settle();
    expect(held.isPending).to.equal(true);
    runtime.terminate(pid);
    let stopped = false;
    class Feeding extends Process {
      protected override initialize(): void {
        this.delay(0, () => this.initialize());
        if (stopped) this.terminate();
      }
    }
    runtime.spawn(new Feeding());
    this.timeout(60_000);
    let code: unknown;
    await world.settle().catch((error: unknown) => {
      code = error instanceof ProcessError ? error.code : error;
    });
    expect(code).to.equal('SETTLE_IMPOSSIBLE');
    stopped = true;
  });

  describe('machines', () => {
    let world: Simulation;
    let runtime: Runtime;

    beforeEach(async () => {
      world = new Simulation({
        script: ({ file }) => {
          if (file === 'missing') throw new Error('ENOENT');
          return {
            duration: '5secs',
            code: 3,
            stubborn: file === 'stubborn',
            finish: (files) => files.write('/out', 'done'),
          };
        },
      });
      runtime = await world.start('node');
    });

    afterEach(async () => {
      await world.stop();
    });

    const command = (file: string): Command => ({
      file,
      arguments: [],
      folder: '/',
      environment: {},
      stdout: '/o',
      stderr: '/e',
    });

    const value = async <T>(future: Future<T>): Promise<T> => {
      await world.settle();
      return future.get();
    };
    const failure = async (future: Future<unknown>): Promise<unknown> => {
      await world.settle();
      return future.failure();
    };
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

    it('have disks that behave as the real one does', async () => {
      const { files } = runtime;
      await value(files.replace('/a/b/file', 'hello'));
      await value(files.append('/a/b/file', ' world'));
      expect(text(await value(files.read('/a/b/file', { offset: 6, length: 3 })))).to.equal('wor');
      expect(await value(files.list('/a'))).to.deep.equal(['b']);
      expect(await value(files.stat('/a/b/file'))).to.deep.include({ size: 11, directory: false });
      expect(await failure(files.read('/none'))).to.have.property('code', 'ENOENT');
      world.machine('node').files.failWrites = 'ENOSPC';
      expect(await failure(files.append('/a/b/file', '!'))).to.have.property('code', 'ENOSPC');
      world.machine('node').files.failWrites = undefined;
      await value(files.remove('/a'));
      expect(await failure(files.stat('/a/b'))).to.have.property('code', 'ENOENT');
    });

    it('run scripted children that take their time, exit, and can be signaled', async () => {
      const child = await value(runtime.children.spawn(command('work')));
      expect(await value(runtime.children.startTime(child.pid))).to.equal(child.startTime);
      await world.advance(4999);
      expect(child.exited.isPending).to.equal(true);
      await world.advance(1);
      expect(child.exited.get()).to.deep.equal({ kind: 'exited', code: 3 });
      expect(world.machine('node').files.peek('/out')).to.equal('done');
      expect(runtime.children.signalGroup(child.pid, 'SIGTERM')).to.equal(false);
      const stubborn = await value(runtime.children.spawn(command('stubborn')));
      expect(runtime.children.signalGroup(stubborn.pid, 'SIGTERM')).to.equal(true);
      await world.settle();
      expect(stubborn.exited.isPending).to.equal(true);
      runtime.children.signalGroup(stubborn.pid, 'SIGKILL');
      await world.settle();
      expect(stubborn.exited.get()).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
      expect(await failure(runtime.children.spawn(command('missing')))).to.have.property('message', 'ENOENT');
    });

    it('outlive the crash of their node: its disk and children are there, its timers and unfinished writes are not', async () => {
      const child = await value(runtime.children.spawn(command('work')));
      await value(runtime.files.replace('/kept', 'kept'));
      const seen: string[] = [];
      runtime.clock.timer(10, () => seen.push('timer of the dead'));
      runtime.files.replace('/lost', 'lost').onAny(() => seen.push('write of the dead'));
      child.exited.onAny(() => seen.push('child seen by the dead'));
      world.crash('node');
      runtime = await world.start('node');
      await world.advance('1mins');
      expect(seen).to.deep.equal([]);
      expect(world.machine('node').files.peek('/lost')).to.equal(undefined);
      expect(text(await value(runtime.files.read('/kept')))).to.equal('kept');
      expect(world.machine('node').files.peek('/out')).to.equal('done');
    });
  });
});
