import { expect } from 'chai';
import { ResourceQuantities, Resources } from '@mezzo/protocol';
import { AllocatorWorld } from './allocator-world.ts';
import type { AllocatedEntry } from './allocated-entry.ts';

const half = 'cpus:1;mem:512';
const whole = 'cpus:2;mem:1024';

/** What each framework got, all agents together. */
function sums(entries: readonly AllocatedEntry[]): Record<string, string> {
  const result: Record<string, Resources> = {};
  for (const { framework, resources } of entries)
    result[framework] = (result[framework] ?? Resources.empty).plus(Resources.parse(resources));
  return Object.fromEntries(
    Object.entries(result).map(([framework, all]) => [framework, String(ResourceQuantities.of(all.quantities))]),
  );
}

describe('quota', () => {
  it('ALLOC-34 gives a role what it is guaranteed first, though another one has less', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('r1', whole);
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    for (const id of ['a', 'b', 'c', 'd']) {
      master.agent(id, half);
      await world.settle();
    }
    expect(master.pairs()).to.deep.equal(['f1<-a', 'f1<-b', 'f2<-c', 'f2<-d']);
  });

  it('ALLOC-35 limits what a role is offered, `*` too; a name without a limit is not limited, one of 0 is', async () => {
    for (const role of ['r', '*']) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin();
      master.quota(role, '', 'cpus:2;mem:2048;gpus:0');
      master.framework('f', [role], { capabilities: ['GPU_RESOURCES'] });
      for (const id of ['a', 'b', 'c']) master.agent(id, 'cpus:1.5;mem:512;disk:10;gpus:1');
      await world.settle();
      const first = master.take();
      expect(sums(first)).to.deep.equal({ f: 'cpus:2;disk:30;mem:1536' });
      await world.advance('2s');
      expect(master.take()).to.deep.equal([]);
      // Another role may have the rest; what is left of the first agent is too little to be offered.
      master.framework('g', ['other'], { capabilities: ['GPU_RESOURCES'] });
      await world.settle();
      expect(sums(master.take())).to.deep.equal({ g: 'cpus:2.5;gpus:2' });
      // What is given back can be offered again.
      for (const entry of first) master.recover(entry);
      master.suppress('g');
      await world.advance('1s');
      expect(sums(master.take())).to.deep.equal({ f: 'cpus:2;disk:30;mem:1536' });
    }
  });

  it('ALLOC-36 lets a role have everything again when it is removed', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r', half);
    master.framework('f', ['r']);
    master.agent('a', 'cpus:4;mem:4096');
    await world.settle();
    expect(master.one().resources).to.equal(half);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.quota('r', '');
    await world.advance('1s');
    expect(master.one().resources).to.equal('cpus:3;mem:3584');
    // The guarantee is gone as well: nothing is kept for the role.
    master.suppress('f');
    master.framework('g', ['other']);
    master.agent('b', half);
    await world.settle();
    expect(master.amounts()).to.deep.equal([`g ${half}`]);
  });

  it('ALLOC-37 is shared fairly by the frameworks of its role', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r', 'cpus:8;mem:4096');
    master.framework('f1', ['r']);
    master.framework('f2', ['r']);
    master.framework('f3', ['other']);
    const agent = async (id: string, total: string): Promise<string[]> => {
      master.agent(id, total);
      await world.settle();
      return master.pairs();
    };
    expect(await agent('a', 'cpus:3;mem:1536')).to.deep.equal(['f1<-a']);
    expect(await agent('b', half)).to.deep.equal(['f2<-b']);
    expect(await agent('c', half)).to.deep.equal(['f2<-c']);
    expect(await agent('d', whole)).to.deep.equal(['f2<-d']);
    expect(await agent('e', half)).to.deep.equal(['f1<-e']);
    expect(await agent('f', half)).to.deep.equal(['f3<-f']);
  });

  it('ALLOC-38 is met to the thousandth by cutting agents, of disks only those that can be cut', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r', 'cpus:2.5;mem:1000;disk:100');
    master.framework('f', ['r']);
    master.framework('g', ['other']);
    master.agent('a', 'cpus:4;mem:4096;disk[MOUNT:/m]:150');
    await world.settle();
    // No part of the MOUNT disk, which is more than the limit; nor is there more than is guaranteed for the other role.
    expect(master.amounts()).to.deep.equal(['f cpus:2.5;mem:1000', 'g cpus:1.5;mem:3096']);
    master.suppress('g');
    master.agent('b', 'cpus:1;mem:64;disk[MOUNT:/n]:60');
    await world.settle();
    expect(master.take()).to.deep.equal([]);
    master.quota('r', 'disk:100', 'cpus:3.5;mem:1064;disk:100');
    await world.advance('1s');
    expect(master.one().resources).to.equal('cpus:1;disk[MOUNT:/n]:60;mem:64');
    // 40 MB are left, of several disks.
    master.quota('r', 'disk:100', 'cpus:4.5;mem:1128;disk:100');
    master.agent('c', 'cpus:1;mem:64;disk:25;disk[PATH:/p]:25;disk[PATH:/q]:25;disk[MOUNT:/o]:41');
    await world.settle();
    const last = master.one();
    expect(sums([last])).to.deep.equal({ f: 'cpus:1;disk:40;mem:64' });
    expect(last.resources).not.to.include('MOUNT');
  });

  it('ALLOC-39 brings what is not guaranteed along only with what is, as far as it is not kept for others', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('r1', 'cpus:3');
    master.framework('f1', ['r1'], { capabilities: ['REVOCABLE_RESOURCES'] });
    master.framework('f2', ['r2'], { capabilities: ['REVOCABLE_RESOURCES'] });
    const agent = async (id: string, total: string): Promise<string[]> => {
      master.agent(id, total);
      await world.settle();
      return master.amounts();
    };
    expect(await agent('a', 'cpus:1;mem:512;ports:[1-9];cpus{REV}:1;mem(r1):10;mem(r3):20')).to.deep.equal([
      'f1 cpus:1;cpus{REV}:1;mem(r1):10;mem:512;ports:[1-9]',
    ]);
    // Nothing that is guaranteed: it goes to who has least.
    expect(await agent('b', 'mem:512;ports:[1-9]')).to.deep.equal(['f2 mem:512;ports:[1-9]']);
    // All free memory is kept for somebody who is not there.
    master.quota('absent', 'mem:512');
    expect(await agent('c', 'cpus:1;mem:512;ports:[1-9]')).to.deep.equal(['f1 cpus:1;ports:[1-9]']);
    // A part of it.
    expect(await agent('d', 'cpus:1;mem:512')).to.deep.equal(['f1 cpus:1;mem:512']);
  });

  it('ALLOC-40 leaves what is not guaranteed to fair sharing between the other roles', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r1', half);
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    master.framework('f3', ['r3']);
    const agent = async (id: string, total: string): Promise<string[]> => {
      master.agent(id, total);
      await world.settle();
      return master.amounts();
    };
    expect(await agent('a', 'cpus:4;mem:2048')).to.deep.equal([`f1 ${half}`, 'f2 cpus:3;mem:1536']);
    expect(await agent('b', half)).to.deep.equal([`f3 ${half}`]);
    expect(await agent('c', half)).to.deep.equal([`f3 ${half}`]);
    expect(await agent('d', whole)).to.deep.equal([`f3 ${whole}`]);
    expect(await agent('e', half)).to.deep.equal([`f2 ${half}`]);
  });

  it('ALLOC-41 keeps a role from starving while frameworks with less decline again and again', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    master.agent('a', half);
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f1<-a']);
    master.agent('b', half);
    await world.settle();
    for (let round = 0; round < 5; round++) {
      const entry = master.one();
      expect(entry.framework).to.equal('f2');
      master.recover(entry, 0);
      await world.advance('1s');
    }
    master.quota('r1', whole);
    master.recover(master.one(), 0);
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f1<-b']);
  });

  it('ALLOC-42 keeps what a role without frameworks is guaranteed, counting also agents that are not looked at', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('absent', whole);
    master.framework('f', ['r']);
    master.agent('a', whole);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    // Only b is looked at; a is enough for the guarantee.
    master.agent('b', half);
    await world.settle();
    const first = master.one();
    expect(first).to.deep.include({ agent: 'b', resources: half });
    master.agent('c', 'cpus:0.25;mem:2048');
    await world.settle();
    expect(master.one()).to.deep.include({ agent: 'c', resources: 'cpus:0.25;mem:2048' });
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    // When its framework comes, it is all there; and when a framework has it, nothing is kept any more.
    master.framework('g', ['absent']);
    await world.settle();
    expect(master.one()).to.deep.include({ framework: 'g', agent: 'a', resources: whole });
    master.recover(first);
    await world.advance('1s');
    expect(master.one()).to.deep.include({ framework: 'f', agent: 'b', resources: half });
  });

  it('offers what it has kept for a role when others give back enough elsewhere', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('absent', half);
    master.framework('f', ['r']);
    master.agent('a', whole);
    await world.settle();
    expect(master.amounts()).to.deep.equal([`f ${half}`]);
    master.agent('b', half);
    await world.settle();
    const given = master.one();
    expect(given).to.deep.include({ agent: 'b', resources: half });
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.recover(given, 3600);
    await world.advance('1s');
    expect(master.one()).to.deep.include({ agent: 'a', resources: half });
  });

  it('ALLOC-43 of a role without frameworks, or of one that has its own, does not stand in the way of other quotas', async () => {
    for (const first of ['absent', 'satisfied']) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin();
      // In the order of roles it comes first.
      master.quota('a', half);
      master.quota('b', whole);
      if (first === 'satisfied') {
        master.framework('fa', ['a']);
        master.agent('own', half);
        await world.settle();
        expect(master.pairs()).to.deep.equal(['fa<-own']);
      }
      master.framework('fb', ['b']);
      master.framework('fc', ['c']);
      master.agent('x', half);
      master.agent('y', half);
      await world.settle();
      expect(master.pairs().toSorted(), first).to.deep.equal(['fb<-x', 'fb<-y']);
      master.agent('z', half);
      await world.settle();
      expect(master.pairs(), first).to.deep.equal(first === 'absent' ? [] : ['fc<-z']);
    }
  });

  it('ALLOC-49 gets only what is missing of it', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r', 'cpus:4;mem:1024');
    master.framework('f', ['r']);
    master.agent('a', whole);
    await world.settle();
    expect(master.one().resources).to.equal(whole);
    master.agent('b', whole);
    await world.settle();
    expect(master.one().resources).to.equal('cpus:2');
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.framework('g', ['other']);
    await world.settle();
    expect(master.amounts()).to.deep.equal(['g mem:1024']);
  });

  it('refuses amounts that make no sense, and keeps what there is', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.exactly('r', half);
    master.framework('f', ['r']);
    for (const limits of ['cpus:-1', 'cpus:0.0001', 'cpus:1e300']) master.quota('r', '', limits);
    master.agent('a', whole);
    await world.settle();
    expect(master.one().resources).to.equal(half);
    expect(await setting.metric('ignored_messages')).to.equal(3);
  });

  it('tries again what chance has cut to less than anybody takes', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      await using setting = await AllocatorWorld.start({ seed });
      const { master, world } = setting;
      master.begin({ minAllocatable: ['disk:8'] });
      master.quota('r', '', 'disk:8');
      master.framework('f', ['r']);
      // The volume fits if it comes first; after the other disk there is no room for it.
      master.agent('a', 'disk:6;disk[MOUNT:/a]:8');
      await world.advance('30s');
      expect(master.one().resources, `seed ${seed}`).to.equal('disk[MOUNT:/a]:8');
    }
  });
});
