import { expect } from 'chai';
import {
  dispatch,
  type ExitReason,
  type Future,
  type LocalPID,
  ManualClock,
  message,
  Network,
  nodePlatform,
  type PID,
  Process,
  ProcessError,
  Runtime,
  type TransportEvents,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { NetworkTransport } from '../src/network-transport.ts';
import { settle } from '../src/testing/settle.ts';
import { checked } from './transport/processes.ts';

const Note = message<string>('note');

class Linker extends Process {
  readonly log: string[] = [];
  onExited: (() => void) | undefined;
  protected override initialize(): void {
    this.install(Note, (text) => void this.log.push(text));
  }
  protected override exited(pid: PID, reason: ExitReason): void {
    this.log.push(`exited ${pid.id} ${reason.kind}`);
    this.onExited?.();
  }
  linkTo(pid: PID): void {
    this.link(pid);
  }
  reconnectTo(pid: PID): void {
    this.link(pid, { reconnect: true });
  }
  tell(to: PID, text: string): void {
    this.send(to, Note, text);
  }
}

describe('links inside a runtime', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  const spawn = (id: string): [Linker, LocalPID<Linker>] => {
    const linker = new Linker(id);
    return [linker, runtime.spawn(linker)];
  };

  const link = async (from: LocalPID<Linker>, to: PID): Promise<void> => {
    void dispatch(from, (process) => process.linkTo(to));
    await world.settle();
  };

  it('LP-LINK-01 the linker hears once of the exit, with its reason', async () => {
    const [, a] = spawn('a');
    const [linker, b] = spawn('b');
    await link(b, a);
    runtime.terminate(a);
    await world.settle();
    expect(linker.log).to.deep.equal(['exited a terminated']);
  });

  it('LP-SRC-14 hears of it behind the last messages', async () => {
    const [, a] = spawn('a');
    const [linker, b] = spawn('b');
    await link(b, a);
    void dispatch(a, (process) => {
      for (const text of ['m1', 'm2', 'm3']) process.tell(b, text);
      runtime.terminate(a);
    });
    await world.settle();
    expect(linker.log).to.deep.equal(['m1', 'm2', 'm3', 'exited a terminated']);
  });

  it('LP-SRC-22 links to one process are one, by whatever address; a link to the dead is told again', async () => {
    const [, a] = spawn('a');
    const [linker, b] = spawn('b');
    await link(b, a);
    await link(b, a);
    await link(b, runtime.pid('a'));
    runtime.terminate(a);
    await world.settle();
    expect(linker.log).to.deep.equal(['exited a terminated']);
    await link(b, a);
    expect(linker.log).to.deep.equal(['exited a terminated', 'exited a unreachable']);
  });

  it('LP-SRC-23 a link to nobody, or to the dead, is told at once, and is no link to who gets the id later', async () => {
    const [linker, b] = spawn('b');
    await link(b, runtime.pid('a'));
    expect(linker.log).to.deep.equal(['exited a unreachable']);
    const [, a] = spawn('a');
    runtime.terminate(a);
    await world.settle();
    expect(linker.log).to.have.length(1);
    const [, successor] = spawn('a');
    await link(b, a);
    expect(linker.log).to.deep.equal(['exited a unreachable', 'exited a unreachable']);
    runtime.terminate(successor);
    await world.settle();
    expect(linker.log).to.have.length(2);
  });

  it('LP-SRC-24 a link to oneself is harmless', async () => {
    const [linker, a] = spawn('a');
    await link(a, a);
    expect(runtime.processes).to.deep.equal(['a']);
    runtime.terminate(a);
    await world.settle();
    expect([linker.log, runtime.processes]).to.deep.equal([[], []]);
  });

  it('LP-SRC-25 a linker that ended first is not told, nor is its successor, and the link table is empty', async () => {
    const [, a] = spawn('a');
    const [linker, b] = spawn('b');
    await link(b, a);
    expect(runtime.cell('a')?.linkers?.size).to.equal(1);
    runtime.terminate(b);
    await world.settle();
    expect(runtime.cell('a')?.linkers?.size).to.equal(0);
    const [successor] = spawn('b');
    runtime.terminate(a);
    await world.settle();
    expect([linker.log, successor.log]).to.deep.equal([[], []]);
  });

  it('LP-SRC-05 inside exited the id of the dead can be spawned again', async () => {
    const [, a] = spawn('a');
    const [linker, b] = spawn('b');
    linker.onExited = () => void spawn('a');
    await link(b, a);
    runtime.terminate(a);
    await world.settle();
    expect(runtime.processes).to.deep.equal(['b', 'a']);
  });
});

/** Starts, and may fail for good later, as one does whose credentials are refused when it reconnects. */
class Failing extends NetworkTransport {
  #events: TransportEvents | undefined;
  override start(node: string, incarnation: number, events: TransportEvents): Future<void> {
    this.#events = events;
    return super.start(node, incarnation, events);
  }
  fail(error: Error): void {
    this.#events?.failed(error);
  }
}

describe('links to nodes that no transport reaches', () => {
  /** What the linker hears in the two turns after it linked. */
  async function heardOf(runtime: Runtime): Promise<readonly string[]> {
    const linker = new Linker('linker');
    const pid = runtime.spawn(linker);
    await dispatch(pid, (one) => one.linkTo(runtime.pid('x@elsewhere')));
    await dispatch(pid, () => undefined);
    return linker.log;
  }

  it('exit at once as unreachable, where there is no transport', async () => {
    await using runtime = await Runtime.start({ name: 'alone' });
    expect(await heardOf(runtime)).to.deep.equal(['exited x unreachable']);
  });

  it('LP-LINK-07 exit at once as unreachable, once, where the transport has failed for good', async () => {
    const clock = new ManualClock();
    clock.pause();
    const transport = new Failing(new Network({ clock }));
    await using runtime = await Runtime.start({
      name: 'cut-off',
      platform: { ...nodePlatform(), clock },
      transport,
      linkTimeout: '50ms',
      onError: () => {},
    });
    transport.fail(new ProcessError('TRANSPORT_UNAVAILABLE', 'refused'));
    const heard = await heardOf(runtime);
    expect(heard).to.deep.equal(['exited x unreachable']);
    // In steps: what a timer arms counts from there.
    for (let step = 0; step < 20; step++) {
      clock.advance('1s');
      await settle(runtime);
    }
    clock.resume();
    expect(heard).to.have.length(1);
  });
});

/** Ends at its first message. */
class Mayfly extends Linker {
  protected override initialize(): void {
    this.install(Wire, () => this.terminate());
  }
}

const Wire = message(
  'wire',
  checked((value): value is string => typeof value === 'string'),
);

describe('links over a connection that broke without a word', () => {
  it('LP-LINK-09 are healed by reconnecting: the next message arrives, and only the end of the peer is told', async () => {
    await using world = new Simulation({ latency: [1, 5] });
    const a = await world.start('a', { linkTimeout: '5s' });
    const b = await world.start('b');
    b.spawn(new Mayfly('peer'));
    const linker = new Linker('linker');
    const pid = a.spawn(linker);
    const peer = a.pid('peer@b');
    await dispatch(pid, (one) => one.linkTo(peer));
    await world.advance('1s');
    world.network.partition('a', 'b');
    await world.advance('2s');
    await dispatch(pid, (one) => one.reconnectTo(peer));
    a.send(peer, Wire, 'hello');
    world.network.heal('a', 'b');
    await world.advance('4s');
    expect(linker.log).to.deep.equal(['exited peer terminated']);
  });
});
