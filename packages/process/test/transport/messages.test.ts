import { AskTimeout, dispatch, OutcomeUnknown, PID, Process, ProcessError, ProcessGone } from '@mezzo/process';
import { expect } from 'chai';

import { Add, Adder, Fail, First, Listener, LocalOnly, Quit, Second, Stuck, Sum, Text } from './processes.ts';
import { deadLetters, failure, inEveryWorld, outcome } from './worlds.ts';

describe('messages between nodes', () => {
  inEveryWorld((world) => {
    it('arrive in the order they were sent, whatever their kind and size', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const listener = new Listener('listener');
      b.spawn(listener);
      const to = a.pid('listener@b');
      const sent: string[] = [];
      const large = 'x'.repeat(100_000);
      for (let n = 0; n < 1000; n++) {
        const kind = n % 3 === 0 ? Second : First;
        a.send(to, kind, { n });
        sent.push(`${kind.name} ${n}`);
        if (n % 250 !== 0) continue;
        a.send(to, Text, large);
        sent.push('text');
      }
      await world.until(() => listener.heard.length >= sent.length, 'all messages arrive');
      expect(listener.heard).to.deep.equal(sent);
    });

    it('carry their exact sender, who can be answered', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const here = new Listener('here');
      const there = new Listener('there');
      const herePid = a.spawn(here);
      const therePid = b.spawn(there);
      await dispatch(herePid, (p) => p.tell(a.pid('there@b'), First, 1));
      await world.until(() => there.heard.length === 1);
      const [sender] = there.senders;
      expect(sender?.equals(herePid)).to.equal(true);
      await dispatch(therePid, (p) => p.tell(sender ?? therePid, Second, 2));
      await world.until(() => here.heard.length === 1);
      expect(here.heard).to.deep.equal(['second 2']);
      expect(here.senders[0]?.equals(therePid)).to.equal(true);
    });

    it('are answered when they ask', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const asked = [...Array(50).keys()].map((n) => a.ask(a.pid('adder@b'), Add, { n }, { reply: Sum }));
      for (const [n, sum] of asked.entries()) expect(await outcome(world, sum)).to.deep.equal({ n: n + 1 });
    });

    it('time out when nobody answers', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const error = await failure(world, a.ask(a.pid('adder@b'), Stuck, { n: 1 }, { reply: Sum, timeout: '50ms' }));
      expect(error).to.be.instanceOf(AskTimeout);
    });

    it('to nobody fail the ask and are dead letters on both sides', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const [here, there] = [deadLetters(a), deadLetters(b)];
      const error = await failure(world, a.ask(a.pid('nobody@b'), Add, { n: 1 }, { reply: Sum }));
      expect(error).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_NOT_FOUND');
      a.send(a.pid('nobody@b'), Add, { n: 1 });
      a.send(a.pid('nobody@b'), Add, { n: 2 });
      await world.until(() => here.length === 2);
      expect(here).to.deep.equal(['unknown add nobody@b', 'unknown add nobody@b']);
      expect(there).to.have.length(3);
    });

    it('to a process that crashes over it or ends before it fail the ask with ProcessGone', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      for (const kind of [Fail, Quit]) {
        const adder = b.spawn(new Adder('adder'));
        const asked = a.ask(a.pid('adder@b'), kind, { n: 1 }, { reply: Sum, timeout: '10s' });
        const behind = a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum, timeout: '10s' });
        if (kind === Fail) expect(await failure(world, asked)).to.be.instanceOf(ProcessGone);
        else asked.discard();
        expect(await failure(world, behind)).to.be.instanceOf(ProcessGone);
        await outcome(world, b.wait(adder));
      }
    });

    it('to an exact address reach no later process of the same id', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const letters = deadLetters(a);
      const first = b.spawn(new Adder('adder'));
      const { node, incarnation, generation } = first;
      const exact = new PID('adder', node, incarnation, generation);
      expect(await outcome(world, a.ask(exact, Add, { n: 1 }, { reply: Sum }))).to.deep.equal({ n: 2 });
      b.terminate(first);
      await outcome(world, b.wait(first));
      b.spawn(new Adder('adder'));
      expect(await failure(world, a.ask(exact, Add, { n: 1 }, { reply: Sum }))).to.be.instanceOf(ProcessGone);
      a.send(exact, Add, { n: 2 });
      await world.until(() => letters.length === 1);
      expect(letters).to.deep.equal(['stale add adder@b']);
    });

    it('to an exact address of an earlier incarnation of the node are refused', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const adder = b.spawn(new Adder('adder'));
      const exact = PID.parse(adder.address);
      await outcome(world, a.ask(exact, Add, { n: 1 }, { reply: Sum }));
      await world.stop(b);
      await world.calm();
      const again = await world.start('b');
      again.spawn(new Adder('adder'));
      expect(await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum }))).to.deep.equal({ n: 2 });
      expect(await failure(world, a.ask(exact, Add, { n: 1 }, { reply: Sum }))).to.be.instanceOf(ProcessGone);
    });

    it('LP-SRC-27 to a node that never existed are dead letters and failed asks after the link timeout, not exceptions', async () => {
      const a = await world.start('a');
      const letters = deadLetters(a);
      const listener = new Listener('listener');
      const sender = a.spawn(listener);
      for (let n = 0; n < 3; n++)
        expect(
          await outcome(
            world,
            dispatch(sender, (p) => p.tell(a.pid('adder@nowhere'), Add, n)),
          ),
        ).to.equal(true);
      const error = await failure(world, a.ask(a.pid('adder@nowhere'), Add, { n: 3 }, { reply: Sum, timeout: '30s' }));
      expect(error).to.be.instanceOf(ProcessGone).with.property('code', 'NODE_UNREACHABLE');
      expect(letters.filter((letter) => letter === 'unreachable add adder@nowhere')).to.have.length(4);
      await world.calm();
      expect(listener.heard, 'without a link nobody hears of an exit').to.deep.equal([]);
    });

    it('LP-SRC-27 to a node that dies are dead letters, and an ask fails with OutcomeUnknown', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum }));
      const letters = deadLetters(a);
      world.crash('b');
      const asked = a.ask(a.pid('adder@b'), Stuck, { n: 1 }, { reply: Sum, timeout: '30s' });
      a.send(a.pid('adder@b'), Add, { n: 2 });
      expect(await failure(world, asked)).to.be.instanceOf(OutcomeUnknown);
      expect(letters).to.deep.equal(['session stuck adder@b', 'session add adder@b']);
    });

    it('without a schema never leave the node', async () => {
      const a = await world.start('a');
      await world.start('b');
      const letters = deadLetters(a);
      expect(a.send(a.pid('adder@b'), LocalOnly, { n: 1 })).to.equal(false);
      expect(letters).to.deep.equal(['local-only local-only adder@b']);
      expect(await failure(world, a.ask(a.pid('adder@b'), LocalOnly, { n: 1 }, { reply: Sum }))).to.have.property(
        'code',
        'MESSAGE_LOCAL_ONLY',
      );
    });

    it('whose body cannot be encoded are dead letters; their neighbours arrive', async () => {
      const errors: unknown[] = [];
      const a = await world.start('a', { freeze: false, onError: (error) => errors.push(error) });
      const b = await world.start('b');
      const listener = new Listener('listener');
      b.spawn(listener);
      const letters = deadLetters(a);
      const to = a.pid('listener@b');
      a.send(to, First, { n: 1 });
      a.send(to, First, { n: 2, call: () => {} } as { n: number });
      a.send(to, First, { n: 3 });
      await world.until(() => listener.heard.length === 2);
      expect(listener.heard).to.deep.equal(['first 1', 'first 3']);
      expect(letters).to.deep.equal(['unencodable first listener@b']);
      expect(String(errors[0])).to.include("'first' could not be sent to listener@b");
    });

    for (const [what, answer, code] of [
      ['cannot be encoded', { n: 1, call: () => {} }, 'MESSAGE_INVALID'],
      ['are above the limit', { n: 1, text: 'x'.repeat(2_000_000) }, 'MESSAGE_TOO_LARGE'],
      ['do not satisfy their schema', { n: 'one' }, 'MESSAGE_INVALID'],
    ] as const) {
      it(`that answer an ask and ${what} fail it at once`, async () => {
        const a = await world.start('a');
        const b = await world.start('b', { freeze: false, maxMessage: 1_000_000 });
        class Answering extends Process {
          protected override initialize(): void {
            this.install(Add, () => void this.reply(Sum, answer as unknown as { n: number }));
          }
        }
        b.spawn(new Answering('adder'));
        const asked = a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum, timeout: '1hrs' });
        expect(await failure(world, asked))
          .to.be.instanceOf(ProcessError)
          .with.property('code', code);
      });
    }

    it('above the largest frame travel in parts', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const listener = new Listener('listener');
      b.spawn(listener);
      const to = a.pid('listener@b');
      const big = Array.from({ length: 300_000 }, (_, n) => `word${n}`).join(' ');
      expect(big.length).to.be.greaterThan(3_000_000);
      a.send(to, First, { n: 1 });
      a.send(to, Text, big);
      a.send(to, First, { n: 2 });
      await world.until(() => listener.heard.length === 3);
      expect(listener.heard).to.deep.equal(['first 1', 'text', 'first 2']);
      expect(listener.bodies[0] === big).to.equal(true);
    });

    it('above the limit are refused at the sender', async () => {
      const errors: unknown[] = [];
      const a = await world.start('a', { maxMessage: 2_000_000, onError: (error) => errors.push(error) });
      const b = await world.start('b');
      const listener = new Listener('listener');
      b.spawn(listener);
      b.spawn(new Adder('adder'));
      const letters = deadLetters(a);
      const error = await failure(world, a.ask(a.pid('adder@b'), Text, 'x'.repeat(3_000_000), { reply: Sum }));
      expect(error).to.have.property('code', 'MESSAGE_TOO_LARGE');
      a.send(a.pid('listener@b'), Text, 'x'.repeat(3_000_000));
      a.send(a.pid('listener@b'), First, { n: 2 });
      await world.until(() => listener.heard.length === 1);
      expect(listener.heard).to.deep.equal(['first 2']);
      expect(letters).to.deep.equal(['too-large text adder@b', 'too-large text listener@b']);
      expect(String(errors[0])).to.include('larger than 2000000 bytes');
    });

    it('that were sent just before the node stopped still arrive', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const listener = new Listener('listener');
      b.spawn(listener);
      for (let n = 0; n < 500; n++) a.send(a.pid('listener@b'), First, { n });
      await world.stop(a);
      await world.until(() => listener.heard.length === 500);
    });

    it('are refused once too many wait for credit, and ready() tells when they are taken again', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const listener = new Listener('listener');
      b.spawn(listener);
      const letters = deadLetters(a);
      const to = a.pid('listener@b');
      let taken = 0;
      while (a.send(to, First, { n: taken })) taken++;
      expect(taken).to.be.greaterThan(10_000);
      expect(letters).to.deep.equal(['overflow first listener@b']);
      await outcome(world, a.ready(to));
      expect(a.send(to, First, { n: taken })).to.equal(true);
      await world.until(() => listener.heard.length === taken + 1, 'every message that was taken arrives');
      expect(listener.heard.at(-1)).to.equal(`first ${taken}`);
    });
  });
});
