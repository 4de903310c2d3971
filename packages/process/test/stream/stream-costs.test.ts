import { OutcomeUnknown, Process, type Runtime, WaitCycle } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Audience, counting, Gate, Numbers, over, Poke, Reading, Source, take, upTo } from './streams.ts';

const timing = { heartbeatInterval: '100ms', linkTimeout: '1s', onError: () => {} } as const;

/** A simulation of two nodes, with what `over` and `take` need. */
class Pair extends Simulation {
  frames = 0;

  constructor() {
    super({ fate: () => (this.frames++, { delay: 1 }) });
  }

  async until(condition: () => boolean, what = condition.toString()): Promise<void> {
    if (!(await this.advanceUntil(condition, '20s'))) throw new Error(`did not come about within 20 s: ${what}`);
  }

  /** Nothing is left that would wait, or say anything, ever again. */
  async isQuiet(): Promise<void> {
    await this.advance('10s');
    const before = this.frames;
    await this.advance('1hrs');
    expect(this.frames).to.equal(before);
    expect(this.clock.nextDue()).to.equal(undefined);
  }
}

/** Has another answer what it is asked. */
class Front extends Process {
  protected override initialize(): void {
    this.delegate(Numbers, this.runtime.pid('source@b'));
  }
}

describe('streams, when they are over,', () => {
  let world: Pair;
  let a: Runtime;
  let b: Runtime;
  let gate: Gate;
  let source: Source;

  beforeEach(async () => {
    world = new Pair();
    a = await world.start('a', timing);
    b = await world.start('b', timing);
    gate = new Gate();
    source = new Source('source', async function* (count, _, { signal }) {
      yield* counting(count);
      if (count === 7) throw new Error('seven');
      if (count === 3) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    b.spawn(source);
  });
  afterEach(() => world.stop());

  const endings: readonly (readonly [what: string, act: (from: Runtime) => Promise<unknown>])[] = [
    ['read to their end', (from) => over(world, from.stream(from.pid('source@b'), Numbers, 100))],
    ['failed', (from) => over(world, from.stream(from.pid('source@b'), Numbers, 7))],
    ['left', (from) => over(world, from.stream(from.pid('source@b'), Numbers, 1000), 20)],
    ['of nobody', (from) => over(world, from.stream(from.pid('nobody@b'), Numbers, 1000))],
    [
      'given up',
      async (from) => {
        const controller = new AbortController();
        const stream = from.stream(from.pid('source@b'), Numbers, 3, { signal: controller.signal });
        await take(world, stream, 3);
        controller.abort();
      },
    ],
    ['left at once', (from) => from.stream(from.pid('source@b'), Numbers, 1000).return()],
    [
      'late',
      async (from) => {
        void b.dispatch(source.self, () => gate.opened);
        await over(world, from.stream(from.pid('source@b'), Numbers, 1000, { timeout: '1s' }));
        gate.open();
      },
    ],
    [
      'passed on when nobody reads any more',
      async (from) => {
        const front = new Front('front');
        const pid = from.spawn(front);
        let held = false;
        void from.dispatch(pid, () => {
          held = true;
          return gate.opened;
        });
        await world.until(() => held);
        await from.stream(pid, Numbers, 1000).return();
        gate.open();
        await world.until(() => front.cell.depth === 0);
      },
    ],
    [
      'of a reader that ended',
      async (from) => {
        const audience = new Audience('audience');
        const pid = from.spawn(audience);
        from.dispatch(pid, 'read', from.pid('source@b'), 3);
        await world.until(() => audience.readings[0]?.items.length === 3);
        from.terminate(pid);
      },
    ],
  ];

  for (const [what, act] of endings) {
    for (const place of ['within a node', 'between nodes']) {
      it(`${what}, leave nothing behind ${place}`, async () => {
        await act(place === 'between nodes' ? a : b);
        await world.settle();
        // Where no session beats there is no timer at all.
        if (place === 'within a node') expect(world.clock.nextDue()).to.equal(undefined);
        await world.isQuiet();
        expect(source.belongings).to.equal(0);
      });
    }
  }

  it('are collected, with what they read from', async function () {
    this.timeout(30_000);
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const remains: WeakRef<object>[] = [];
    for (const from of [a, b]) {
      for (let round = 0; round < 20; round++) {
        for (const [count, limit] of [
          [5, 9],
          [100, 9],
          [7, 99],
        ] as const) {
          const stream = from.stream(from.pid('source@b'), Numbers, count);
          remains.push(new WeakRef(stream));
          await over(world, stream, limit);
        }
      }
    }
    const front = a.spawn(new Front('front'));
    let held = false;
    void a.dispatch(front, () => {
      held = true;
      return gate.opened;
    });
    await world.until(() => held);
    for (let round = 0; round < 20; round++) {
      const stream = a.stream(front, Numbers, 100);
      remains.push(new WeakRef(stream));
      await stream.return();
    }
    gate.open();
    await world.isQuiet();
    // A reference that was just made, or looked at, holds until the next macrotask.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    const left = remains.filter((each) => each.deref() !== undefined).length;
    // The ends of what was sent last are remembered until something else is sent.
    expect(left).to.be.at.most(6);
  });
});

describe('a stream in virtual time', () => {
  it('outlasts a partition shorter than the link timeout', async () => {
    await using world = new Pair();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    b.spawn(new Source('source', (count) => counting(count)));
    const stream = a.stream(a.pid('source@b'), Numbers, 1000);
    expect(await take(world, stream, 5)).to.deep.equal(upTo(5));
    world.network.partition('a', 'b');
    const reading = new Reading(stream);
    await world.advance('600ms');
    expect(reading.over).to.equal(false);
    world.network.heal('a', 'b');
    await world.until(() => reading.over);
    expect([reading.items, reading.outcome]).to.deep.equal([upTo(1000).slice(5), 'ended']);
  });

  it('that is passed on to a node that begins late breaks when that node is lost', async () => {
    await using world = new Pair();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const source = new Source('source', async function* () {
      yield 1;
      await new Promise(() => undefined);
    });
    b.spawn(source);
    const front = new Front('front');
    const gate = new Gate();
    void b.dispatch(source.self, () => gate.opened);
    const reading = new Reading(a.stream(a.spawn(front), Numbers, 0, { window: 16 }));
    // By now node a has no reason any more to look whether b lives.
    await world.advance('3s');
    gate.open();
    await world.until(() => reading.items.length === 1);
    await world.advance('3s');
    // Silent, unlike a crash, of which the network tells whoever asks.
    world.network.partition('a', 'b');
    await world.until(() => reading.over);
    expect(reading.outcome).to.be.instanceOf(OutcomeUnknown);
    world.network.heal('a', 'b');
  });

  it('is not cut off by the timeout once it has begun, however long an item takes', async () => {
    await using world = new Pair();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const gate = new Gate<number>();
    b.spawn(
      new Source('source', async function* () {
        yield await gate.opened;
      }),
    );
    const reading = new Reading(a.stream(a.pid('source@b'), Numbers, 0, { timeout: '1s' }));
    await world.advance('10mins');
    expect(reading.over).to.equal(false);
    gate.open(1);
    await world.until(() => reading.over);
    expect([reading.items, reading.outcome]).to.deep.equal([[1], 'ended']);
  });

  it('keeps no process from its turn, however wide its window', async () => {
    await using world = new Pair();
    const a = await world.start('a', timing);
    let produced = 0;
    let atPoke = 0;
    const source = new (class extends Source {
      protected override initialize(): void {
        super.initialize();
        this.install(Poke, () => void (atPoke = produced));
      }
    })('source', function* () {
      for (;;) yield ++produced;
    });
    a.spawn(source);
    const stream = a.stream(source.self, Numbers, 0, { window: 65_536 });
    a.send(source.self, Poke, 1);
    await world.settle();
    expect(produced).to.equal(65_536);
    expect(atPoke).to.be.within(16, 200);
    await stream.return();
  });

  it('of a process that waits for it fails with WaitCycle', async () => {
    await using world = new Pair();
    const a = await world.start('a', timing);
    const outcomes: unknown[] = [];
    const source = new (class extends Source {
      protected override initialize(): void {
        super.initialize();
        this.install(Poke, async () => {
          outcomes.push((await over(world, this.stream(this.self, Numbers, 3))).outcome);
        });
      }
    })('source', (count) => counting(count));
    a.spawn(source);
    a.send(source.self, Poke, 1);
    await world.until(() => outcomes.length === 1);
    expect(outcomes[0]).to.be.instanceOf(WaitCycle);
    expect(source.cell.ended).to.equal(false);
  });

  it('brings 100,000 items within a node', async () => {
    await using world = new Pair();
    const a = await world.start('a', timing);
    const source = a.spawn(new Source('source', (count) => counting(count)));
    let sum = 0;
    let expected = 0;
    let ended = false;
    const read = async (): Promise<void> => {
      for await (const n of a.stream(source, Numbers, 100_000)) {
        if (n === expected) expected++;
        sum += n;
      }
      ended = true;
    };
    const reading = read();
    await world.until(() => ended);
    await reading;
    expect([expected, sum]).to.deep.equal([100_000, (100_000 * 99_999) / 2]);
  });

  it('ends before its process counts as ended, and comes behind what its process sent before', async () => {
    await using world = new Pair();
    const a = await world.start('a', timing);
    const b = await world.start('b', timing);
    const order: string[] = [];
    const source = new (class extends Source {
      protected override initialize(): void {
        super.initialize();
        this.install(Poke, (n, from) => void this.send(from, Poke, n));
      }
    })('source', (count) => counting(count));
    b.spawn(source);
    const audience = new (class extends Audience {
      protected override initialize(): void {
        super.initialize();
        this.link(this.runtime.pid('source@b'));
      }
      protected override exited(): void {
        order.push('exited');
      }
    })('audience');
    const pid = a.spawn(audience);
    await world.advance('1s');
    a.dispatch(pid, 'read', a.pid('source@b'), 1000);
    await world.advance('100ms');
    const stream = a.stream(a.pid('source@b'), Numbers, 1000);
    await take(world, stream, 1);
    b.terminate(source.self);
    const failed = new Reading(stream);
    await world.until(() => failed.over);
    order.unshift(String(failed.outcome));
    await world.until(() => order.length === 2);
    expect(order[0]).to.match(/ProcessGone/);
    expect(audience.readings[0]?.outcome).to.equal('ended');
  });
});
