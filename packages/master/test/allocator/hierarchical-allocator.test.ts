import { expect } from 'chai';
import { AgentID, allocatorMessages, FrameworkID } from '@mezzo/protocol';
import { createAllocator } from '@mezzo/master';
import { AllocatorWorld } from './fake-master.ts';

const whole = 'cpus:2;mem:1024';

describe('the hierarchical allocator', () => {
  it('ALLOC-01 gives whole agents to the role with the lowest share', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    master.agent('a1', 'cpus:2;mem:1024');
    await world.settle();
    expect(master.take()).to.deep.equal([{ framework: 'f1', role: 'r1', agent: 'a1', resources: whole }]);
    master.agent('a2', 'cpus:1;mem:512');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f2<-a2']);
    // r1 has 2 of 6 cpus, r2 1 of 6.
    master.agent('a3', 'cpus:3;mem:2048');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f2<-a3']);
    // r1 has 2 of 10 cpus, r2 4 of 10; a second framework of r1 has nothing yet and comes first within it.
    master.framework('f3', ['r1']);
    master.agent('a4', 'cpus:4;mem:4096');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f3<-a4']);
  });

  it('ALLOC-02 offers what is reserved only to its role, with the unreserved rest', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    master.agent('a1', 'cpus(r2):2;mem(r2):512');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f2<-a1']);
    master.agent('a2', 'cpus(r2):1;mem(r2):64;cpus:1;mem:64');
    await world.settle();
    expect(master.take().map(({ framework, resources }) => `${framework} ${resources}`)).to.deep.equal([
      'f1 cpus:1;mem:64',
      'f2 cpus(r2):1;mem(r2):64',
    ]);
  });

  it('ALLOC-05 hides what was refused, and less, for refuse_seconds; more is offered', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    const [first] = master.take();
    if (first === undefined) throw new Error('nothing allocated');
    master.recover(first, 10);
    await world.advance('9900ms');
    expect(master.take()).to.deep.equal([]);
    expect(await setting.metric('allocator/mesos/offer_filters/roles/*/active')).to.equal(1);
    await world.advance('1100ms');
    expect(master.pairs()).to.deep.equal(['f<-a']);
    expect(await setting.metric('allocator/mesos/offer_filters/roles/*/active')).to.equal(0);
    master.recover({ ...first, resources: 'cpus:1;mem:512' }, 10);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    // Together with the other half it is more than was refused.
    master.recover({ ...first, resources: 'cpus:1;mem:512' }, 0);
    await world.advance('1s');
    expect(master.take()).to.deep.equal([first]);
  });

  it('ALLOC-06 keeps a short filter until after the next periodic run', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin(5000);
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    const [first] = master.take();
    if (first === undefined) throw new Error('nothing allocated');
    // Refused at the moment of a run: both the next run and the filter are due 5 s later.
    await world.advance('5s');
    master.recover(first, 0.1);
    await world.advance('5s');
    expect(master.take()).to.deep.equal([]);
    await world.advance('5s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });

  it('takes a negative or invalid refuse_seconds for 5 s, and none at all for 0', async () => {
    for (const [refused, hidden] of [
      [-1, true],
      [Number.NaN, true],
      [0, false],
    ] as const) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin();
      master.framework('f');
      master.agent('a', whole);
      await world.settle();
      const [first] = master.take();
      if (first === undefined) throw new Error('nothing allocated');
      master.recover(first, refused);
      await world.advance('4s');
      expect(master.pairs(), String(refused)).to.deep.equal(hidden ? [] : ['f<-a']);
      await world.advance('2s');
      expect(master.pairs()).to.deep.equal(hidden ? ['f<-a'] : []);
    }
  });

  it('ALLOC-07 splits two agents between two frameworks in one run', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.agent('a1', whole);
    master.agent('a2', whole);
    master.framework('f1');
    master.framework('f2');
    await world.settle();
    expect(
      master
        .pairs()
        .map((pair) => pair.slice(0, 2))
        .toSorted(),
    ).to.deep.equal(['f1', 'f2']);
    expect(await setting.metric('allocator/mesos/allocation_runs')).to.equal(1);
  });

  it('ALLOC-08 serves frameworks of equal share equally often', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1');
    master.framework('f2');
    master.agent('a', whole);
    const served = { f1: 0, f2: 0 };
    for (let round = 0; round < 10; round++) {
      await world.advance('1s');
      for (const entry of master.take()) {
        served[entry.framework as 'f1' | 'f2']++;
        master.recover(entry, 0);
      }
    }
    expect(served).to.deep.equal({ f1: 5, f2: 5 });
  });

  it('ALLOC-09 counts what is used once, whichever of framework and agent comes first', async () => {
    for (const agentFirst of [true, false]) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin();
      const used = 'cpus(allocated: *):1;mem(allocated: *):512';
      const agent = (): void => master.agent('a', whole, { f: used });
      const framework = (): void => master.framework('f', ['*'], { used: { a: used } });
      if (agentFirst) agent();
      framework();
      if (!agentFirst) agent();
      await world.settle();
      expect(master.take().map(({ resources }) => resources)).to.deep.equal(['cpus:1;mem:512']);
      expect(await setting.metric('allocator/mesos/resources/cpus/offered_or_allocated')).to.equal(2);
      expect(await setting.metric('allocator/mesos/roles/*/shares/dominant')).to.equal(1);
    }
  });

  it('ALLOC-10 offers what is recovered in the next periodic run, not before', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.advance('100ms');
    for (const entry of master.take()) master.recover(entry);
    await world.advance('800ms');
    expect(master.take()).to.deep.equal([]);
    await world.advance('200ms');
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });

  it('ALLOC-11 offers nothing below the minimum, reserved and unreserved taken together', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r']);
    master.agent('little', 'cpus:0.009;mem:31');
    master.agent('cpu', 'cpus:0.01');
    master.agent('mem', 'mem:32');
    master.agent('both', 'mem:16;mem(r):16');
    await world.settle();
    expect(
      master
        .take()
        .map(({ agent }) => agent)
        .toSorted(),
    ).to.deep.equal(['both', 'cpu', 'mem']);
  });

  it('needs every part of one alternative, and counts numbers of ranges and items of sets', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin(1000, ['cpus:1;mem:64', 'ports:3', 'zones:2']);
    master.framework('f');
    master.agent('half', 'cpus:4;ports:[1-2];zones:{a}');
    master.agent('whole', 'cpus:1;mem:64');
    master.agent('ports', 'ports:[1-2,8-8]');
    master.agent('zones', 'zones:{a,b}');
    await world.settle();
    expect(
      master
        .take()
        .map(({ agent }) => agent)
        .toSorted(),
    ).to.deep.equal(['ports', 'whole', 'zones']);
  });

  it('ALLOC-23 forgets what was held on an agent that is gone; recovering it later does no harm', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    const [first] = master.take();
    if (first === undefined) throw new Error('nothing allocated');
    master.tell(allocatorMessages.RemoveAgent, { agentId: AgentID('a') });
    await world.settle();
    expect(await setting.metric('allocator/mesos/resources/cpus/offered_or_allocated')).to.equal(0);
    master.recover(first, 5);
    master.agent('a', whole);
    await world.settle();
    expect(master.take()).to.deep.equal([first]);
  });

  it('ALLOC-22 forgets filters of an agent that was removed', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    for (const entry of master.take()) master.recover(entry, 3600);
    master.tell(allocatorMessages.RemoveAgent, { agentId: AgentID('a') });
    master.agent('a', whole);
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });

  it('ALLOC-24 passes over a framework that cannot use an agent', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1');
    master.framework('f2', ['*'], { capabilities: ['GPU_RESOURCES'] });
    master.agent('a', `${whole};gpus:1`);
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f2<-a']);
  });

  it('ALLOC-28 offers nothing to a deactivated framework, and forgets its filters', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    for (const entry of master.take()) master.recover(entry, 3600);
    master.tell(allocatorMessages.DeactivateFramework, { frameworkId: FrameworkID('f') });
    master.agent('b', whole);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.tell(allocatorMessages.ActivateFramework, { frameworkId: FrameworkID('f') });
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-a', 'f<-b']);
  });

  it('ALLOC-29 stops offers on suppress; revive brings them back at once and forgets filters', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    for (const entry of master.take()) master.recover(entry, 3600);
    master.tell(allocatorMessages.SuppressOffers, { frameworkId: FrameworkID('f'), roles: [] });
    master.agent('b', whole);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.tell(allocatorMessages.ReviveOffers, { frameworkId: FrameworkID('f'), roles: [] });
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-a', 'f<-b']);
  });

  it('ALLOC-30 suppresses and revives single roles', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r1', 'r2'], { capabilities: ['MULTI_ROLE'] });
    master.tell(allocatorMessages.SuppressOffers, { frameworkId: FrameworkID('f'), roles: ['r1'] });
    master.agent('a', whole);
    master.agent('b', whole);
    await world.settle();
    expect(master.take().map(({ role }) => role)).to.deep.equal(['r2', 'r2']);
    master.tell(allocatorMessages.ReviveOffers, { frameworkId: FrameworkID('f'), roles: ['r1'] });
    master.agent('c', whole);
    await world.settle();
    expect(master.take().map(({ role }) => role)).to.deep.equal(['r1']);
  });

  it('ALLOC-31 shares agents in proportion to weights', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.tell(allocatorMessages.UpdateWeights, { weights: [{ role: 'r2', weight: 2 }] });
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    for (let number = 0; number < 12; number++) master.agent(`a${number}`, whole);
    await world.settle();
    const roles = master.take().map(({ role }) => role);
    expect(roles.filter((role) => role === 'r1')).to.have.length(4);
    expect(roles.filter((role) => role === 'r2')).to.have.length(8);
  });

  it('offers nothing of a deactivated agent until it is activated', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.agent('a', whole);
    master.tell(allocatorMessages.DeactivateAgent, { agentId: AgentID('a') });
    master.framework('f');
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.tell(allocatorMessages.ActivateAgent, { agentId: AgentID('a') });
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });

  it('stops offering for a role that was given up, and keeps what is held in it', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r1'], { capabilities: ['MULTI_ROLE'] });
    master.agent('a', whole);
    await world.settle();
    const [held] = master.take();
    if (held === undefined) throw new Error('nothing allocated');
    master.tell(allocatorMessages.UpdateFramework, {
      frameworkId: FrameworkID('f'),
      roles: ['r2'],
      capabilities: ['MULTI_ROLE'],
    });
    master.agent('b', whole);
    await world.settle();
    expect(master.take().map(({ role, agent }) => `${role} ${agent}`)).to.deep.equal(['r2 b']);
    expect(await setting.metric('allocator/mesos/roles/r1/shares/dominant')).to.equal(0.5);
    master.recover(held);
    await world.settle();
    expect(await setting.metric('allocator/mesos/roles/r1/shares/dominant')).to.equal(undefined);
  });

  it('ALLOC-53 tells totals and what is offered or allocated, and drops a role’s metrics with the role', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    expect(await setting.metric('allocator/mesos/resources/cpus/total')).to.equal(0);
    master.begin();
    master.framework('f', ['r']);
    master.agent('a', 'cpus:2;mem:1024;gpus:1');
    master.agent('b', 'cpus:1');
    await world.settle();
    expect(await setting.metric('allocator/mesos/resources/cpus/total')).to.equal(3);
    expect(await setting.metric('allocator/mesos/resources/gpus/total')).to.equal(1);
    expect(await setting.metric('allocator/mesos/resources/cpus/offered_or_allocated')).to.equal(1);
    expect(await setting.metric('allocator/mesos/roles/r/shares/dominant')).to.be.closeTo(1 / 3, 1e-9);
    master.tell(allocatorMessages.RemoveFramework, { frameworkId: FrameworkID('f') });
    await world.settle();
    expect(await setting.metric('allocator/mesos/resources/cpus/offered_or_allocated')).to.equal(0);
    expect(await setting.metric('allocator/mesos/roles/r/shares/dominant')).to.equal(undefined);
  });

  it('hears only the master that initialised it, and starts empty for it', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.framework('early');
    master.agent('a', whole);
    await world.settle();
    expect(master.take()).to.deep.equal([]);
    master.begin();
    await world.settle();
    expect(master.isInitialized).to.equal(true);
    master.framework('f');
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.agent('a', whole);
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f<-a']);
    master.begin();
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    expect(await setting.metric('allocator/mesos/resources/cpus/total')).to.equal(0);
  });

  it('gives the same allocations for the same seed', async () => {
    const history = async (seed: number): Promise<string[]> => {
      await using setting = await AllocatorWorld.start({ seed });
      const { master, world } = setting;
      master.begin();
      for (const id of ['f1', 'f2', 'f3']) master.framework(id);
      for (let number = 0; number < 20; number++) master.agent(`a${number}`, whole);
      await world.settle();
      return master.pairs();
    };
    expect(await history(7)).to.deep.equal(await history(7));
    expect(await history(7)).not.to.deep.equal(await history(8));
  });

  it('is made by name, and an unknown name is refused with those there are', () => {
    expect(() => createAllocator('HierarchicalDRF')).not.to.throw();
    expect(() => createAllocator('clever')).to.throw(RangeError, /'clever'.*hierarchical/);
  });
});
