import { expect } from 'chai';
import { HierarchicalAllocator, startMaster } from '@mezzo/master';
import { type Process, SpawnRefused } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { FakeMaster } from './allocator/fake-master.ts';

describe('startMaster', () => {
  it('refuses options that make no sense before anything is spawned', async () => {
    await using world = new Simulation();
    const runtime = await world.start('master');
    expect(() => startMaster(runtime, { offerTimeout: 0 })).to.throw(RangeError, /offerTimeout/);
    expect(() => startMaster(runtime, { allocator: 'clever' })).to.throw(RangeError, /'clever'/);
    expect(() => startMaster(runtime, { minAllocatableResources: 'cpus:1|mem=2' })).to.throw(/Cannot parse resources/);
    expect(() => startMaster(runtime, { agentPingTimeout: -1 })).to.throw(/-1/);
    expect(() => startMaster(runtime, { allocationInterval: 0 })).to.throw(RangeError, /allocationInterval 0/);
    expect(runtime.processes).to.deep.equal([]);
  });

  it('spawns master, allocator and contender, and serves the master at the root', async () => {
    await using world = new Simulation();
    const runtime = await world.start('master');
    const { master, allocator, contender } = startMaster(runtime);
    expect([master, allocator, contender].map((pid) => pid.id)).to.deep.equal(['master', 'allocator', 'contender']);
    expect(runtime.router.delegate).to.equal('master');
  });

  it('says at once that the id of its allocator is taken, and leaves nothing behind', async () => {
    await using world = new Simulation();
    const runtime = await world.start('master');
    runtime.spawn(new FakeMaster(runtime.pid('nobody@master'), 'fair'));
    const allocator = (): Process => new HierarchicalAllocator({ id: 'fair' });
    expect(() => startMaster(runtime, { allocator })).to.throw(SpawnRefused, /Cannot spawn 'fair'/);
    await world.settle();
    expect(runtime.processes).to.deep.equal(['fair']);
  });

  it('spawns an allocator that takes no other master, not even before that one speaks', async () => {
    await using world = new Simulation();
    const runtime = await world.start('master');
    const { allocator } = startMaster(runtime);
    const stranger = new FakeMaster(allocator, 'stranger');
    runtime.spawn(stranger);
    runtime.terminate(runtime.pid('master@master'));
    await world.settle();
    stranger.begin();
    await world.settle();
    expect(stranger.isInitialized).to.equal(false);
  });
});
