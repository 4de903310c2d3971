import { dispatch } from '@mezzo/process';
import { expect } from 'chai';

import { Add, Adder, Fail, First, Greet, Leaver, Listener, Sum } from './processes.ts';
import { inEveryWorld, outcome } from './worlds.ts';

describe('links between nodes', () => {
  inEveryWorld((world) => {
    it('LP-LINK-01 tell of a termination exactly once, with its reason', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const adder = b.spawn(new Adder('adder'));
      const listener = new Listener('listener', a.pid('adder@b'));
      a.spawn(listener);
      await world.calm();
      b.terminate(adder);
      await world.until(() => listener.heard.length > 0);
      await world.calm();
      expect(listener.heard).to.deep.equal(['exited adder@b terminated']);
    });

    it('tell of a crash with its reason', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const listener = new Listener('listener', a.pid('adder@b'));
      a.spawn(listener);
      a.send(a.pid('adder@b'), Fail, { n: 1 });
      await world.until(() => listener.heard.length > 0);
      expect(listener.heard).to.deep.equal(['exited adder@b crashed']);
    });

    it('LP-SRC-14 tell of an exit after the last messages of who ended', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Leaver('leaver'));
      const listener = new Listener('listener', a.pid('leaver@b'));
      const pid = a.spawn(listener);
      await dispatch(pid, (p) => p.tell(a.pid('leaver@b'), Greet, 0));
      await world.until(() => listener.heard.length === 4);
      expect(listener.heard).to.deep.equal(['first 1', 'first 2', 'first 3', 'exited leaver@b terminated']);
    });

    it('LP-SRC-22 to the same address are one, and one more exit follows a link to the dead', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const adder = b.spawn(new Adder('adder'));
      const target = a.pid('adder@b');
      const listener = new Listener('listener', target, target, target);
      const pid = a.spawn(listener);
      await world.calm();
      b.terminate(adder);
      await world.until(() => listener.heard.length > 0);
      await world.calm();
      expect(listener.heard).to.deep.equal(['exited adder@b terminated']);
      await dispatch(pid, (p) => p.linkTo(target));
      await world.until(() => listener.heard.length > 1);
      expect(listener.heard).to.deep.equal(['exited adder@b terminated', 'exited adder@b unreachable']);
    });

    it('LP-SRC-23 to an unspawned process exit at once, and its later spawn creates no link', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const listener = new Listener('listener', a.pid('adder@b'));
      a.spawn(listener);
      await world.until(() => listener.heard.length > 0);
      const adder = b.spawn(new Adder('adder'));
      b.terminate(adder);
      await outcome(world, b.wait(adder));
      await world.calm();
      expect(listener.heard).to.deep.equal(['exited adder@b unreachable']);
    });

    it('to a node that never existed exit as unreachable after the link timeout', async () => {
      const a = await world.start('a');
      const listener = new Listener('listener', a.pid('adder@nowhere'));
      a.spawn(listener);
      await world.until(() => listener.heard.length > 0);
      expect(listener.heard).to.deep.equal(['exited adder@nowhere unreachable']);
    });

    it('LP-SRC-26 all exit when their node dies, once each, and are forgotten', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      for (const id of ['x', 'y']) b.spawn(new Adder(id));
      const one = new Listener('one', a.pid('x@b'), a.pid('y@b'));
      const two = new Listener('two', a.pid('x@b'));
      a.spawn(one);
      a.spawn(two);
      await outcome(world, a.ask(a.pid('x@b'), Add, { n: 1 }, { reply: Sum }));
      world.crash('b');
      await world.until(() => one.heard.length === 2 && two.heard.length === 1);
      await world.calm();
      expect(one.heard).to.deep.equal(['exited x@b lost', 'exited y@b lost']);
      expect(two.heard).to.deep.equal(['exited x@b lost']);
      expect([a.cell('one')?.links?.size, a.cell('two')?.links?.size]).to.deep.equal([0, 0]);
      const again = await world.start('b');
      for (const id of ['x', 'y']) again.spawn(new Adder(id));
      await outcome(world, a.ask(a.pid('x@b'), Add, { n: 1 }, { reply: Sum }));
      await world.stop(again);
      await world.calm();
      expect([one.heard.length, two.heard.length]).to.deep.equal([2, 1]);
    });

    it('LP-LINK-04 by reconnecting alone exit once when the node dies', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const listener = new Listener('listener');
      const pid = a.spawn(listener);
      await dispatch(pid, (p) => p.reconnectTo(a.pid('adder@b')));
      await world.calm();
      world.crash('b');
      await world.until(() => listener.heard.length > 0);
      await world.calm();
      expect(listener.heard).to.deep.equal(['exited adder@b lost']);
    });

    it('LP-LINK-05 that were made, and made again by reconnecting, exit once', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const listener = new Listener('listener', a.pid('adder@b'));
      const pid = a.spawn(listener);
      await world.calm();
      await dispatch(pid, (p) => p.reconnectTo(a.pid('adder@b')));
      await world.calm();
      expect(listener.heard).to.deep.equal([]);
      world.crash('b');
      await world.until(() => listener.heard.length > 0);
      await world.calm();
      expect(listener.heard).to.deep.equal(['exited adder@b lost']);
    });

    it('LP-LINK-06 of others outlive the reconnecting of one, and exit once each', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const one = new Listener('one', a.pid('adder@b'));
      const two = new Listener('two', a.pid('adder@b'));
      a.spawn(one);
      const pid = a.spawn(two);
      await dispatch(pid, (p) => p.reconnectTo(a.pid('adder@b')));
      await world.calm();
      expect([one.heard, two.heard]).to.deep.equal([[], []]);
      world.crash('b');
      await world.until(() => one.heard.length > 0 && two.heard.length > 0);
      await world.calm();
      expect([one.heard, two.heard]).to.deep.equal([['exited adder@b lost'], ['exited adder@b lost']]);
    });

    it('exit when the node comes back in a newer incarnation', async () => {
      const a = await world.start('a', { linkTimeout: '1hrs' });
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const listener = new Listener('listener', a.pid('adder@b'));
      a.spawn(listener);
      await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum }));
      world.crash('b');
      await world.calm();
      const again = await world.start('b');
      again.spawn(new Adder('adder'));
      again.send(again.pid('listener@a'), First, { n: 1 });
      await world.until(() => listener.heard.length === 2);
      expect(listener.heard).to.deep.equal(['exited adder@b lost', 'first 1']);
      expect(await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum }))).to.deep.equal({ n: 2 });
    });

    it('of a node that stops exit as terminated', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const listener = new Listener('listener', a.pid('adder@b'));
      a.spawn(listener);
      await world.calm();
      await world.stop(b);
      await world.until(() => listener.heard.length > 0);
      await world.calm();
      expect(listener.heard).to.deep.equal(['exited adder@b terminated']);
    });

    it('of a process that has ended are forgotten: its successor hears nothing of them', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      const adder = b.spawn(new Adder('adder'));
      const first = a.spawn(new Listener('listener', a.pid('adder@b')));
      await world.calm();
      a.terminate(first);
      await outcome(world, a.wait(first));
      const successor = new Listener('listener');
      a.spawn(successor);
      await world.calm();
      b.terminate(adder);
      await outcome(world, b.wait(adder));
      await world.calm();
      expect(successor.heard).to.deep.equal([]);
    });

    it('hold while nothing is said: heartbeats keep them', async () => {
      const a = await world.start('a');
      const b = await world.start('b');
      b.spawn(new Adder('adder'));
      const listener = new Listener('listener', a.pid('adder@b'));
      a.spawn(listener);
      await world.calm();
      const started = a.clock.now();
      await world.until(() => a.clock.now() - started > 2500 || tick(a));
      expect(listener.heard).to.deep.equal([]);
    });
  });
});

/** Keeps virtual time going: it moves from timer to timer only. */
function tick(runtime: { readonly clock: { timer(delay: number, thunk: () => void): unknown } }): false {
  runtime.clock.timer(100, () => {});
  return false;
}
