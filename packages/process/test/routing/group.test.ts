import { expect } from 'chai';
import {
  dispatch,
  Group,
  type GroupOptions,
  OutcomeUnknown,
  ProcessGone,
  Registry,
  type Runtime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

import { Add, Adder, Fail, First, Listener, Stuck, Sum } from '../transport/processes.ts';
import { inEveryWorld, outcome } from '../transport/worlds.ts';

type Kind = typeof Add;

const join = (runtime: Runtime, id: string) => {
  const pid = runtime.spawn(new Adder(id));
  return runtime.dispatch(Registry.of(runtime), (registry) => registry.register('adders', pid));
};

describe('Group', () => {
  let world: Simulation;
  let here: Runtime;
  let there: Runtime;
  beforeEach(async () => {
    world = new Simulation({ latency: [1, 5] });
    here = await world.start('here', { onError: () => {} });
    there = await world.start('there', { onError: () => {} });
    for (const runtime of [here, there]) Registry.of(runtime);
    await world.advance('1s');
  });
  afterEach(async () => {
    await world.stop();
  });

  const spawn = (runtime: Runtime, options: Partial<GroupOptions<Kind>> = {}) =>
    runtime.spawn(new Group<Kind>('group', { name: 'adders', kinds: [Add, Fail, First, Stuck], ...options }));

  it('passes messages to the members of a name in turn, wherever they are; they answer the asker', async () => {
    const group = spawn(here);
    for (const [runtime, id] of [
      [here, 'a'],
      [there, 'b'],
      [there, 'c'],
    ] as const)
      await join(runtime, id);
    await world.advance('1s');
    const sums = Array.from({ length: 9 }, (_, n) => here.ask(group, Add, { n }, { reply: Sum }));
    await world.advance('1s');
    expect(sums.map((sum) => sum.get().n)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('passes on what comes before it knows the members', async () => {
    await join(here, 'a');
    await join(there, 'b');
    await world.advance('1s');
    const group = spawn(here);
    const sums = [1, 2].map((n) => here.ask(group, Add, { n }, { reply: Sum }));
    await world.advance('1s');
    expect(sums.map((sum) => sum.get().n)).to.deep.equal([2, 3]);
  });

  it('begins without members if the registry ends before it answers', async () => {
    const registry = Registry.of(here);
    const group = spawn(here);
    here.terminate(registry);
    const early = here.ask(group, Add, { n: 1 }, { reply: Sum });
    await world.advance('100ms');
    expect(early.failure()).to.be.instanceOf(ProcessGone);
    await join(here, 'a');
    await world.advance('2s');
    const late = here.ask(group, Add, { n: 1 }, { reply: Sum });
    await world.advance('100ms');
    expect(late.get().n).to.equal(2);
  });

  it('gives the member the true sender, and to each its turn', async () => {
    const listeners = ['a', 'b', 'c'].map((id) => new Listener(id));
    const group = spawn(here);
    for (const [index, listener] of listeners.entries()) {
      const runtime = index === 0 ? here : there;
      const pid = runtime.spawn(listener);
      await dispatch(Registry.of(runtime), (registry) => registry.register('adders', pid));
    }
    await world.advance('1s');
    const sender = here.spawn(new Listener('sender'));
    for (let n = 0; n < 6; n++) await dispatch(sender, (process) => process.tell(group, First, n));
    await world.advance('1s');
    for (const { heard, senders } of listeners) {
      expect(heard).to.have.length(2);
      for (const from of senders) expect(from.equals(sender)).to.equal(true);
    }
  });

  it('gives all messages of a key to one member', async () => {
    const group = spawn(here, { choice: { consistentHash: (body) => String(body.n % 10) } });
    const listeners = ['a', 'b', 'c'].map((id) => new Listener(id));
    for (const [index, listener] of listeners.entries()) {
      const runtime = index === 0 ? here : there;
      const pid = runtime.spawn(listener);
      await dispatch(Registry.of(runtime), (registry) => registry.register('adders', pid));
    }
    await world.advance('1s');
    for (let n = 0; n < 100; n++) here.send(group, First, { n });
    await world.advance('1s');
    const keys = listeners.map(({ heard }) => [...new Set(heard.map((line) => Number(line.split(' ')[1]) % 10))]);
    expect(keys.flat().sort((one, other) => one - other)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('what comes from another node goes to members of this one, and they answer it', async () => {
    const group = spawn(here);
    await join(here, 'a');
    await join(there, 'b');
    await world.advance('1s');
    const third = await world.start('third');
    const sums = Array.from({ length: 4 }, (_, n) =>
      third.ask(third.pid(group.toString()), Add, { n }, { reply: Sum }),
    );
    await world.advance('1s');
    expect(sums.map((sum) => sum.get().n)).to.deep.equal([1, 2, 3, 4]);
  });

  it('fails an ask whose member crashes over it, and one that nobody can be given', async () => {
    const group = spawn(here);
    await world.advance('1s');
    const early = here.ask(group, Add, { n: 1 }, { reply: Sum });
    await world.advance('100ms');
    expect(early.failure()).to.be.instanceOf(ProcessGone);
    await join(there, 'b');
    await world.advance('1s');
    const broken = here.ask(group, Fail, { n: 1 }, { reply: Sum });
    await world.advance('100ms');
    expect(broken.failure()).to.be.instanceOf(ProcessGone).with.property('message').that.contains('out of order');
    await world.advance('100ms');
    const late = here.ask(group, Add, { n: 1 }, { reply: Sum });
    await world.advance('100ms');
    expect(late.failure()).to.be.instanceOf(ProcessGone);
  });

  it('fails an ask whose member is lost with its node as soon as that is known', async () => {
    const group = spawn(here);
    await join(there, 'b');
    await world.advance('1s');
    // Somebody else's question, so that the node is known.
    here.ask(group, Add, { n: 1 }, { reply: Sum });
    await world.advance('1s');
    const open = here.ask(group, Stuck, { n: 1 }, { reply: Sum, timeout: '1hrs' });
    await world.advance('100ms');
    world.crash('there');
    await world.advance('1mins');
    expect(open.failure()).to.be.instanceOf(OutcomeUnknown);
  });

  it('finds the registry again after that has ended', async () => {
    const group = spawn(here);
    await world.settle();
    here.terminate(Registry.of(here));
    await world.advance('5s');
    expect(Registry.find(here)).to.equal(undefined);
    await join(here, 'a');
    await world.advance('1s');
    const sum = here.ask(group, Add, { n: 1 }, { reply: Sum });
    await world.settle();
    expect(sum.get().n).to.equal(2);
  });
});

inEveryWorld((world) => {
  it('Group: reaches the members that another node registered', async () => {
    const here = await world.start('here');
    const there = await world.start('there');
    const group = here.spawn(new Group('group', { name: 'adders', kinds: [Add] }));
    await outcome(world, join(there, 'a'));
    let sum = 0;
    await world.until(() => {
      here.ask(group, Add, { n: 1 }, { reply: Sum }).onReady(({ n }) => {
        sum = n;
      });
      return sum === 2;
    });
  });
});
