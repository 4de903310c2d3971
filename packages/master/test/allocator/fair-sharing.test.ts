import { expect } from 'chai';
import { AllocatorWorld } from './allocator-world.ts';
import type { AllocatedEntry } from './allocated-entry.ts';

const whole = 'cpus:2;mem:1024';

function countBy(entries: readonly AllocatedEntry[], key: 'framework' | 'role'): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const entry of entries) counts[entry[key]] = (counts[entry[key]] ?? 0) + 1;
  return counts;
}

describe('fair sharing', () => {
  it('ALLOC-01 gives whole agents to the role whose frameworks together have least, and there to who has least', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    const agent = async (id: string, total: string): Promise<string[]> => {
      master.agent(id, total);
      await world.settle();
      return master.pairs();
    };
    master.agent('a1', whole);
    await world.settle();
    expect(master.take()).to.deep.equal([{ framework: 'f1', role: 'r1', agent: 'a1', resources: whole }]);
    expect(await agent('a2', 'cpus:1;mem:512')).to.deep.equal(['f2<-a2']);
    // r1 has 2 of 6 cpus, r2 1 of 6.
    expect(await agent('a3', 'cpus:3;mem:2048')).to.deep.equal(['f2<-a3']);
    // r1 has 2 of 10 cpus, r2 4 of 10; a second framework of r1 has nothing yet and comes first within it.
    master.framework('f3', ['r1']);
    expect(await agent('a4', 'cpus:4;mem:4096')).to.deep.equal(['f3<-a4']);
    // r1's two have 6 of 11 cpus, r2 4 of 11; f1 alone has less than f2.
    expect(await agent('a5', 'cpus:1;mem:512')).to.deep.equal(['f2<-a5']);
  });

  it('ALLOC-03 leaves names that are excluded out of shares, of roles and of frameworks', async () => {
    for (const roles of [
      ['r1', 'r2'],
      ['r', 'r'],
    ] as const) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin({ fairnessExcluded: ['gpus'] });
      master.framework('f1', [roles[0]], { capabilities: ['GPU_RESOURCES'] });
      master.framework('f2', [roles[1]]);
      const agents = { a1: 'cpus:1;mem:64;gpus:1', a2: 'cpus:2;mem:128', a3: 'cpus:0.5;mem:32' };
      for (const [id, total] of Object.entries(agents)) {
        master.agent(id, total);
        await world.settle();
      }
      // f1 has all gpus but only 1 of 3.5 cpus when a3 comes, f2 2.
      expect(master.pairs()).to.deep.equal(['f1<-a1', 'f2<-a2', 'f1<-a3']);
      expect(await setting.metric(`roles/${roles[0]}/shares/dominant`)).to.be.closeTo(
        roles[0] === roles[1] ? 1 : 1.5 / 3.5,
        1e-9,
      );
    }
  });

  it('ALLOC-04 shares what a role gets between the roles below it, which count together against its siblings', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['a/b']);
    master.framework('f2', ['a/c']);
    master.framework('f3', ['d']);
    for (let number = 0; number < 12; number++) {
      master.agent(`a${number}`, whole);
      await world.settle();
    }
    expect(countBy(master.take(), 'role')).to.deep.equal({ 'a/b': 3, 'a/c': 3, d: 6 });
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
    const entries = master.take();
    expect(entries.map(({ framework }) => framework).toSorted()).to.deep.equal(['f1', 'f2']);
    expect(entries.map(({ agent }) => agent).toSorted()).to.deep.equal(['a1', 'a2']);
    expect(entries.map(({ resources }) => resources)).to.deep.equal([whole, whole]);
    expect(await setting.metric('allocation_runs')).to.equal(1);
  });

  it('ALLOC-08 serves frameworks of equal share equally often', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1');
    master.framework('f2');
    master.agent('a', whole);
    const served: AllocatedEntry[] = [];
    for (let round = 0; round < 10; round++) {
      await world.advance('1s');
      const entry = master.one();
      served.push(entry);
      master.recover(entry, 0);
    }
    expect(countBy(served, 'framework')).to.deep.equal({ f1: 5, f2: 5 });
  });

  it('ALLOC-24 passes over a framework that can use nothing of an agent, with a guarantee and without', async () => {
    for (const [total, capability, guaranteed] of [
      [`${whole};gpus:1`, 'GPU_RESOURCES', 'mem:4096'],
      ['cpus{REV}:2;mem:64', 'REVOCABLE_RESOURCES', 'mem:4096'],
      ['disk[v:/v:rw]<SHARED>:64', 'SHARED_RESOURCES', 'disk:4096'],
      ['cpus(reservations: [(STATIC,r), (DYNAMIC,r/s)]):2', 'RESERVATION_REFINEMENT', undefined],
    ] as const) {
      for (const quota of [undefined, guaranteed]) {
        await using setting = await AllocatorWorld.start();
        const { master, world } = setting;
        master.begin({ minAllocatable: ['disk:1', 'cpus:1'] });
        const role = total.includes('r/s') ? 'r/s' : 'r';
        master.framework('f1', [role]);
        master.framework('f2', [role], { capabilities: [capability] });
        if (quota !== undefined) {
          master.quota('r', quota);
          // Comes first wherever the guarantee does not.
          master.framework('rival', ['a'], { capabilities: [capability] });
        }
        master.agent('a', total);
        await world.settle();
        expect(master.pairs(), `${total}, guaranteed: ${quota}`).to.deep.equal(['f2<-a']);
      }
    }
  });

  it('ALLOC-31 shares agents in proportion to weights; new ones apply to what is shared later', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.weights({ r2: 2 });
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    for (let number = 0; number < 12; number++) master.agent(`a${number}`, whole);
    await world.settle();
    const first = master.take();
    expect(countBy(first, 'role')).to.deep.equal({ r1: 4, r2: 8 });
    master.weights({ r1: 2, r2: 1 });
    await world.advance('1s');
    expect(master.take()).to.deep.equal([]);
    for (const entry of first) master.recover(entry);
    await world.advance('1s');
    const second = master.take();
    expect(countBy(second, 'role')).to.deep.equal({ r1: 8, r2: 4 });
    master.weights({ r1: 1 });
    for (const entry of second) master.recover(entry);
    await world.advance('1s');
    expect(countBy(master.take(), 'role')).to.deep.equal({ r1: 6, r2: 6 });
  });

  it('is as fair when there are many agents that nobody takes', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1');
    master.framework('f2');
    for (let number = 0; number < 20; number++) {
      master.agent(`little${number}`, 'mem:1');
      master.agent(`whole${number}`, whole);
    }
    await world.settle();
    expect(countBy(master.take(), 'framework')).to.deep.equal({ f1: 10, f2: 10 });
    expect(await setting.metric('allocation_runs')).to.equal(1);
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
});
