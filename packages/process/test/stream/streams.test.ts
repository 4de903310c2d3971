import {
  AskTimeout,
  FutureDiscarded,
  OutcomeUnknown,
  Process,
  ProcessError,
  ProcessGone,
  type Runtime,
  StreamFailed,
} from '@mezzo/process';
import { expect } from 'chai';

import { deadLetters, inEveryWorld, type World } from '../transport/worlds.ts';
import {
  Audience,
  counting,
  Gate,
  Numbers,
  over,
  Poke,
  Reading,
  Source,
  take,
  Texts,
  Unwanted,
  upTo,
} from './streams.ts';

describe('a stream', () => {
  inEveryWorld((world) => {
    describe('within a node', () => common(world, 'a'));
    describe('between nodes', () => {
      common(world, 'b');
      between(world);
    });
  });
});

/** What holds wherever the producer is. */
function common(world: World, home: 'a' | 'b'): void {
  let a: Runtime;
  let runtime: Runtime;
  const address = `source@${home}`;

  beforeEach(async () => {
    a = await world.start('a');
    runtime = home === 'a' ? a : await world.start('b');
  });

  function spawn(
    numbers: ConstructorParameters<typeof Source>[1],
    texts?: ConstructorParameters<typeof Source>[2],
  ): Source {
    const source = new Source('source', numbers, texts);
    runtime.spawn(source);
    return source;
  }

  it('brings every item in order, then ends', async () => {
    spawn((count) => counting(count));
    const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, 1000));
    expect(items).to.deep.equal(upTo(1000));
    expect(outcome).to.equal('ended');
  });

  it('may be empty', async () => {
    spawn(() => []);
    const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, 0));
    expect([items, outcome]).to.deep.equal([[], 'ended']);
  });

  for (const count of [1, 15, 16, 17, 63, 64, 65]) {
    it(`of ${count} items ends, whatever the window`, async () => {
      spawn((n) => counting(n));
      for (const window of [16, 31, 64]) {
        const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, count, { window }));
        expect([items, outcome]).to.deep.equal([upTo(count), 'ended']);
      }
    });
  }

  it('is fed by async generators, arrays and iterators without a return', async () => {
    const sources = [
      async function* (count: number): AsyncGenerator<number> {
        for (let n = 0; n < count; n++) {
          if (n % 3 === 0) await Promise.resolve();
          yield n;
        }
      },
      (count: number) => upTo(count),
      (count: number) => ({
        [Symbol.asyncIterator]: () => {
          let n = 0;
          return {
            next: () => Promise.resolve(n < count ? { value: n++ } : { done: true as const, value: undefined }),
          };
        },
      }),
    ];
    for (const [index, numbers] of sources.entries()) {
      const source = runtime.spawn(new Source(`source${index}`, numbers));
      const { items, outcome } = await over(world, a.stream(a.pid(`${source.id}@${home}`), Numbers, 100));
      expect([items, outcome]).to.deep.equal([upTo(100), 'ended']);
      expect((await over(world, a.stream(a.pid(`${source.id}@${home}`), Numbers, 100), 3)).items).to.deep.equal([
        0, 1, 2,
      ]);
    }
  });

  for (const window of [16, 64, 100, 1000]) {
    it(`of window ${window} has its producer never further ahead, and go on when it is read`, async () => {
      let produced = 0;
      let read = 0;
      let furthest = 0;
      spawn(function* (count) {
        for (; produced < count;) {
          furthest = Math.max(furthest, ++produced - read);
          yield produced;
        }
      });
      const stream = a.stream(a.pid(address), Numbers, 5000, { window });
      await world.until(() => produced === window, 'the producer has filled the window');
      await world.calm();
      expect(produced).to.equal(window);
      for (; read < 5000;) {
        // What is asked for counts as read: the reader holds no more than its window besides.
        read++;
        expect(await take(world, stream, 1)).to.deep.equal([read]);
      }
      expect(furthest).to.equal(window);
      expect(await take(world, stream, 1)).to.deep.equal([]);
    });
  }

  it('that is left early stops the generator: its finally runs and the signal aborts', async () => {
    const seen: string[] = [];
    const source = spawn(function* (_, __, { signal }) {
      signal.addEventListener('abort', () => seen.push('aborted'));
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        seen.push(`finally ${signal.aborted}`);
      }
    });
    const { items } = await over(world, a.stream(a.pid(address), Numbers, 0), 100);
    expect(items).to.deep.equal(upTo(100));
    await world.until(() => seen.length === 2);
    expect(seen).to.deep.equal(['aborted', 'finally true']);
    expect(source.belongings).to.equal(0);
  });

  it('that is left while an async generator waits has it go on by the signal', async () => {
    const seen: string[] = [];
    spawn(async function* (_, __, { signal }) {
      try {
        yield 1;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield 2;
      } finally {
        seen.push('finally');
      }
    });
    const stream = a.stream(a.pid(address), Numbers, 0);
    expect(await take(world, stream, 1)).to.deep.equal([1]);
    await stream.return();
    await world.until(() => seen.length === 1);
  });

  it('that is disposed of, or left twice, is over', async () => {
    spawn((count) => counting(count));
    const stream = a.stream(a.pid(address), Numbers, 1000);
    expect(await take(world, stream, 2)).to.deep.equal([0, 1]);
    await stream[Symbol.asyncDispose]();
    await stream.return();
    expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
  });

  it('whose producer throws fails after the items before, once, and the process lives', async () => {
    const source = spawn(function* () {
      yield 1;
      yield 2;
      throw new Error('no more paper');
    });
    const stream = a.stream(a.pid(address), Numbers, 0);
    const { items, outcome } = await over(world, stream);
    expect(items).to.deep.equal([1, 2]);
    expect(outcome).to.be.instanceOf(StreamFailed).with.property('code', 'STREAM_FAILED');
    expect(outcome)
      .to.have.property('message')
      .that.matches(/numbers.*source@.*no more paper/);
    expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
    expect(source.cell.ended).to.equal(false);
    expect(source.belongings).to.equal(0);
  });

  it('whose producer throws before the first item, or gives nothing to iterate over, fails', async () => {
    const broken = [
      () => {
        throw new Error('broken');
      },
      // A generator's body begins with its first item.
      // oxlint-disable-next-line require-yield
      function* () {
        throw new Error('broken');
      },
      // oxlint-disable-next-line require-yield
      async function* () {
        await Promise.resolve();
        throw new Error('broken');
      },
      () => 7 as unknown as number[],
    ];
    for (const [index, numbers] of broken.entries()) {
      const pid = runtime.spawn(new Source(`source${index}`, numbers));
      const { items, outcome } = await over(world, a.stream(a.pid(`${pid.id}@${home}`), Numbers, 0));
      expect(items).to.deep.equal([]);
      expect(outcome).to.be.instanceOf(StreamFailed);
      expect(runtime.processes).to.include(pid.id);
    }
  });

  for (const end of ['ends', 'crashes'] as const) {
    it(`whose process ${end} in the midst fails with ProcessGone after the items before; its generator is closed`, async () => {
      const seen: string[] = [];
      const source = spawn(async function* (_, __, { signal }) {
        try {
          yield* [1, 2, 3];
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          seen.push('aborted');
        } finally {
          seen.push('finally');
        }
      });
      const reading = new Reading(a.stream(a.pid(address), Numbers, 0));
      await world.until(() => reading.items.length === 3);
      if (end === 'ends') runtime.terminate(source.self);
      else runtime.dispatch(source.self, 'crash').onFailed(() => undefined);
      await world.until(() => reading.over);
      expect(reading.items).to.deep.equal([1, 2, 3]);
      expect(reading.outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_ENDED');
      if (end === 'crashes')
        expect(reading.outcome)
          .to.have.property('message')
          .that.matches(/out of order/);
      await world.until(() => seen.length === 2);
    });
  }

  it('of a process that ends before it began fails with ProcessGone', async () => {
    const source = spawn((count) => counting(count));
    await world.calm();
    const gate = new Gate();
    void runtime.dispatch(source.self, () => gate.opened);
    const reading = new Reading(a.stream(a.pid(address), Numbers, 9, { timeout: '20s' }));
    await world.until(() => source.cell.depth === 1);
    runtime.terminate(source.self);
    await world.until(() => reading.over);
    expect(reading.outcome).to.be.instanceOf(ProcessGone);
  });

  it('of a process that is not there fails with ProcessGone at once', async () => {
    const { outcome } = await over(world, a.stream(a.pid(`nobody@${home}`), Numbers, 0, { timeout: '1hrs' }));
    expect(outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_NOT_FOUND');
  });

  it('of a process that does not begin fails with AskTimeout; when it begins it is stopped', async () => {
    let produced = 0;
    let closed = 0;
    const source = spawn(function* () {
      try {
        for (; ; produced++) yield produced;
      } finally {
        closed++;
      }
    });
    await world.calm();
    const gate = new Gate();
    void runtime.dispatch(source.self, () => gate.opened);
    const { outcome } = await over(world, a.stream(a.pid(address), Numbers, 0, { timeout: '50ms' }));
    expect(outcome).to.be.instanceOf(AskTimeout);
    expect(produced).to.equal(0);
    gate.open();
    await world.until(() => source.cell.depth === 0 && source.belongings === 0);
    await world.calm();
    expect(produced).to.be.at.most(16);
    // One that never began has nothing to close.
    expect(closed).to.equal(produced === 0 ? 0 : 1);
    expect(source.belongings).to.equal(0);
  });

  it('that is left before its producer is known has it stopped when it begins', async () => {
    let produced = 0;
    const source = spawn(function* () {
      for (; ; produced++) yield produced;
    });
    await world.calm();
    const gate = new Gate();
    void runtime.dispatch(source.self, () => gate.opened);
    const stream = a.stream(a.pid(address), Numbers, 0);
    await world.until(() => source.cell.depth === 1);
    await stream.return();
    expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
    gate.open();
    await world.until(() => source.cell.depth === 0 && source.belongings === 0);
    await world.calm();
    expect(produced).to.be.at.most(16);
    expect(source.belongings).to.equal(0);
  });

  it('asked of a process that answers otherwise fails with UNEXPECTED_REPLY', async () => {
    class Answering extends Process {
      protected override initialize(): void {
        this.install(Numbers, (n) => void this.reply(Unwanted, n));
      }
    }
    runtime.spawn(new Answering('source'));
    const { outcome } = await over(world, a.stream(a.pid(address), Numbers, 7));
    expect(outcome).to.be.instanceOf(ProcessError).with.property('code', 'UNEXPECTED_REPLY');
    expect(outcome)
      .to.have.property('message')
      .that.matches(/'numbers' of source@.*'unwanted'.*'numbers.item'/);
  });

  it('ends with the process that reads it: who waits for an item is told, and the producer stops', async () => {
    const source = spawn(async function* (_, __, { signal }) {
      yield 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const audience = new Audience('audience');
    const pid = a.spawn(audience);
    a.dispatch(pid, 'read', a.pid(address), 0);
    await world.until(() => audience.readings[0]?.items.length === 1);
    expect(audience.belongings).to.equal(1);
    a.terminate(pid);
    await world.until(() => audience.readings[0]?.over === true && source.belongings === 0);
    // Not 'ended': that would say that it had every item.
    expect(audience.readings[0]?.outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_ENDED');
  });

  it('of a process that has ended already fails at once, and nobody is asked', async () => {
    let asked = 0;
    spawn((count) => {
      asked++;
      return counting(count);
    });
    const audience = new Audience('audience');
    a.terminate(a.spawn(audience));
    await world.until(() => audience.cell.ended);
    audience.read(a.pid(address), 10);
    await world.until(() => audience.readings[0]?.over === true);
    expect(audience.readings[0]?.outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_ENDED');
    await world.calm();
    expect(asked).to.equal(0);
  });

  it('is given up by a signal: before it begins, and in the midst', async () => {
    const seen: string[] = [];
    const source = spawn(function* () {
      try {
        seen.push('begun');
        for (let n = 0; ; n++) yield n;
      } finally {
        seen.push('finally');
      }
    });
    const reason = new Error('enough');
    const before = await over(world, a.stream(a.pid(address), Numbers, 0, { signal: AbortSignal.abort(reason) }));
    expect(before.outcome).to.be.instanceOf(FutureDiscarded).with.property('cause', reason);
    const controller = new AbortController();
    const stream = a.stream(a.pid(address), Numbers, 0, { signal: controller.signal });
    expect(await take(world, stream, 3)).to.deep.equal([0, 1, 2]);
    controller.abort(reason);
    const after = await over(world, stream);
    // What had come and was not read is dropped.
    expect(after.items).to.deep.equal([]);
    expect(after.outcome).to.be.instanceOf(FutureDiscarded).with.property('cause', reason);
    await world.until(() => source.belongings === 0);
    expect(seen).to.deep.equal(['begun', 'finally']);
  });

  it('that has ended is not touched by its signal any more', async () => {
    spawn((count) => counting(count));
    const controller = new AbortController();
    const stream = a.stream(a.pid(address), Numbers, 5, { signal: controller.signal });
    expect(await take(world, stream, 1)).to.deep.equal([0]);
    await world.calm();
    controller.abort();
    const { items, outcome } = await over(world, stream);
    expect([items, outcome]).to.deep.equal([[1, 2, 3, 4], 'ended']);
  });

  it('interleaves with other streams of its process, whose mailbox goes on while they wait', async () => {
    const gate = new Gate();
    const source = spawn(async function* (count) {
      for (let n = 0; n < count; n++) {
        if (n === 5) await gate.opened;
        yield n;
      }
    });
    const waiting = new Reading(a.stream(a.pid(address), Numbers, 10));
    const unread = a.stream(a.pid(address), Numbers, 5);
    await world.until(() => waiting.items.length === 5);
    const quick = await over(world, a.stream(a.pid(address), Numbers, 5));
    expect(quick.outcome).to.equal('ended');
    a.send(a.pid(address), Poke, 1);
    await world.until(() => source.poked.length === 1);
    expect(waiting.over).to.equal(false);
    gate.open();
    await world.until(() => waiting.over);
    expect(waiting.items).to.deep.equal(upTo(10));
    expect(await take(world, unread, 9)).to.deep.equal(upTo(5));
    expect(source.belongings).to.equal(0);
  });

  it('lets the reading process hear messages meanwhile', async () => {
    const gate = new Gate();
    spawn(async function* () {
      yield 1;
      await gate.opened;
    });
    const audience = new Audience('audience');
    const pid = a.spawn(audience);
    a.dispatch(pid, 'read', a.pid(address), 0);
    await world.until(() => audience.readings[0]?.items.length === 1);
    a.send(pid, Poke, 1);
    await world.until(() => audience.poked.length === 1);
    gate.open();
    await world.until(() => audience.readings[0]?.outcome === 'ended');
    expect(audience.belongings).to.equal(0);
  });

  it('keeps more calls of next than there are items', async () => {
    spawn((count) => counting(count));
    const stream = a.stream(a.pid(address), Numbers, 3);
    const results: unknown[] = [];
    for (let call = 0; call < 5; call++) void stream.next().then(({ value }) => results.push(value));
    await world.until(() => results.length === 5);
    expect(results).to.deep.equal([0, 1, 2, undefined, undefined]);
  });

  it('leaves no dead letters, read or left, whatever is on its way', async () => {
    const letters = [a, runtime].map((each) => deadLetters(each));
    const source = spawn((count) => counting(count));
    for (const limit of [1, 15, 16, 17, 40, 64, 100]) {
      await over(world, a.stream(a.pid(address), Numbers, 1000), limit);
      await over(world, a.stream(a.pid(address), Numbers, limit));
    }
    const unread = a.stream(a.pid(address), Numbers, 1000);
    await unread.return();
    await world.until(() => source.belongings === 0);
    await world.calm();
    expect(letters).to.deep.equal([[], []]);
  });

  it('checks its window', () => {
    for (const window of [0, 15, 16.5, -1, Number.NaN, 65_537, Number.POSITIVE_INFINITY]) {
      expect(() => a.stream(a.pid(address), Numbers, 0, { window }))
        .to.throw(ProcessError, /window.*16 to 65536/)
        .with.property('code', 'WINDOW_INVALID');
    }
  });

  it('brings 20,000 items through the widest window and the narrowest', async () => {
    spawn((count) => counting(count));
    for (const window of [16, 65_536]) {
      const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, 20_000, { window }));
      expect(outcome).to.equal('ended');
      expect(items).to.deep.equal(upTo(20_000));
    }
  });
}

/** What can only happen between nodes. */
function between(world: World): void {
  let a: Runtime;
  let b: Runtime;

  beforeEach(async () => {
    a = await world.start('a');
    b = await world.start('b', { maxMessage: 4_000_000 });
  });

  it('carries items larger than a frame', async () => {
    const size = 1_500_000;
    b.spawn(
      new Source(
        'source',
        () => [],
        function* (count) {
          for (let n = 0; n < count; n++) yield String(n).repeat(size);
        },
      ),
    );
    const { items, outcome } = await over(world, a.stream(a.pid('source@b'), Texts, 10));
    expect(outcome).to.equal('ended');
    expect(items.map((item) => [item[0], item.length])).to.deep.equal(upTo(10).map((n) => [String(n), size]));
  });

  it('fails with MESSAGE_INVALID where an item does not satisfy the schema, after those before it', async () => {
    const source = new Source('source', function* () {
      yield 1;
      yield 'two' as unknown as number;
      for (let n = 3; ; n++) yield n;
    });
    b.spawn(source);
    const { items, outcome } = await over(world, a.stream(a.pid('source@b'), Numbers, 0));
    expect(items).to.deep.equal([1]);
    expect(outcome).to.be.instanceOf(ProcessError).with.property('code', 'MESSAGE_INVALID');
    await world.until(() => source.belongings === 0);
  });

  for (const [what, item, code] of [
    ['cannot be encoded', () => 1, 'MESSAGE_INVALID'],
    ['is larger than the limit', 'x'.repeat(5_000_000), 'MESSAGE_TOO_LARGE'],
  ] as const) {
    it(`fails with ${code} where an item ${what}, after those before it`, async () => {
      const source = new Source(
        'source',
        () => [],
        function* () {
          yield 'one';
          yield item as string;
          for (;;) yield 'more';
        },
      );
      b.spawn(source);
      const { items, outcome } = await over(world, a.stream(a.pid('source@b'), Texts, 0));
      expect(items).to.deep.equal(['one']);
      expect(outcome).to.be.instanceOf(ProcessError).with.property('code', code);
      await world.until(() => source.belongings === 0);
    });
  }

  it('whose items have no schema fails at once', async () => {
    const Bare = { name: Numbers.name, schema: Numbers.schema, item: { name: Numbers.item.name, schema: undefined } };
    class BareSource extends Process {
      protected override initialize(): void {
        this.produce(Bare, (count) => counting(count));
      }
    }
    b.spawn(new BareSource('bare'));
    const sending = await over(world, a.stream(a.pid('bare@b'), Numbers, 5));
    expect(sending.outcome)
      .to.be.instanceOf(StreamFailed)
      .with.property('message')
      .that.matches(/schema/);
    const source = new Source('source', (count) => counting(count));
    b.spawn(source);
    const receiving = await over(world, a.stream(a.pid('source@b'), Bare, 5));
    expect(receiving.outcome).to.be.instanceOf(ProcessError).with.property('code', 'MESSAGE_LOCAL_ONLY');
    await world.until(() => source.belongings === 0);
  });

  it('of a process that has no handler for it fails with ProcessGone at once', async () => {
    b.spawn(new Source('source', () => []));
    const { outcome } = await over(world, a.stream(a.pid('source@b'), Texts, 0, { timeout: '1hrs' }));
    expect(outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_NOT_FOUND');
  });

  it('whose producer is lost with its node fails with OutcomeUnknown after the items before', async () => {
    b.spawn(
      new Source('source', async function* () {
        yield* [1, 2, 3];
        await new Promise(() => undefined);
      }),
    );
    const stream = a.stream(a.pid('source@b'), Numbers, 0);
    expect(await take(world, stream, 1)).to.deep.equal([1]);
    await world.calm();
    world.crash('b');
    const { items, outcome } = await over(world, stream);
    expect(items).to.deep.equal([2, 3]);
    expect(outcome).to.be.instanceOf(OutcomeUnknown);
  });

  it('to a node that is not there fails with ProcessGone after the link timeout', async () => {
    const { outcome } = await over(world, a.stream(a.pid('source@nowhere'), Numbers, 0, { timeout: '1hrs' }));
    expect(outcome).to.be.instanceOf(ProcessGone).with.property('code', 'NODE_UNREACHABLE');
  });

  it('whose reader is lost with its node stops the producer', async () => {
    const seen: string[] = [];
    const source = new Source('source', async function* (_, __, { signal }) {
      try {
        yield 1;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      } finally {
        seen.push('finally');
      }
    });
    b.spawn(source);
    expect(await take(world, a.stream(a.pid('source@b'), Numbers, 0), 1)).to.deep.equal([1]);
    world.crash('a');
    await world.until(() => source.belongings === 0 && seen.length === 1);
  });

  it('whose reading node stops ends, and stops the producer', async () => {
    const source = new Source('source', async function* (_, __, { signal }) {
      yield 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    b.spawn(source);
    const reading = new Reading(a.stream(a.pid('source@b'), Numbers, 0));
    await world.until(() => reading.items.length === 1);
    await world.stop(a);
    await world.until(() => reading.over && source.belongings === 0);
    expect(reading.outcome).to.be.instanceOf(OutcomeUnknown);
  });

  describe('that a process passes on to one of another node', () => {
    class Front extends Process {
      protected override initialize(): void {
        this.delegate(Numbers, this.runtime.pid('source@b'));
      }
    }

    it('is fed from there', async () => {
      a.spawn(new Front('front'));
      b.spawn(new Source('source', (count) => counting(count)));
      const { items, outcome } = await over(world, a.stream(a.pid('front'), Numbers, 1000));
      expect([items.length, outcome]).to.deep.equal([1000, 'ended']);
    });

    for (const window of [16, 64]) {
      it(`fails with OutcomeUnknown when that node is lost (window ${window})`, async () => {
        a.spawn(new Front('front'));
        b.spawn(
          new Source('source', async function* () {
            yield 1;
            await new Promise(() => undefined);
          }),
        );
        const reading = new Reading(a.stream(a.pid('front'), Numbers, 0, { window }));
        await world.until(() => reading.items.length === 1);
        world.crash('b');
        await world.until(() => reading.over);
        expect(reading.outcome).to.be.instanceOf(OutcomeUnknown);
      });
    }
  });
}
