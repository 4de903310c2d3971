import { expect } from 'chai';
import { AllocatorWorld } from './allocator-world.ts';

const whole = 'cpus:2;mem:1024';
const soon = { start: 1_000_000_000_000, duration: 60_000 };

describe('maintenance', () => {
  it('ALLOC-32 asks those who hold something on the agent to give it back, once at a time, and not while they refuse', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    for (const id of ['a', 'b']) {
      master.agent(id, whole);
      await world.settle();
    }
    expect(master.pairs()).to.deep.equal(['f1<-a', 'f2<-b']);
    await world.advance('2s');
    expect(master.takeInverse()).to.deep.equal([]);
    master.unavailable('a', soon);
    await world.settle();
    const asked = { framework: 'f1', agent: 'a', unavailability: soon };
    expect(master.takeInverse()).to.deep.equal([asked]);
    await world.advance('3s');
    expect(master.takeInverse()).to.deep.equal([]);
    // Answered without a filter: asked again.
    master.answerInverse(asked, 'ACCEPT');
    await world.advance('1s');
    expect(master.takeInverse()).to.deep.equal([asked]);
    master.answerInverse(asked, 'DECLINE', 10);
    await world.advance('9900ms');
    expect(master.takeInverse()).to.deep.equal([]);
    const statuses = master.inverseOfferStatuses();
    await world.settle();
    expect(
      statuses.get().statuses.map(({ agentId, frameworkId, status }) => [agentId, frameworkId, status]),
    ).to.deep.equal([['a', 'f1', 'DECLINE']]);
    await world.advance('2s');
    expect(master.takeInverse()).to.deep.equal([asked]);
    // A short refusal outlives the next run, also when both are due at the same moment.
    await world.advance('100ms');
    master.answerInverse(asked, 'DECLINE', 0.1);
    await world.advance('1s');
    expect(master.takeInverse()).to.deep.equal([]);
    await world.advance('1s');
    expect(master.takeInverse()).to.deep.equal([asked]);
    // Another time: who refused is asked at once.
    master.answerInverse(asked, 'DECLINE', 3600);
    master.unavailable('a', { start: soon.start });
    await world.settle();
    expect(master.takeInverse()).to.deep.equal([{ ...asked, unavailability: { start: soon.start } }]);
    master.unavailable('a');
    await world.advance('2s');
    expect(master.takeInverse()).to.deep.equal([]);
    const after = master.inverseOfferStatuses();
    await world.settle();
    expect(after.get().statuses).to.deep.equal([]);
  });

  it('forgets refusals when the framework revives or is updated, and does not ask one that is not active', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole, { unavailability: soon });
    await world.settle();
    const asked = { framework: 'f', agent: 'a', unavailability: soon };
    expect(master.takeInverse()).to.deep.equal([asked]);
    master.answerInverse(asked, 'DECLINE', 3600);
    await world.advance('2s');
    expect(master.takeInverse()).to.deep.equal([]);
    master.revive('f');
    await world.settle();
    expect(master.takeInverse()).to.deep.equal([asked]);
    master.answerInverse(asked, 'DECLINE', 3600);
    master.updateFramework('f', ['*']);
    await world.advance('1s');
    expect(master.takeInverse()).to.deep.equal([asked]);
    master.deactivate('f');
    master.answerInverse(asked, 'DECLINE');
    await world.advance('2s');
    expect(master.takeInverse()).to.deep.equal([]);
    master.activate('f');
    await world.settle();
    expect(master.takeInverse()).to.deep.equal([asked]);
  });

  it('asks for agents that are not offered as well', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    master.take();
    master.whitelist([]);
    master.deactivateAgent('a');
    master.unavailable('a', soon);
    await world.settle();
    expect(master.takeInverse()).to.have.length(1);
  });

  it('ALLOC-33 is not confused by an agent whose resources a framework uses that is not known yet', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    const used = { later: 'cpus(allocated: r):1;mem(allocated: r):512' };
    master.agent('a', whole, { used, unavailability: soon });
    await world.settle();
    expect(master.amounts()).to.deep.equal(['f cpus:1;mem:512']);
    expect(master.takeInverse().map(({ framework }) => framework)).to.deep.equal(['f']);
    await world.advance('2s');
    expect(master.takeInverse()).to.deep.equal([]);
    expect(await setting.metric('allocation_runs')).to.be.at.least(3);
    master.framework('later', ['r'], { used: { a: 'cpus:1;mem:512' } });
    await world.settle();
    expect(master.takeInverse()).to.deep.equal([{ framework: 'later', agent: 'a', unavailability: soon }]);
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(2);
  });
});
