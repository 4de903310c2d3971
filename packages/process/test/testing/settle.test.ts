import {
  dispatch,
  ManualClock,
  Network,
  nodePlatform,
  Process,
  ProcessError,
  Runtime,
  type Transport,
} from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { settle, Simulation, VirtualClock } from '@mezzo/process/testing';
import { expect } from 'chai';
import { withNatsServer } from '../../../../test/support/nats-server.ts';
import { Add } from '../transport/processes.ts';

/** Passes the ball on, each time after a timer of no delay, until it is at 0. */
class Player extends Process {
  readonly seen: number[] = [];

  protected override initialize(): void {
    this.install(Add, ({ n }, from) => {
      this.seen.push(n);
      if (n > 0) this.delay(0, () => this.send(from, Add, { n: n - 1 }));
    });
  }
}

/** Serves the ball. */
class Server extends Player {
  readonly #other: string;

  constructor(other: string) {
    super('server');
    this.#other = other;
  }

  serve(n: number): void {
    this.send(this.runtime.pid(this.#other), Add, { n });
  }
}

async function refusal(...runtimes: Runtime[]): Promise<string> {
  try {
    await settle(...runtimes);
  } catch (error) {
    if (error instanceof ProcessError && error.code === 'SETTLE_IMPOSSIBLE') return error.message;
    throw error;
  }
  throw new Error('Expected SETTLE_IMPOSSIBLE');
}

describe('settle', () => {
  const runtimes = new Set<Runtime>();
  let clock: ManualClock;

  beforeEach(() => {
    clock = new ManualClock();
    clock.pause();
  });

  afterEach(async () => {
    clock.resume();
    for (const runtime of runtimes) await runtime.stop();
    runtimes.clear();
  });

  async function start(name: string, transport?: Transport): Promise<Runtime> {
    const platform = { ...nodePlatform(), clock };
    const starting = Runtime.start({ name, platform, ...(transport && { transport }) });
    // What a transport does while it starts may wait for timers.
    clock.resume();
    const runtime = await starting;
    clock.pause();
    runtimes.add(runtime);
    return runtime;
  }

  it('LP-CLOCK-03 waits for what a process sets off: a timer of no delay, a dispatch, the life of another process', async () => {
    // No timer of the real clock fires by itself: only settling runs what is due.
    clock = new ManualClock(new VirtualClock(0));
    const runtime = await start('a');
    const log: string[] = [];
    class Cascading extends Process {
      protected override initialize(): void {
        this.delay(0, () => {
          log.push('first');
          dispatch(this.self, (process) => process.second());
        });
      }

      async second(): Promise<void> {
        const other = runtime.spawn(new Player());
        runtime.terminate(other);
        log.push(`second ${await runtime.wait(other)}`);
      }
    }
    runtime.spawn(new Cascading());
    expect(log).to.deep.equal([]);
    await settle(runtime);
    expect(log).to.deep.equal(['first', 'second true']);
  });

  it('leaves alone what is due later, and handlers that wait for it', async () => {
    const runtime = await start('a');
    const player = new Player('player');
    const pid = runtime.spawn(player);
    const held = dispatch(pid, () => new Promise<void>((resolve) => void clock.timer(1000, resolve)));
    await settle(runtime);
    expect(held.isPending).to.equal(true);
    clock.advance('1secs');
    await settle(runtime);
    expect(held.isReady).to.equal(true);
  });

  it('waits for what runtimes of one network send each other', async () => {
    const network = new Network({ clock });
    const [a, b] = [await start('a', network.transport()), await start('b', network.transport())];
    const player = new Player('player');
    b.spawn(player);
    const server = new Server('player@b');
    dispatch(a.spawn(server), (process) => process.serve(10));
    await settle(a, b);
    expect([...player.seen, ...server.seen].sort((left, right) => right - left)).to.deep.equal([
      10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
    ]);
  });

  it('is refused while time runs, and to runtimes without a clock that can be paused', async () => {
    const runtime = await start('a');
    clock.resume();
    expect(await refusal(runtime)).to.include("Runtime 'a' cannot settle while its time runs");
    clock.pause();
    await settle(runtime);
    await using real = await Runtime.start({ name: 'real' });
    expect(await refusal(runtime, real)).to.include("Runtime 'real' cannot settle while its time runs");
    await using world = new Simulation();
    expect(await refusal(await world.start('simulated'))).to.include("Runtime 'simulated'");
  });

  it('says so if processes never stop sending each other messages', async function () {
    this.timeout(60_000);
    const runtime = await start('a');
    const pid = runtime.spawn(new Player('player'));
    let going = true;
    const again = (): void => {
      if (going) runtime.delay(pid, 0, again);
    };
    again();
    expect(await refusal(runtime)).to.include('do not settle');
    going = false;
  });

  describe('over NATS', () => {
    const server = withNatsServer();

    it('is refused: messages are on their way where nobody can look', async () => {
      const transport = nats({ servers: server.url, nkeySeedFile: server.credentialsFile });
      expect(await refusal(await start('a', transport))).to.include(
        "Runtime 'a' cannot settle: its messages travel outside",
      );
    });
  });
});
