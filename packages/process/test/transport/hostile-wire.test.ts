import { message, Process, type Runtime } from '@mezzo/process';
import { expect } from 'chai';
import { Packr } from 'msgpackr';

import { kind } from '../../src/node/envelope.ts';
import { encode, type End } from '../../src/node/frame.ts';
import { Intruder } from './intruder.ts';
import { Add, Adder, First, Listener, Stuck, Sum, Text } from './processes.ts';
import { deadLetters, inEveryWorld, outcome } from './worlds.ts';

describe('a hostile wire', () => {
  inEveryWorld((world) => {
    let a: Runtime;
    let intruder: Intruder;
    let listener: Listener;

    beforeEach(async () => {
      a = await world.start('a');
      a.spawn(new Adder('adder'));
      listener = new Listener('listener');
      a.spawn(listener);
      intruder = new Intruder(world.transport());
      await intruder.join(world);
    });

    /** What came is rejected so many times, and the node works as before. */
    async function rejects(count: number): Promise<void> {
      await world.until(() => a.metrics.wireRejected >= count, `${count} rejections`);
      intruder.message('first', { n: 99 }, 'listener');
      await world.until(() => listener.heard.includes('first 99'), 'the node still takes messages');
      expect(a.metrics.wireRejected).to.equal(count);
      expect(a.metrics.errors).to.equal(0);
      expect(await outcome(world, a.ask(a.pid('adder'), Add, { n: 1 }, { reply: Sum }))).to.deep.equal({ n: 2 });
    }

    it('that carries bytes which are no frame has them dropped and counted', async () => {
      const pack = new Packr();
      const garbage = [
        new Uint8Array([0xc1]),
        new Uint8Array(0),
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]),
        pack.pack({ kind: 'batch' }),
        pack.pack([2, 'x']),
        pack.pack(['constructor', 1]),
        pack.pack([1, Number.NaN, 1, 1, 1, 1, 1, 1]),
        pack.pack([2, 1, 1, 1, 1, 1, 1, 'no array']),
        // Arrays in arrays, deeper than any stack.
        Buffer.concat([Buffer.alloc(500_000, 0x91), Buffer.from([0x90])]),
      ];
      for (const bytes of garbage) intruder.raw(bytes);
      await rejects(garbage.length);
    });

    it('that carries random bytes, or frames with flipped bits, harms nobody', async () => {
      let state = 12345;
      const random = (below: number): number => (state = (state * 1103515245 + 12345) % 2147483648) % below;
      const good = encode({
        kind: 'batch',
        from: { incarnation: 7, epoch: 1 },
        to: { incarnation: 8, epoch: 1 },
        sequence: 1,
        received: 0,
        envelopes: [[kind.messages, 'adder', 0, 0, 'x', 1, 'add', [{ n: 1 }]]],
      });
      for (let round = 0; round < 500; round++) {
        const bytes = round % 2 === 0 ? Buffer.alloc(random(300)) : Buffer.from(good);
        if (round % 2 === 0) for (let at = 0; at < bytes.length; at++) bytes[at] = random(256);
        else for (let flips = 0; flips < 3; flips++) bytes[random(bytes.length)] = random(256);
        intruder.raw(bytes);
      }
      await world.calm();
      expect(await outcome(world, a.ask(a.pid('adder'), Add, { n: 1 }, { reply: Sum }))).to.deep.equal({ n: 2 });
      expect(a.metrics.errors).to.equal(0);
    });

    it('that carries envelopes of no known shape has them dropped and counted', async () => {
      const envelopes = [
        null,
        'text',
        [],
        [99],
        ['constructor', 1],
        ['__proto__'],
        [kind.messages],
        [kind.messages, 'adder', 0, 0, 'x', 1, 'add', 'no array'],
        [kind.messages, 7, 0, 0, 'x', 1, 'add', []],
        [kind.link, 'x', 1, 'adder', 0],
        [kind.exited, 'x'],
        [kind.chunk, true, 'no bytes'],
        [kind.refused, '?', 1, 2, 3],
        { 0: kind.messages, length: 8 },
      ];
      for (const envelope of envelopes) intruder.batch(envelope);
      await rejects(envelopes.length);
    });

    it('that carries unknown kinds and invalid bodies has them dropped and counted', async () => {
      const letters = deadLetters(a);
      intruder.message('no-such-kind', {});
      intruder.message('constructor', {});
      intruder.message('__proto__', {});
      intruder.message('add', { n: 'one' });
      intruder.message('add', null);
      intruder.message('add', new Map([['n', 1]]));
      await rejects(6);
      expect(letters).to.deep.equal(
        ['no-such-kind', 'constructor', '__proto__'].map((name) => `unhandled ${name} adder@a`),
      );
    });

    it('that carries prototype keys pollutes nothing', async () => {
      intruder.message(
        'first',
        JSON.parse('{"n":1,"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
        'listener',
      );
      await world.until(() => listener.heard.length === 1);
      expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
      await rejects(0);
    });

    it('that carries a graph, cyclic or of shared parts, has it dropped before anybody can walk it', async () => {
      const cyclic: { n: number; self?: unknown } = { n: 1 };
      cyclic.self = cyclic;
      // Written out it would have 2^40 leaves.
      let shared: unknown = { n: 1 };
      for (let level = 0; level < 40; level++) shared = [shared, shared];
      const graphs = new Packr({ structuredClone: true });
      for (const body of [cyclic, shared]) {
        const bytes = graphs.pack([kind.messages, 'listener', 0, 0, 'x', 1, 'first', [body]]);
        intruder.batch([kind.chunk, true, bytes]);
        intruder.raw(Buffer.concat([graphs.pack(body), Buffer.from([0])]));
      }
      await rejects(4);
    });

    it('that carries chunks of no message, chunks in chunks and parts without end has them dropped', async () => {
      const pack = new Packr();
      intruder.batch([kind.chunk, true, Buffer.from('nonsense')]);
      intruder.batch([kind.chunk, true, pack.pack([kind.chunk, true, Buffer.from('x')])]);
      intruder.batch([kind.chunk, true, pack.pack('no envelope')]);
      await rejects(3);
    });

    it('that carries a message above the limit has it dropped when it ends', async () => {
      const b = await world.start('b', { maxMessage: 1_000_000 });
      b.spawn((listener = new Listener('listener')));
      for (let part = 0; part < 3; part++) a.send(a.pid('listener@b'), Text, 'x'.repeat(1_500_000));
      a.send(a.pid('listener@b'), First, { n: 1 });
      await world.until(() => listener.heard.length === 1);
      expect(listener.heard).to.deep.equal(['first 1']);
      expect(b.metrics.wireRejected).to.equal(3);
    });

    it('cannot answer what another node was asked, nor end links it is no part of', async () => {
      const b = await world.start('b');
      const adder = b.spawn(new Adder('adder'));
      listener = new Listener('linked', a.pid('adder@b'));
      const linked = a.spawn(listener);
      const asked = a.ask(a.pid('adder@b'), Stuck, { n: 1 }, { reply: Sum, timeout: '10s' });
      await world.calm();
      for (let number = 0; number < 100; number++) {
        intruder.batch([kind.messages, '?', number, a.incarnation, 'adder', adder.generation, 'sum', [{ n: 666 }]]);
        intruder.batch([kind.refused, '?', number, 'OUTCOME_UNKNOWN', 'no']);
      }
      intruder.batch([kind.exited, 'linked', linked.generation, 'adder', 0, 0, 'terminated', '']);
      intruder.message('first', { n: 1 }, 'linked');
      await world.until(() => listener.heard.length > 0);
      expect(listener.heard).to.deep.equal(['first 1']);
      expect(asked.isPending).to.equal(true);
      asked.discard();
    });

    it('that greets in another version of the protocol is told apart, not understood', async () => {
      const end: End = { incarnation: 8, epoch: 1 };
      intruder.raw(
        encode({ kind: 'hello', version: 99, from: end, to: { incarnation: 0, epoch: 0 }, sent: 0, received: 0 }),
      );
      await rejects(1);
    });

    it('that tells of returned messages it never got is not believed', async () => {
      const letters = deadLetters(a);
      const returned = (count: unknown): void =>
        intruder.batch([kind.returned, 'x', 1, 1, 'adder', 1, 'add', 'unknown', count]);
      for (const count of [1e15, 1000, -1, Number.NaN, Number.POSITIVE_INFINITY]) returned(count);
      await rejects(5);
      expect(letters).to.deep.equal([]);
    });

    it('that tells twice of a message it got is believed once', async () => {
      intruder.batch();
      const letters = deadLetters(a);
      a.send(a.pid('x@intruder'), First, { n: 1 });
      await world.until(() => intruder.heard.length === 1);
      for (let time = 0; time < 2; time++) intruder.batch([kind.returned, 'x', 0, 0, '', 0, 'first', 'unknown', 1]);
      await rejects(1);
      expect(letters).to.deep.equal(['unknown first x@intruder']);
    });

    it('that carries many invalid bodies in one row has each counted and the asker refused once', async () => {
      intruder.batch();
      const bodies = Array.from({ length: 200 }, () => ({ n: 'one' }));
      intruder.batch([kind.messages, 'adder', 0, 0, '?', 5, 'add', bodies]);
      await rejects(200);
      await world.until(() => intruder.heard.length > 0);
      expect(
        intruder.heard.filter((envelope) => Array.isArray(envelope) && envelope[0] === kind.refused),
      ).to.have.length(1);
    });

    it('that carries a body over which an async schema rejects does not end the node', async () => {
      const validate = (): Promise<never> => Promise.reject(new Error('no'));
      const Slowly = message('slowly', { '~standard': { version: 1, vendor: 'test', validate } });
      class Careless extends Process {
        protected override initialize(): void {
          this.install(Slowly, () => {});
        }
      }
      a.spawn(new Careless('careless'));
      const unhandled: unknown[] = [];
      const hear = (error: unknown): void => void unhandled.push(error);
      process.on('unhandledRejection', hear);
      intruder.message('slowly', { n: 1 }, 'careless');
      await rejects(1);
      await new Promise((resolve) => void setImmediate(resolve));
      process.off('unhandledRejection', hear);
      expect(unhandled).to.deep.equal([]);
    });

    it('that asks again and again for what it missed is sent it as often as an honest peer would ask', async () => {
      intruder.batch();
      a.send(a.pid('x@intruder'), Text, 'x'.repeat(10_000));
      await world.until(() => intruder.heard.length === 1);
      for (let time = 0; time < 1000; time++) intruder.misses();
      await rejects(0);
      expect(a.metrics.wireResent).to.be.within(1, 100);
    });

    it('that carries parts without end of no message has them dropped within the size limit', async () => {
      const b = await world.start('b', { maxMessage: 100_000 });
      b.spawn(new Listener('listener'));
      const other = new Intruder(world.transport(), 'b', 'another');
      await other.join(world);
      // Those of an honest peer have at least 512 bytes.
      for (let part = 0; part < 200; part++) other.batch([kind.chunk, false, new Uint8Array(0)]);
      other.batch([kind.chunk, true, new Packr().pack([kind.messages, 'listener', 0, 0, 'x', 1, 'first', [{ n: 1 }]])]);
      await world.until(() => b.metrics.wireRejected === 1, 'the parts are counted as too many');
    });
  });
});
