import { OutcomeUnknown, Process, ProcessError, ProcessGone, StreamFailed, type Runtime } from '@mezzo/process';
import { expect } from 'chai';

import { inEveryWorld } from '../transport/worlds.ts';
import { counting, Numbers, over, Reading, Source, take, Texts, upTo } from './streams.ts';

describe('a stream between nodes', () => {
  inEveryWorld((world) => {
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
  });
});
