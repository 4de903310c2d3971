import { ProcessError, type Runtime, StreamFailed } from '@mezzo/process';
import { expect } from 'chai';

import { kind } from '../../src/node/envelope.ts';
import { Intruder } from '../transport/intruder.ts';
import { deadLetters, inEveryWorld } from '../transport/worlds.ts';
import { counting, Gate, Numbers, Reading, Source, upTo } from './streams.ts';

/** The number of the intruder's own end. */
const own = 5;

describe('a stream with a hostile peer', () => {
  inEveryWorld((world) => {
    let a: Runtime;
    let intruder: Intruder;

    beforeEach(async () => {
      a = await world.start('a');
      intruder = new Intruder(world.transport());
      intruder.acknowledges = true;
      await intruder.join(world);
      // So that node a knows that it was heard, and speaks.
      intruder.batch();
    });

    /** To the end of that number at node a, from the intruder's end. */
    function say(number: number, name: string, ...bodies: unknown[]): void {
      intruder.batch([kind.messages, '?', number, a.incarnation, '?', own, name, bodies]);
    }

    /** What node a sent: its kind, or that of the message, with the last of what it carries. */
    function heard(): string[] {
      return intruder.heard.map((envelope) => {
        if (!Array.isArray(envelope)) return 'garbage';
        if (envelope[0] === kind.refused) return `refused ${String(envelope[3])}`;
        return envelope[0] === kind.messages
          ? `${String(envelope[6])} ${JSON.stringify(envelope[7])}`
          : `kind ${String(envelope[0])}`;
      });
    }

    describe('that produces it', () => {
      let reading: Reading<number>;
      let number: number;

      beforeEach(async () => {
        const stream = a.stream(a.pid('x@intruder'), Numbers, 7, { timeout: '1hrs' });
        reading = new Reading(stream);
        await world.until(() => intruder.heard.length === 1);
        number = stream.pid.generation;
        expect(heard()).to.deep.equal(['numbers [7]']);
      });

      async function fails(code: string): Promise<void> {
        await world.until(() => reading.over);
        expect(reading.outcome).to.be.instanceOf(ProcessError).with.property('code', code);
      }

      it('and sends more than it may is cut off after what it might', async () => {
        say(number, '$stream.opened', null);
        say(number, 'numbers.item', ...upTo(10));
        await world.until(() => reading.items.length === 10);
        // 64 less the ten that were read before the next credit, which is due after 32.
        say(number, 'numbers.item', ...upTo(1000));
        await fails('STREAM_FAILED');
        expect(reading.items.length).to.be.within(64, 10 + 64 + 64);
        await world.until(() => heard().includes('$stream.cancel [null]'));
      });

      it('and sends items of another shape is cut off at the first', async () => {
        say(number, '$stream.opened', null);
        say(number, 'numbers.item', 1, 2, 'three', 4);
        await fails('MESSAGE_INVALID');
        expect(reading.items).to.deep.equal([1, 2]);
        await world.until(
          () => heard().includes('$stream.cancel [null]') && heard().includes('refused MESSAGE_INVALID'),
        );
      });

      for (const [what, name, body, code] of [
        ['tells of more items than it sent', '$stream.ended', 3, 'STREAM_FAILED'],
        ['tells of fewer items than it sent', '$stream.ended', 1, 'STREAM_FAILED'],
        ['ends with garbage', '$stream.ended', 'x', 'MESSAGE_INVALID'],
        ['sends what is no part of a stream', 'numbers', 1, 'UNEXPECTED_REPLY'],
        ['sends a name of a prototype', '__proto__', 1, 'UNEXPECTED_REPLY'],
        ['sends credit', '$stream.credit', 1, 'UNEXPECTED_REPLY'],
      ] as const) {
        it(`and ${what} fails it with ${code}`, async () => {
          say(number, '$stream.opened', null);
          say(number, 'numbers.item', 1, 2);
          say(number, name, body);
          await fails(code);
          expect(reading.items).to.deep.equal([1, 2]);
        });
      }

      it('and sends items before it has begun fails it with UNEXPECTED_REPLY', async () => {
        say(number, 'numbers.item', 1);
        await fails('UNEXPECTED_REPLY');
        expect(reading.items).to.deep.equal([]);
      });

      it('and begins twice, or from two addresses, has the second stopped', async () => {
        say(number, '$stream.opened', null);
        intruder.batch([kind.messages, '?', number, a.incarnation, '?', own + 1, '$stream.opened', [null]]);
        intruder.batch([kind.messages, '?', number, a.incarnation, '?', own + 1, 'numbers.item', [666]]);
        say(number, 'numbers.item', 1);
        say(number, '$stream.ended', 1);
        await world.until(() => reading.over);
        expect(reading.items).to.deep.equal([1]);
        expect(reading.outcome).to.equal('ended');
        await world.until(() => heard().includes('$stream.cancel [null]'));
      });

      it('and goes on after its end is told that nobody reads; nothing of it is a dead letter', async () => {
        const letters = deadLetters(a);
        say(number, '$stream.opened', null);
        say(number, '$stream.ended', 0);
        say(number, 'numbers.item', 1, 2, 3);
        await world.until(() => heard().includes('refused PROCESS_NOT_FOUND'));
        expect(reading.outcome).to.equal('ended');
        expect(letters).to.deep.equal([]);
      });

      it('and refuses in the midst fails it', async () => {
        say(number, '$stream.opened', null);
        say(number, 'numbers.item', 1);
        intruder.batch([kind.refused, '?', number, 'STREAM_FAILED', 'no more']);
        await fails('STREAM_FAILED');
        expect(reading.outcome).to.be.instanceOf(StreamFailed);
        expect(reading.items).to.deep.equal([1]);
      });
    });

    describe('that reads it', () => {
      let source: Source;
      let produced: number;

      beforeEach(async () => {
        produced = 0;
        source = new Source('source', function* (): Generator<number> {
          for (;;) yield produced++;
        });
        a.spawn(source);
        intruder.batch([kind.messages, 'source', 0, 0, '?', own, 'numbers', [0]]);
        await world.until(() => produced === 16 && source.belongings === 1);
      });

      function writer(): number {
        const [end] = source.cell.extras.belongings ?? [];
        return end !== undefined && 'pid' in end
          ? (end as unknown as { pid: { generation: number } }).pid.generation
          : 0;
      }

      for (const credit of [-1, 1.5, 65_537, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '64', null, [64]]) {
        it(`and grants ${JSON.stringify(credit)} (${String(credit)}) items is refused; nothing more is made`, async () => {
          say(writer(), '$stream.credit', credit);
          await world.until(() => heard().includes('refused MESSAGE_INVALID'));
          // At once, not when the session to a peer that is silent breaks.
          expect([source.belongings, produced]).to.deep.equal([0, 16]);
        });
      }

      it('and grants more in sum than any window is cut off', async () => {
        say(writer(), '$stream.credit', 40_000, 40_000);
        await world.until(() => heard().includes('refused STREAM_FAILED'));
        // At once, not when the session to a peer that is silent breaks.
        expect([source.belongings, produced]).to.deep.equal([0, 16]);
      });

      it('and grants nothing gets nothing; what is no part of a stream is ignored', async () => {
        say(writer(), '$stream.credit', 0);
        say(writer(), 'numbers.item', 1);
        say(writer(), '$stream.opened', null);
        await world.calm();
        expect(produced).to.equal(16);
        expect(source.belongings).to.equal(1);
        say(writer(), '$stream.credit', 4);
        await world.until(() => produced === 20);
        say(writer(), '$stream.cancel', null);
        await world.calm();
        expect(source.belongings).to.equal(0);
      });

      it('and refuses is not fed any more', async () => {
        intruder.batch([kind.refused, '?', writer(), 'PROCESS_NOT_FOUND', 'gone']);
        await world.calm();
        expect([source.belongings, produced]).to.deep.equal([0, 16]);
      });

      it('and is no stream at all gets none', async () => {
        const letters = deadLetters(a);
        intruder.message('numbers', 0, 'source');
        await world.until(() => letters.length === 1);
        expect(letters).to.deep.equal(['unhandled numbers source@a']);
        expect(source.belongings).to.equal(1);
      });
    });

    it('that has no part in it is ignored, whichever numbers it knows', async () => {
      const b = await world.start('b');
      const gate = new Gate();
      const source = new Source('source', async function* (count): AsyncGenerator<number> {
        yield 0;
        await gate.opened;
        yield* [...counting(count)].slice(1);
      });
      // Node a reads one stream and feeds another.
      b.spawn(source);
      const own = new Source('own', async function* (count): AsyncGenerator<number> {
        yield 0;
        await gate.opened;
        yield* [...counting(count)].slice(1);
      });
      a.spawn(own);
      const stream = a.stream(a.pid('source@b'), Numbers, 100);
      const reading = new Reading(stream);
      const other = new Reading(b.stream(b.pid('own@a'), Numbers, 100));
      await world.until(() => reading.items.length === 1 && other.items.length === 1);
      const [end] = own.cell.extras.belongings ?? [];
      const writer = end as unknown as { pid: { generation: number }; to: { generation: number } };
      for (const [number, from] of [
        [stream.pid.generation, stream.to.generation],
        [writer.pid.generation, writer.to.generation],
      ] as const) {
        for (const [name, body] of [
          ['numbers.item', 666],
          ['numbers.item', 'x'],
          ['$stream.ended', 1],
          ['$stream.ended', 'x'],
          ['$stream.opened', null],
          ['$stream.credit', 65_536],
          ['$stream.credit', 'x'],
          ['$stream.cancel', null],
        ] as const) {
          intruder.batch([kind.messages, '?', number, a.incarnation, '?', from, name, [body]]);
        }
        intruder.batch([kind.refused, '?', number, 'PROCESS_NOT_FOUND', 'gone']);
        intruder.batch([kind.cancel, number]);
      }
      await world.calm();
      expect([reading.over, other.over]).to.deep.equal([false, false]);
      gate.open();
      await world.until(() => reading.over && other.over);
      expect([reading.items, other.items]).to.deep.equal([upTo(100), upTo(100)]);
      expect([reading.outcome, other.outcome]).to.deep.equal(['ended', 'ended']);
      expect(a.metrics.errors + b.metrics.errors).to.equal(0);
    });
  });
});
