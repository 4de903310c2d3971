import { expect } from 'chai';
import { PID } from '@mezzo/process';
import { AllocatorWorld, FakeMaster } from './fake-master.ts';

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
    expect(await setting.metric('allocator/mesos/ignored_messages')).to.equal(1);
    rival.framework('stolen');
    master.framework('f');
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
    expect(await setting.metric('allocator/mesos/ignored_messages')).to.equal(2);
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

  it('ignores options that make no sense, and goes on with what it has', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    await world.settle();
    master.begin(0);
    master.begin(0.001);
    master.begin(1000, ['garbage!!']);
    master.begin(1000, ['cpus:1', 'mem=2']);
    await world.advance('3s');
    expect(await setting.metric('allocator/mesos/ignored_messages')).to.equal(4);
    master.agent('a', whole);
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });
});
