import { expect } from 'chai';
import { AllocatorWorld } from './allocator-world.ts';
import { reserved, withResources } from './allocated-entry.ts';

const half = 'cpus:1;mem:512';
const whole = 'cpus:2;mem:1024';

async function quotaOf(setting: AllocatorWorld, role: string, what: string): Promise<number | undefined> {
  return setting.metric(`quota/roles/${role}/resources/cpus/${what}`);
}

describe('quota, reservations and nested roles', () => {
  it('ALLOC-44 counts what is reserved to a role as consumed, whether somebody has it or not', async () => {
    for (const isHeld of [true, false]) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin();
      master.exactly('r', 'cpus:3;mem:1536');
      master.framework('f', ['r']);
      master.framework('g', ['other']);
      master.agent('a', 'cpus(r):2;mem(r):1024');
      await world.settle();
      const first = master.one();
      expect(first).to.deep.include({ framework: 'f', resources: 'cpus(r):2;mem(r):1024' });
      if (isHeld) master.launch(first);
      else master.recover(first, 3600);
      expect(await quotaOf(setting, 'r', 'offered_or_allocated')).to.equal(2);
      expect(await quotaOf(setting, 'r', 'consumed')).to.equal(2);
      // 1 cpu and 512 MB are left of it.
      master.agent('b', 'cpus:3;mem:2048');
      await world.settle();
      expect(master.amounts(), `held: ${isHeld}`).to.deep.equal([`f ${half}`, 'g cpus:2;mem:1536']);
      expect(await quotaOf(setting, 'r', 'offered_or_allocated')).to.equal(3);
      expect(await quotaOf(setting, 'r', 'consumed')).to.equal(2);
    }
  });

  it('ALLOC-45 does not take what is reserved to other roles for something that guarantees can be met with', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('absent', whole);
    master.framework('f', ['r']);
    // Of r itself, which is not guaranteed anything, and of a role that nobody is in.
    master.agent('a', 'cpus(r):2;mem(r):1024');
    master.agent('b', 'cpus(nobody):4;mem(nobody):4096');
    await world.settle();
    const own = master.one();
    expect(own.resources).to.equal('cpus(r):2;mem(r):1024');
    master.agent('c', whole);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    // Nor is it missed in what is free.
    master.agent('d', half);
    await world.settle();
    expect(master.amounts()).to.deep.equal([`f ${half}`]);
    // The same when nobody has it.
    master.recover(own, 3600);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.agent('e', half);
    await world.settle();
    expect(master.amounts()).to.deep.equal([`f ${half}`]);
  });

  it('ALLOC-46 keeps nothing for a role with more reserved than guaranteed, and takes nothing off what is kept for others', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('rich', half);
    master.quota('absent', half);
    master.framework('f', ['r']);
    master.agent('a', 'cpus(rich):4;mem(rich):4096');
    master.agent('b', half);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.agent('c', half);
    await world.settle();
    expect(master.amounts()).to.deep.equal([`f ${half}`]);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.quota('absent', '');
    await world.advance('1s');
    expect(master.amounts()).to.deep.equal([`f ${half}`]);
  });

  it('ALLOC-47 does not change its accounts when what a role has is reserved or unreserved', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r', whole);
    master.framework('f', ['r']);
    master.framework('g', ['other']);
    master.agent('a', whole);
    await world.settle();
    const first = master.one();
    expect(first.framework).to.equal('f');
    master.launch(first);
    const accounts = async (): Promise<readonly (number | undefined)[]> => [
      await quotaOf(setting, 'r', 'offered_or_allocated'),
      await quotaOf(setting, 'r', 'consumed'),
    ];
    expect(await accounts()).to.deep.equal([2, 2]);
    const isFull = async (agent: string): Promise<void> => {
      master.agent(agent, half);
      await world.settle();
      expect(master.amounts()).to.deep.equal([`g ${half}`]);
    };
    const reservation = reserved('r', half);
    // The running tasks give back a part, which is reserved and used again.
    master.finish(withResources(first, half));
    const part = withResources(first, half);
    await world.advance('1s');
    expect(master.one()).to.deep.equal(part);
    expect(await accounts()).to.deep.equal([2, 1]);
    const after = master.operate(part, { type: 'RESERVE', resources: reservation });
    expect(await accounts()).to.deep.equal([2, 2]);
    await isFull('b');
    master.launch(after);
    expect(await accounts()).to.deep.equal([2, 2]);
    master.finish(after);
    await world.advance('1s');
    expect(master.one()).to.deep.equal(after);
    const again = master.operate(after, { type: 'UNRESERVE', resources: reservation });
    expect(again).to.deep.equal(part);
    expect(await accounts()).to.deep.equal([2, 1]);
    await isFull('c');
    master.launch(again);
    expect(await accounts()).to.deep.equal([2, 2]);
  });

  it('ALLOC-51 counts what roles below the guaranteed one have reserved or allocated, also for what is kept', async () => {
    for (const how of ['reserved', 'allocated']) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin();
      master.exactly('a', 'cpus:3;mem:1536');
      if (how === 'allocated') {
        master.framework('below', ['a/b']);
        master.agent('first', half, { used: { below: 'cpus(allocated: a/b):1;mem(allocated: a/b):512' } });
      } else {
        master.agent('first', 'cpus(a/b):1;mem(a/b):512');
      }
      expect(await quotaOf(setting, 'a', 'offered_or_allocated'), how).to.equal(1);
      master.suppress('below');
      // 2 cpus and 1024 MB are kept.
      master.framework('other', ['r']);
      master.agent('second', 'cpus:3;mem:4096');
      await world.settle();
      const rest = master.one();
      expect(rest, how).to.deep.include({ framework: 'other', resources: 'cpus:1;mem:3072' });
      // And are all that the role itself can still have.
      master.recover(rest, 3600);
      master.framework('own', ['a']);
      await world.advance('1s');
      expect(master.amounts(), how).to.deep.equal([`own ${whole}`]);
    }
  });
});
