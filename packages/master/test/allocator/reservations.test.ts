import { expect } from 'chai';
import { Resources } from '@mezzo/protocol';
import { AllocatorWorld } from './allocator-world.ts';
import { reserved, textOf, withResources } from './allocated-entry.ts';

const whole = 'cpus:2;mem:1024';
const dynamic = (role: string): string => `(reservations: [(DYNAMIC,${role})])`;

describe('reservations', () => {
  it('ALLOC-02 offer what is reserved only to its role, whose share it counts in', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.framework('f2', ['r2']);
    master.agent('a1', 'cpus(r2):2;mem(r2):512');
    await world.settle();
    expect(master.amounts()).to.deep.equal(['f2 cpus(r2):2;mem(r2):512']);
    master.agent('a2', 'cpus:0.5;mem:64');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f1<-a2']);
    // Served as often; r2 has 2 of 3.5 cpus, all reserved, r1 0.5.
    master.agent('a3', 'cpus:1;mem:64');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['f1<-a3']);
    expect(await setting.metric('roles/r2/shares/dominant')).to.equal(512 / 640);
    master.agent('a4', 'cpus(r2):1;mem(r2):64;cpus:0.1;mem:16');
    await world.settle();
    expect(master.amounts()).to.deep.equal(['f1 cpus:0.1;mem:16', 'f2 cpus(r2):1;mem(r2):64']);
    // Nobody else gets it when its role does not want it.
    master.suppress('f2');
    master.agent('a5', 'cpus(r2):1;mem(r2):64');
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
  });

  it('ALLOC-13 and volumes that a framework makes of what it was offered change what it has and what the agent has', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f1', ['r1']);
    master.agent('a', 'cpus:2;mem:512;disk:100');
    await world.settle();
    const before = master.one();
    const disk = reserved('r1', 'disk:30');
    const volume = Resources.parse(`disk${dynamic('r1')}[v:data:rw]:30`);
    const after = master.operate(
      before,
      { type: 'RESERVE', resources: reserved('r1', 'cpus:1') },
      { type: 'RESERVE', resources: disk },
      { type: 'CREATE', volumes: volume },
    );
    const converted = `cpus${dynamic('r1')}:1;disk${dynamic('r1')}[v:data:rw]:30;cpus:1;disk:70;mem:512`;
    expect(after.resources).to.equal(textOf(Resources.parse(converted)));
    expect(await setting.metric('resources/disk/offered_or_allocated')).to.equal(100);
    expect(await setting.metric('resources/cpus/total')).to.equal(2);
    expect(await setting.metric('roles/r1/shares/dominant')).to.equal(1);
    master.recover(after);
    await world.advance('1s');
    expect(master.one().resources).to.equal(after.resources);
    expect(await setting.metric('resources/disk/offered_or_allocated')).to.equal(100);
    master.suppress('f1');
    master.framework('f2', ['r2']);
    master.recover(after);
    await world.advance('1s');
    expect(master.amounts()).to.deep.equal(['f2 cpus:1;disk:70;mem:512']);
  });

  it('ALLOC-14 lowers both when a conversion takes resources away', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r']);
    master.agent('a', whole);
    await world.settle();
    const taken = { consumed: Resources.parse('cpus:0.5;mem:24'), converted: Resources.empty };
    const after = master.convert(master.one(), [taken]);
    expect(await setting.metric('resources/cpus/total')).to.equal(1.5);
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(1.5);
    expect(await setting.metric('resources/mem/total')).to.equal(1000);
    expect(await setting.metric('resources/mem/offered_or_allocated')).to.equal(1000);
    master.recover(after);
    await world.advance('1s');
    expect(master.one().resources).to.equal('cpus:1.5;mem:1000');
  });

  it('ALLOC-18 are made by an operator of what nobody has, and of nothing else', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r']);
    master.suppress('f');
    master.agent('a', whole);
    await world.settle();
    const reserve = { type: 'RESERVE', resources: reserved('r', 'cpus:2') } as const;
    const first = master.updateAvailable('a', reserve);
    await world.settle();
    expect(first.get()).to.deep.equal({});
    master.revive('f');
    await world.settle();
    const offer = master.one();
    expect(offer.resources).to.equal(`cpus${dynamic('r')}:2;mem:1024`);
    const unreserve = { type: 'UNRESERVE', resources: reserved('r', 'cpus:1') } as const;
    const second = master.updateAvailable('a', unreserve);
    await world.settle();
    expect(second.get().fault).to.match(/cpus.*missing/);
    const nowhere = master.updateAvailable('nowhere', reserve);
    await world.settle();
    expect(nowhere.get().fault).to.match(/nowhere/);
    // Nothing has changed by what failed.
    master.recover(offer);
    await world.advance('1s');
    expect(master.one().resources).to.equal(offer.resources);
    // Half of it is free.
    master.suppress('f');
    master.recover(withResources(offer, `cpus${dynamic('r')}:1`));
    const third = master.updateAvailable('a', unreserve);
    await world.settle();
    expect(third.get()).to.deep.equal({});
    master.framework('g', ['r2']);
    await world.settle();
    expect(master.amounts()).to.deep.equal(['g cpus:1']);
  });

  it('ALLOC-25 of ports, or other things that are no scalars, come and go with their agents', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r']);
    const total = 'cpus:1;ports(r):[1-10];ports(other):[20-30];zones(r):{a,b}';
    for (let round = 0; round < 2; round++) {
      master.agent('a', total);
      master.agent('b', 'cpus:1;ports(unknown):[1-2]');
      await world.settle();
      expect(master.amounts()).to.deep.equal(['f cpus:1', 'f cpus:1;ports(r):[1-10];zones(r):{a,b}']);
      master.updateAgent('a', { total: 'cpus:1;ports(r):[1-5]' });
      await world.settle();
      expect(master.take()).to.deep.equal([]);
      master.removeAgent('a');
      master.removeAgent('b');
      await world.settle();
    }
    expect(await setting.metric('roles/r/shares/dominant')).to.equal(0);
    expect(await setting.metric('ignored_messages')).to.equal(0);
  });

  it('ALLOC-50 are offered to the roles below theirs too, and count to the quota of theirs', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('a', 'cpus:3;mem:1024');
    master.framework('f1', ['a/b']);
    master.agent('a1', 'cpus(a):1;mem(a):512;cpus(a/c):1');
    await world.settle();
    const offer = master.one();
    expect(offer).to.deep.include({ role: 'a/b', resources: 'cpus(a):1;mem(a):512' });
    // Once, though it is both reserved and held; with what is reserved to a/c it makes 2.
    expect(await setting.metric('quota/roles/a/resources/cpus/offered_or_allocated')).to.equal(2);
    expect(await setting.metric('quota/roles/a/resources/mem/offered_or_allocated')).to.equal(512);
    // 1 cpu and 512 MB of the guarantee are missing and kept for it.
    master.framework('f2', ['r2']);
    master.agent('a2', 'cpus:2;mem:1024');
    await world.settle();
    master.suppress('f1');
    const given = master.take();
    expect(given.map(({ resources }) => resources)).to.deep.equal(['cpus:1;mem:512']);
    // Not more is kept when nobody holds what is reserved.
    master.recover(offer);
    for (const entry of given) master.recover(entry);
    await world.advance('1s');
    expect(master.amounts()).to.deep.equal(['f2 cpus:1;mem:512']);
  });
});
