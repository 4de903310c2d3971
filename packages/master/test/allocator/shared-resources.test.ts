import { expect } from 'chai';
import { Resources } from '@mezzo/protocol';
import { AllocatorWorld } from './allocator-world.ts';
import { type AllocatedEntry, withResources } from './allocated-entry.ts';

const shared = 'disk[v:data:rw]<SHARED>:64';
const capabilities = ['SHARED_RESOURCES'];
/** A task's own copy of the volume, from nothing. */
const copy = { consumed: Resources.empty, converted: Resources.parse(shared) };

describe('shared resources', () => {
  it('ALLOC-15 can be held in more copies, which leave the agent as it is, until they are recovered', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r'], { capabilities });
    master.agent('a', `cpus:2;mem:1024;${shared}`);
    await world.settle();
    const one = master.one();
    const three = master.convert(one, [copy, copy]);
    expect(three.resources).to.equal(`cpus:2;${shared};${shared};${shared};mem:1024`);
    const disk = async (what: string): Promise<number | undefined> => setting.metric(`resources/disk/${what}`);
    expect(await disk('total')).to.equal(64);
    expect(await disk('offered_or_allocated')).to.equal(64);
    master.recover(withResources(three, `${shared};${shared}`));
    expect(await disk('offered_or_allocated')).to.equal(64);
    expect(await disk('total')).to.equal(64);
    master.recover(withResources(three, `cpus:2;${shared};mem:1024`));
    expect(await disk('offered_or_allocated')).to.equal(0);
    await world.advance('1s');
    expect(master.one().resources).to.equal(one.resources);
  });

  it('ALLOC-16 are offered only to frameworks with SHARED_RESOURCES', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r']);
    master.agent('a', `cpus:2;mem:1024;disk:100;${shared}`);
    await world.settle();
    const first = master.one();
    expect(first.resources).to.equal('cpus:2;disk:100;mem:1024');
    master.recover(first, 3600);
    master.framework('f2', ['r'], { capabilities });
    await world.settle();
    expect(master.one()).to.deep.include({ framework: 'f2', resources: `cpus:2;disk:100;${shared};mem:1024` });
  });

  it('ALLOC-17 go to one framework in a run, and are offered again while they are in use', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin({ minAllocatable: [] });
    master.framework('f1', ['r1'], { capabilities });
    master.framework('f2', ['r2'], { capabilities });
    master.agent('a', `cpus:2;mem:1024;${shared}`);
    await world.settle();
    const first = master.one();
    expect(first).to.deep.include({ framework: 'f1', resources: `cpus:2;${shared};mem:1024` });
    master.launch(first);
    await world.advance('1s');
    const second = master.one();
    expect(second).to.deep.include({ framework: 'f2', resources: shared });
    master.recover(second, 3600);
    // Not what is not shared of it.
    const again: AllocatedEntry[] = [];
    for (let run = 0; run < 3; run++) {
      await world.advance('1s');
      again.push(master.one());
    }
    expect(again.map(({ framework, resources }) => `${framework} ${resources}`)).to.deep.equal(
      again.map(() => `f1 ${shared}`),
    );
  });

  it('ALLOC-48 count once against a quota, however many copies are held, by whomever of the role', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r', 'cpus:3;disk:150;mem:3072');
    master.framework('f1', ['r'], { capabilities });
    master.agent('a', `cpus:1;mem:1024;${shared}`);
    await world.settle();
    const first = master.convert(master.one(), [copy, copy]);
    master.launch(first);
    const disk = async (what: string): Promise<number | undefined> =>
      setting.metric(`quota/roles/r/resources/disk/${what}`);
    expect(await disk('offered_or_allocated')).to.equal(64);
    expect(await disk('consumed')).to.equal(64);
    // Another framework of the role gets a copy along with what is not shared.
    master.suppress('f1');
    master.framework('f2', ['r'], { capabilities });
    master.updateAgent('a', { total: `cpus:2;mem:2048;${shared}` });
    await world.settle();
    const second = master.one();
    expect(second).to.deep.include({ framework: 'f2', resources: `cpus:1;${shared};mem:1024` });
    expect(await disk('offered_or_allocated')).to.equal(64);
    // 86 MB are left of it.
    master.agent('b', 'cpus:1;mem:1024;disk:100');
    await world.settle();
    expect(master.amounts()).to.deep.equal(['f2 cpus:1;disk:86;mem:1024']);
    // It counts as long as somebody has a copy.
    master.finish(first);
    expect(await disk('offered_or_allocated')).to.equal(150);
    master.suppress('f2');
    master.recover(second);
    expect(await disk('offered_or_allocated')).to.equal(86);
    expect(await disk('consumed')).to.equal(0);
  });

  it('count once in what is held of an agent, in however many roles', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin({ minAllocatable: [] });
    for (const role of ['r', 's']) master.framework(`of-${role}`, [role], { capabilities });
    master.agent('a', `cpus:1;${shared}`);
    await world.advance('1s');
    const given = master.take();
    expect(new Set(given.map(({ role }) => role)).size).to.equal(2);
    expect(await setting.metric('resources/disk/offered_or_allocated')).to.equal(64);
    for (const one of given) master.recover(one, 3600);
    expect(await setting.metric('resources/disk/offered_or_allocated')).to.equal(0);
  });
});
