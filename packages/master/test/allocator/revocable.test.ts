import { expect } from 'chai';
import { AllocatorWorld } from './allocator-world.ts';

const capabilities = ['REVOCABLE_RESOURCES'];

describe('revocable resources', () => {
  it('ALLOC-19 are offered at once when there are more of them; when there are less than are held, no more are', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r'], { capabilities });
    master.agent('a', 'cpus:2;mem:1024');
    await world.settle();
    const regular = master.one();
    const oversubscribed = async (cpus: number): Promise<string[]> => {
      master.updateAgent('a', { total: `cpus:2;mem:1024;cpus{REV}:${cpus}` });
      await world.settle();
      return master.take().map(({ resources }) => resources);
    };
    expect(await oversubscribed(2)).to.deep.equal(['cpus{REV}:2']);
    expect(await oversubscribed(5)).to.deep.equal(['cpus{REV}:3']);
    expect(await oversubscribed(4)).to.deep.equal([]);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.recover(regular);
    await world.advance('1s');
    expect(master.one().resources).to.equal('cpus:2;mem:1024');
    expect(await oversubscribed(6)).to.deep.equal(['cpus{REV}:1']);
  });

  it('ALLOC-26 are offered only to frameworks with REVOCABLE_RESOURCES, and to these again when they are recovered', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.agent('a', 'cpus:2;mem:1024;cpus{REV}:4');
    await world.settle();
    expect(master.amounts()).to.deep.equal(['f1 cpus:2;mem:1024']);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.framework('f2', ['r2'], { capabilities });
    await world.settle();
    const first = master.one();
    expect(first).to.deep.include({ framework: 'f2', resources: 'cpus{REV}:4' });
    master.recover(first);
    await world.advance('1s');
    expect(master.take()).to.deep.equal([first]);
  });

  it('count neither against a limit nor as headroom', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('r1', '', 'cpus:1;mem:1024');
    master.framework('f1', ['r1'], { capabilities });
    master.agent('a', 'cpus:1;mem:512;cpus{REV}:4');
    await world.settle();
    expect(master.amounts()).to.deep.equal(['f1 cpus:1;cpus{REV}:4;mem:512']);
    expect(await setting.metric('quota/roles/r1/resources/cpus/offered_or_allocated')).to.equal(1);
    master.quota('absent', 'cpus:1');
    master.framework('f2', ['r2']);
    master.agent('b', 'cpus:1;mem:512;cpus{REV}:4');
    await world.settle();
    // The cpu that is not revocable is kept.
    expect(master.amounts()).to.deep.equal(['f1 cpus{REV}:4', 'f2 mem:512']);
  });
});
