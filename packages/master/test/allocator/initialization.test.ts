import { expect } from 'chai';
import { PID } from '@mezzo/process';
import { createAllocator } from '@mezzo/master';
import { AllocatorWorld } from './allocator-world.ts';
import { reserved } from './allocated-entry.ts';
import { FakeMaster } from './fake-master.ts';

const whole = 'cpus:2;mem:1024';

describe('an allocator and its master', () => {
  it('serves one master: another is refused while that lives, and gets the seat when it is gone', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world, allocator } = setting;
    master.begin();
    master.agent('a', whole);
    await world.settle();
    const rival = new FakeMaster(allocator);
    (await world.start('rival')).spawn(rival);
    rival.begin();
    await world.advance('1s');
    expect(rival.isInitialized).to.equal(false);
    expect(await setting.metric('ignored_messages')).to.equal(1);
    rival.framework('stolen');
    master.framework('f');
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
    expect(await setting.metric('ignored_messages')).to.equal(2);
    const taken = rival.updateAvailable('a', { type: 'RESERVE', resources: reserved('r', 'cpus:1') });
    await world.settle();
    expect(taken.get().fault).to.match(/another master/);
    master.end();
    await world.settle();
    rival.begin();
    rival.agent('b', whole);
    rival.framework('f');
    await world.advance('1s');
    expect(rival.isInitialized).to.equal(true);
    expect(rival.pairs()).to.deep.equal(['f<-b']);
  });

  it('takes the master that was started again under the same address, and starts empty for it', async () => {
    await using setting = await AllocatorWorld.start();
    const { world, allocator } = setting;
    const begin = async (): Promise<FakeMaster> => {
      const master = new FakeMaster(allocator);
      (await world.start('other')).spawn(master);
      master.begin();
      await world.advance('5s');
      return master;
    };
    (await begin()).agent('a', whole);
    world.crash('other');
    const next = await begin();
    expect(next.isInitialized).to.equal(true);
    next.framework('f');
    await world.advance('1s');
    expect(next.pairs()).to.deep.equal([]);
  });

  it('takes no master but the one it was made for, if it was made for one', async () => {
    await using setting = await AllocatorWorld.start({ master: PID.parse('leader@node') });
    const { master, world, allocator } = setting;
    master.begin();
    await world.settle();
    expect(master.isInitialized).to.equal(false);
    const leader = new FakeMaster(allocator, 'leader');
    setting.runtime.spawn(leader);
    leader.begin();
    await world.settle();
    expect(leader.isInitialized).to.equal(true);
  });

  it('hears nothing before it is initialised, and starts empty when it is again', async () => {
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
    expect(await setting.metric('resources/cpus/total')).to.equal(0);
  });

  it('ignores options that make no sense, and goes on with what it has', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    await world.settle();
    master.begin({ interval: 0 });
    master.begin({ interval: 0.001 });
    await world.advance('3s');
    expect(await setting.metric('ignored_messages')).to.equal(2);
    master.agent('a', whole);
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });

  it('after a failover with quotas offer nothing until enough agents are back, or the time is over', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    const begin = (expected: number, quotas: Record<string, string>): void => {
      master.begin();
      master.failOver(expected, quotas, { timeout: 60_000 });
      master.framework('f', ['r']);
    };
    begin(5, { r: 'cpus:1' });
    for (const id of ['a', 'b', 'c']) master.agent(id, whole);
    await world.advance('5s');
    expect(master.take()).to.deep.equal([]);
    expect(await setting.metric('quota/roles/r/resources/cpus/guarantee')).to.equal(1);
    master.agent('d', whole);
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-a', 'f<-b', 'f<-c', 'f<-d']);
    begin(5, { r: 'cpus:1' });
    master.agent('a', whole);
    await world.advance('59s');
    expect(master.take()).to.deep.equal([]);
    await world.advance('2s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
    // Too few to wait for, or no quota that could be hurt.
    for (const [expected, quotas] of [
      [1, { r: 'cpus:1' }],
      [100, {}],
    ] as const) {
      begin(expected, quotas);
      master.agent('a', whole);
      await world.settle();
      expect(master.pairs()).to.deep.equal(['f<-a']);
    }
  });

  it('is made by name, and an unknown name is refused with those there are', () => {
    expect(() => createAllocator('HierarchicalDRF')).not.to.throw();
    expect(() => createAllocator('clever')).to.throw(RangeError, /'clever'.*hierarchical/);
  });
});
