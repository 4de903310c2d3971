import { type Future, type Network, type Runtime, type Transport } from '@mezzo/process';
import { Simulation, SeededRandom } from '@mezzo/process/testing';
import { expect } from 'chai';

import { decode, encode, type End, type Frame, protocolVersion } from '../../src/node/frame.ts';
import { Add, Adder, First, Listener, Stuck, Sum } from '../transport/processes.ts';
import { deadLetters, deaf } from '../transport/worlds.ts';

const timing = { heartbeatInterval: '100ms', linkTimeout: '1s', onError: () => {} } as const;

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `first ${n}`);
}

describe('a session', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    it(`delivers once and in order over a network that loses a fifth of the frames (seed ${seed})`, async () => {
      const chance = new SeededRandom(`losses ${seed}`);
      await using world = new Simulation({
        seed,
        fate: () => (chance.next() < 0.2 ? 'lost' : { delay: chance.next() * 5 }),
      });
      const a = await world.start('a', { ...timing, linkTimeout: '30s' });
      const b = await world.start('b', { ...timing, linkTimeout: '30s' });
      const listener = new Listener('listener', b.pid('adder@a'));
      b.spawn(listener);
      const adder = a.spawn(new Adder('adder'));
      const asked: Future<{ readonly n: number }>[] = [];
      for (let n = 0; n < 300; n++) {
        a.send(a.pid('listener@b'), First, { n });
        asked.push(b.ask(b.pid('adder@a'), Add, { n }, { reply: Sum, timeout: '10mins' }));
        if (n % 10 === 0) await world.advance('7ms');
      }
      expect(
        await world.advanceUntil(() => listener.heard.length === 300 && asked.every((sum) => sum.isReady), '5mins'),
      ).to.equal(true);
      expect(listener.heard).to.deep.equal(numbered(300));
      expect(asked.map((sum) => sum.get().n)).to.deep.equal(asked.map((_, n) => n + 1));
      expect(a.metrics.wireResent).to.be.greaterThan(0);
      a.terminate(adder);
      expect(await world.advanceUntil(() => listener.heard.length > 300, '5mins')).to.equal(true);
      expect(listener.heard.at(-1)).to.equal('exited adder@a terminated');
    });
  }

  for (const sends of [false, true]) {
    const how = sends ? 'and something is sent' : 'and nothing is sent';
    it(`LP-LINK-08 under a silent partition, ${how}, is lost after the link timeout and not before, and begins anew when it heals`, async () => {
      await using world = new Simulation({ latency: [1, 3] });
      const a = await world.start('a', timing);
      const b = await world.start('b', timing);
      b.spawn(new Adder('adder'));
      const listener = new Listener('listener', a.pid('adder@b'));
      a.spawn(listener);
      const letters = deadLetters(a);
      await world.advance('500ms');
      world.network.partition('a', 'b');
      if (sends) a.send(a.pid('adder@b'), Add, { n: 0 });
      await world.advance('800ms');
      expect(listener.heard).to.deep.equal([]);
      await world.advance('1s');
      expect(listener.heard).to.deep.equal(['exited adder@b lost']);
      expect(letters).to.deep.equal(sends ? ['session add adder@b'] : []);
      world.network.heal('a', 'b');
      const sum = a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum });
      await world.advance('1s');
      expect(sum.get()).to.deep.equal({ n: 2 });
      expect(listener.heard).to.deep.equal(['exited adder@b lost']);
    });
  }

  it('outlasts a partition shorter than the link timeout', async () => {
    await using world = new Simulation({ latency: [1, 3] });
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const listener = new Listener('listener', b.pid('adder@a'));
    b.spawn(listener);
    a.spawn(new Adder('adder'));
    await world.advance('500ms');
    world.network.partition('a', 'b');
    for (let n = 0; n < 5; n++) a.send(a.pid('listener@b'), First, { n });
    await world.advance('600ms');
    expect(listener.heard).to.deep.equal([]);
    world.network.heal('a', 'b');
    await world.advance('500ms');
    expect(listener.heard).to.deep.equal(numbered(5));
  });

  it('counts no silence while the own connection is away, nor right after it came back', async () => {
    await using world = new Simulation();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    b.spawn(new Adder('adder'));
    const listener = new Listener('listener', a.pid('adder@b'));
    a.spawn(listener);
    await world.advance('500ms');
    world.network.disconnect('a');
    await world.advance('1hrs');
    expect(listener.heard).to.deep.equal([]);
    world.network.reconnect('a');
    await world.advance('10s');
    expect(listener.heard).to.deep.equal([]);
    world.crash('b');
    await world.advance('10s');
    expect(listener.heard).to.deep.equal(['exited adder@b lost']);
  });

  it('is suspected, not lost, while nobody answers under the name: a peer that reconnects in time is the same', async () => {
    await using world = new Simulation();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const heard = new Listener('heard');
    b.spawn(heard);
    const listener = new Listener('listener', a.pid('heard@b'));
    a.spawn(listener);
    await world.advance('500ms');
    world.network.disconnect('b');
    for (let n = 0; n < 5; n++) a.send(a.pid('heard@b'), First, { n });
    await world.advance('700ms');
    world.network.reconnect('b');
    await world.advance('10s');
    expect(listener.heard).to.deep.equal([]);
    expect(heard.heard).to.deep.equal(numbered(5));
  });

  it('says nothing while nothing depends on the peer', async () => {
    let frames = 0;
    await using world = new Simulation({ fate: () => (frames++, { delay: 1 }) });
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    b.spawn(new Adder('adder'));
    const sum = a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum });
    await world.advance('10s');
    expect(sum.isReady).to.equal(true);
    const before = frames;
    await world.advance('1hrs');
    expect(frames).to.equal(before);
  });

  it('costs one frame each way per interval while a link holds it', async () => {
    let frames = 0;
    await using world = new Simulation({ fate: () => (frames++, { delay: 1 }) });
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    b.spawn(new Adder('adder'));
    a.spawn(new Listener('listener', a.pid('adder@b')));
    await world.advance('1s');
    const before = frames;
    await world.advance('10s');
    expect(frames - before).to.be.within(190, 210);
  });

  it('breaks when its window is gone: what was not acknowledged are dead letters, messages of later sessions arrive', async () => {
    await using world = new Simulation();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    b.spawn(new Adder('adder'));
    const sum = a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum });
    await world.advance('1s');
    expect(sum.isReady).to.equal(true);
    const letters = deadLetters(a);
    world.network.partition('a', 'b');
    a.send(a.pid('adder@b'), Add, { n: 1 });
    a.send(a.pid('adder@b'), Add, { n: 2 });
    const stuck = a.ask(a.pid('adder@b'), Stuck, { n: 3 }, { reply: Sum, timeout: '1hrs' });
    await world.advance('5s');
    expect(letters).to.deep.equal(['session add adder@b', 'session add adder@b', 'session stuck adder@b']);
    expect(stuck.isFailed).to.equal(true);
  });

  it('ends the sessions of a node that stops at its peers, and goes on with its next incarnation', async () => {
    await using world = new Simulation();
    const a = await world.start('a', timing);
    const letters = deadLetters(a);
    for (let round = 0; round < 3; round++) {
      const b = await world.start('b', timing);
      b.spawn(new Adder('adder'));
      const sum = a.ask(a.pid('adder@b'), Add, { n: round }, { reply: Sum });
      await world.advance('100ms');
      expect(sum.get()).to.deep.equal({ n: round + 1 });
      const stopped = b.stop();
      await world.advance('100ms');
      expect(stopped.isReady).to.equal(true);
    }
    expect(letters).to.deep.equal([]);
  });
});

/** A node that says by hand what sessions say. */
class Hand {
  readonly frames: Frame[] = [];
  readonly #transport: Transport;
  readonly local: End;

  constructor(network: Network, local: End) {
    this.#transport = network.transport();
    this.local = local;
    this.#transport.start('hand', local.incarnation, {
      ...deaf,
      frame: (_peer, bytes) => {
        const frame = decode(bytes);
        if (frame !== undefined) this.frames.push(frame);
      },
    });
  }

  say(frame: Frame): void {
    this.#transport.publish('a', encode(frame));
  }

  hello(from: End, to: End): void {
    this.say({ kind: 'hello', version: protocolVersion, from, to, sent: 0, received: 0 });
  }

  kinds(): string[] {
    return this.frames.splice(0).map(({ kind }) => kind);
  }
}

describe('messages to a process that is not initialized yet', () => {
  class Slow extends Listener {
    protected override async initialize(): Promise<void> {
      await new Promise<void>((resolve) => this.runtime.clock.timer(100, resolve));
      super.initialize();
      this.install(Add, ({ n }) => void this.reply(Sum, { n: n + 1 }));
    }
  }

  it('wait for it, in order', async () => {
    await using world = new Simulation();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const slow = new Slow('slow');
    b.spawn(slow);
    for (let n = 0; n < 3; n++) a.send(a.pid('slow@b'), First, { n });
    const sum = a.ask(a.pid('slow@b'), Add, { n: 1 }, { reply: Sum });
    await world.advance('90ms');
    expect(slow.heard).to.deep.equal([]);
    await world.advance('50ms');
    expect(slow.heard).to.deep.equal(numbered(3));
    expect(sum.get()).to.deep.equal({ n: 2 });
  });

  it('are checked all the same', async () => {
    await using world = new Simulation();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const slow = new Slow('slow');
    b.spawn(slow);
    a.send(a.pid('slow@b'), First, { n: 'one' } as unknown as { n: number });
    a.send(a.pid('slow@b'), Stuck, { n: 1 });
    await world.advance('1s');
    expect(slow.heard).to.deep.equal([]);
    expect(b.metrics.wireRejected).to.equal(2);
  });

  it('fail the asks among them when it ends before', async () => {
    await using world = new Simulation();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const slow = b.spawn(new Slow('slow'));
    const sum = a.ask(a.pid('slow@b'), Add, { n: 1 }, { reply: Sum, timeout: '1hrs' });
    await world.advance('50ms');
    b.terminate(slow);
    await world.advance('100ms');
    expect(sum.isFailed).to.equal(true);
  });
});

describe('the greeting of sessions', () => {
  const unknown: End = { incarnation: 0, epoch: 0 };
  let world: Simulation;
  let a: Runtime;
  let hand: Hand;

  beforeEach(async () => {
    world = new Simulation();
    a = await world.start('a', timing);
    a.spawn(new Adder('adder'));
    hand = new Hand(world.network, { incarnation: 50, epoch: 2 });
  });
  afterEach(() => world.stop());

  const ours = (): End => {
    const greeting = hand.frames.findLast(({ kind }) => kind === 'hello');
    if (greeting === undefined) throw new Error('no greeting came');
    return greeting.from;
  };
  const batch = (from: End, to: End, sequence: number): void =>
    hand.say({
      kind: 'batch',
      from,
      to,
      sequence,
      received: 0,
      envelopes: [[0, 'adder', 0, 0, '?', sequence, 'add', [{ n: sequence }]]],
    });

  it('opens nothing on a greeting that does not name this very session', async () => {
    hand.hello(hand.local, unknown);
    await world.settle();
    const first = ours();
    // What the peer said to an earlier incarnation of ours is still under way.
    hand.hello({ incarnation: 50, epoch: 1 }, { incarnation: first.incarnation - 1, epoch: 1 });
    hand.hello(hand.local, first);
    batch(hand.local, first, 1);
    await world.advance('50ms');
    expect(hand.kinds()).to.include('batch');
    expect(a.metrics.wireRejected).to.equal(0);
  });

  it('is answered once for many frames of a session that is no more', async () => {
    for (let sequence = 1; sequence <= 100; sequence++) batch(hand.local, { incarnation: 3, epoch: 3 }, sequence);
    await world.settle();
    expect(hand.kinds()).to.deep.equal(['hello']);
  });

  it('by an earlier incarnation is not believed while the session lives, and is once it fell silent', async () => {
    hand.hello(hand.local, unknown);
    await world.settle();
    hand.hello(hand.local, ours());
    await world.settle();
    const before = ours();
    // The node was started again on a machine whose clock is behind.
    const restarted: End = { incarnation: 40, epoch: 1 };
    hand.hello(restarted, unknown);
    await world.settle();
    expect(ours()).to.deep.equal(before);
    await world.advance('2s');
    hand.frames.length = 0;
    hand.hello(restarted, unknown);
    await world.settle();
    hand.hello(restarted, ours());
    batch(restarted, ours(), 1);
    await world.advance('50ms');
    expect(hand.kinds()).to.include('batch');
  });

  it('acknowledges batches that come twice without taking them twice', async () => {
    hand.hello(hand.local, unknown);
    await world.settle();
    const to = ours();
    hand.hello(hand.local, to);
    for (let copy = 0; copy < 3; copy++) batch(hand.local, to, 1);
    await world.advance('50ms');
    const answers = hand.frames.filter((frame) => frame.kind === 'batch');
    expect(answers).to.have.length(1);
    expect(answers[0]).to.have.property('received', 1);
  });

  it('asks once for what is missing, however many later batches show the gap', async () => {
    hand.hello(hand.local, unknown);
    await world.settle();
    const to = ours();
    hand.hello(hand.local, to);
    batch(hand.local, to, 1);
    await world.advance('50ms');
    hand.frames.length = 0;
    for (let sequence = 3; sequence < 50; sequence++) batch(hand.local, to, sequence);
    await world.advance('50ms');
    const reports = hand.frames.filter((frame) => frame.kind === 'heartbeat' && frame.missed);
    expect(reports).to.have.length(1);
    expect(reports[0]).to.have.property('received', 1);
  });
});
