import { expect } from 'chai';
import { AllocatorWorld } from './allocator-world.ts';

const whole = 'cpus:2;mem:1024';

describe('agents', () => {
  it('ALLOC-09 have what is used counted once, whichever of framework and agent comes first', async () => {
    for (const agentFirst of [true, false]) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      master.begin();
      const used = 'cpus(allocated: *):1;mem(allocated: *):512';
      const agent = (): void => master.agent('a', whole, { used: { f: used } });
      const framework = (): void => master.framework('f', ['*'], { used: { a: used } });
      if (agentFirst) agent();
      framework();
      if (!agentFirst) agent();
      await world.settle();
      const rest = master.one();
      expect(rest.resources).to.equal('cpus:1;mem:512');
      expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(2);
      expect(await setting.metric('resources/mem/offered_or_allocated')).to.equal(1024);
      expect(await setting.metric('roles/*/shares/dominant')).to.equal(1);
      master.finish(rest);
      master.finish(rest);
      await world.advance('1s');
      expect(master.one().resources).to.equal(whole);
    }
  });

  it('ALLOC-10 have what is recovered offered in the next periodic run, not before', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.advance('100ms');
    const first = master.one();
    master.recover(first);
    await world.advance('800ms');
    expect(master.take()).to.deep.equal([]);
    await world.advance('200ms');
    expect(master.take()).to.deep.equal([first]);
  });

  it('ALLOC-20 have more offered at once when they grow, and less when they shrink', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    const first = master.one();
    master.updateAgent('a', { total: 'cpus:3;mem:1024;disk:100' });
    await world.settle();
    const more = master.one();
    expect(more.resources).to.equal('cpus:1;disk:100');
    expect(await setting.metric('resources/cpus/total')).to.equal(3);
    master.updateAgent('a', { total: 'cpus:1;mem:256' });
    master.recover(more);
    await world.advance('1s');
    // All of it and more is held.
    expect(master.take()).to.deep.equal([]);
    expect(await setting.metric('resources/cpus/total')).to.equal(1);
    expect(await setting.metric('resources/disk/total')).to.equal(0);
    master.recover(first);
    await world.advance('1s');
    expect(master.one().resources).to.equal('cpus:1;mem:256');
  });

  it('ALLOC-21 are for frameworks with several roles, and for nested roles, once they know of those', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('multi', ['r'], { capabilities: ['MULTI_ROLE'] });
    master.agent('old', whole, { capabilities: [] });
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.updateAgent('old', { capabilities: ['MULTI_ROLE'] });
    await world.settle();
    expect(master.pairs()).to.deep.equal(['multi<-old']);
    master.framework('nested', ['r/s']);
    master.suppress('multi');
    master.agent('flat', whole, { capabilities: ['MULTI_ROLE'] });
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.updateAgent('flat', { capabilities: ['MULTI_ROLE', 'HIERARCHICAL_ROLE'] });
    await world.settle();
    expect(master.pairs()).to.deep.equal(['nested<-flat']);
    // A framework of one role takes any agent.
    master.framework('single', ['r']);
    master.agent('older', whole, { capabilities: [] });
    await world.settle();
    expect(master.pairs()).to.deep.equal(['single<-older']);
  });

  it('ALLOC-23 take along, when they go, what was held there and roles that only held it; to recover it later does no harm', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r', 'given-up']);
    master.suppress('f', ['r']);
    master.agent('a', whole);
    await world.settle();
    const first = master.one();
    master.launch(first);
    master.updateFramework('f', ['r']);
    await world.settle();
    expect(await setting.metric('roles/given-up/shares/dominant')).to.equal(1);
    master.removeAgent('a');
    await world.settle();
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(0);
    expect(await setting.metric('roles/given-up/shares/dominant')).to.equal(undefined);
    expect(await setting.metric('roles/r/shares/dominant')).to.equal(0);
    master.finish(first);
    master.recover(first, 5);
    master.agent('a', whole);
    await world.settle();
    expect(master.take()).to.deep.equal([{ ...first, role: 'r' }]);
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(2);
  });

  it('ALLOC-27 are offered only if their hosts are listed; a new list counts from then on, an empty one lists none', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.whitelist([]);
    master.framework('f');
    master.agent('a', whole, { hostname: 'host-a' });
    master.agent('b', whole, { hostname: 'host-b' });
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.whitelist(['host-b', 'a']);
    await world.advance('1s');
    const first = master.one();
    expect(first.agent).to.equal('b');
    master.recover(first);
    master.whitelist(['host-a']);
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
    await world.advance('1s');
    expect(master.take()).to.deep.equal([]);
    master.whitelist();
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f<-b']);
  });

  it('ALLOC-52 have what their resource providers bring offered in the next run; when more is held than is there, nothing is', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    master.agent('b', whole);
    await world.settle();
    master.take();
    const disk = 'disk(provider: p):100';
    const holding = (amount: number): Record<string, string> => ({ f: `disk(allocated: *)(provider: p):${amount}` });
    master.resourceProvider('a', `${disk};cpus(provider: p):1`, holding(60));
    master.resourceProvider('b', `${disk};cpus(provider: p):1`, holding(150));
    await world.settle();
    expect(master.take()).to.deep.equal([]);
    expect(await setting.metric('resources/disk/total')).to.equal(200);
    expect(await setting.metric('resources/disk/offered_or_allocated')).to.equal(210);
    await world.advance('1s');
    const entries = master.take().toSorted((one, other) => one.agent.localeCompare(other.agent));
    expect(entries.map(({ agent, resources }) => `${agent} ${resources}`)).to.deep.equal([
      'a cpus(provider: p):1;disk(provider: p):40',
      'b cpus(provider: p):1',
    ]);
    const [, b] = entries;
    if (b === undefined) throw new Error('nothing of b');
    master.finish({ ...b, resources: 'cpus(provider: p):1;disk(provider: p):150' });
    await world.advance('1s');
    expect(master.amounts()).to.deep.equal([`f cpus(provider: p):1;${disk}`]);
  });

  it('ALLOC-11 are offered from 0.01 cpus or 32 MB on, reserved and unreserved taken together', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r']);
    master.agent('little', 'cpus:0.009;mem:31');
    master.agent('cpu', 'cpus:0.01');
    master.agent('mem', 'mem:32');
    master.agent('both', 'mem:16;mem(r):16');
    master.agent('another', 'mem:16;mem(other):16');
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-both', 'f<-cpu', 'f<-mem']);
  });

  it('ALLOC-12 are offered from what a framework says on for a role, instead; anything if it says that', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    const capabilities = ['MULTI_ROLE'];
    master.framework('picky', ['r1', 'r2'], { capabilities, minAllocatable: { r1: ['cpus:2;mem:64', 'disk:100'] } });
    master.agent('c1', 'cpus:1.9;mem:1024');
    master.agent('c2', 'cpus:2;mem:64');
    master.agent('d', 'disk:100');
    await world.settle();
    const byAgent = master.take().map(({ agent, role }) => `${agent} ${role}`);
    expect(byAgent.toSorted()).to.include('c1 r2').and.to.include('d r1');
    // The cluster's own least amount counts for r2 still.
    master.suppress('picky', ['r1']);
    master.agent('e', 'disk:100');
    await world.settle();
    expect(master.take()).to.deep.equal([]);
    master.suppress('picky');
    master.revive('picky', ['r1']);
    master.agent('f', 'cpus:1;mem:64;disk:99');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['picky<-e']);
    master.framework('modest', ['r3'], { minAllocatable: { r3: [] } });
    await world.settle();
    expect(master.pairs()).to.deep.equal(['modest<-f']);
    master.agent('g', 'cpus:0.001');
    await world.settle();
    expect(master.pairs()).to.deep.equal(['modest<-g']);
    master.updateFramework('modest', ['r3'], { minAllocatable: { r3: ['cpus:0.002'] } });
    master.agent('h', 'cpus:0.001');
    await world.settle();
    expect(master.take()).to.deep.equal([]);
  });

  it('need every part of one alternative of the least amount; numbers of ranges and items of sets count', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin({ minAllocatable: ['cpus:1;mem:64', 'ports:3', 'zones:2'] });
    master.framework('f');
    master.agent('half', 'cpus:4;ports:[1-2];zones:{a}');
    master.agent('whole', 'cpus:1;mem:64');
    master.agent('ports', 'ports:[1-2,8-8]');
    master.agent('zones', 'zones:{a,b}');
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-ports', 'f<-whole', 'f<-zones']);
  });

  it('offer nothing while deactivated', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.agent('a', whole);
    master.deactivateAgent('a');
    master.framework('f');
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.activateAgent('a');
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });

  it('of another region than the master’s are for frameworks that are aware of regions', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin({ domain: { region: 'here', zone: '1' } });
    master.framework('f', ['r1']);
    master.agent('near', whole, { domain: { region: 'here', zone: '2' } });
    master.agent('far', whole, { domain: { region: 'there', zone: '1' } });
    master.agent('nowhere', whole);
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-near', 'f<-nowhere']);
    master.framework('aware', ['r2'], { capabilities: ['REGION_AWARE'] });
    await world.settle();
    expect(master.pairs()).to.deep.equal(['aware<-far']);
  });

  it('with GPUs are for any framework where they are not kept', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin({ filterGpus: false });
    master.framework('f');
    master.agent('a', `${whole};gpus:1`);
    await world.settle();
    expect(master.amounts()).to.deep.equal([`f cpus:2;gpus:1;mem:1024`]);
  });

  it('with GPUs are offered to a framework as soon as it gains GPU_RESOURCES', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', `${whole};gpus:1`);
    await world.advance('3s');
    expect(master.amounts()).to.deep.equal([]);
    master.updateFramework('f', ['*'], { capabilities: ['GPU_RESOURCES'] });
    await world.advance('1s');
    expect(master.amounts()).to.deep.equal([`f cpus:2;gpus:1;mem:1024`]);
  });
});
