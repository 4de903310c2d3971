import { expect } from 'chai';
import { AllocatorWorld } from './allocator-world.ts';
import { type FrameworkOptions } from './fake-master.ts';

const whole = 'cpus:2;mem:1024';

/** A framework `f` that has refused agent `a` for an hour. */
async function refusing(setting: AllocatorWorld, roles = ['*'], options: FrameworkOptions = {}): Promise<void> {
  const { master, world } = setting;
  master.begin();
  master.framework('f', roles, options);
  master.agent('a', whole);
  await world.settle();
  master.recover(master.one(), 3600);
}

describe('frameworks that want no offers', () => {
  it('ALLOC-28 get none while deactivated, and have forgotten their filters when they are active again', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    await refusing(setting);
    master.deactivate('f');
    master.agent('b', whole);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    expect(await setting.metric('offer_filters/roles/*/active')).to.equal(0);
    master.activate('f');
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-a', 'f<-b']);
  });

  it('ALLOC-28 keep what they hold while deactivated', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f');
    master.agent('a', whole);
    await world.settle();
    master.launch(master.one());
    master.deactivate('f');
    master.framework('other');
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(2);
  });

  it('ALLOC-29 get none after suppress; revive brings them back at once and forgets filters', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    await refusing(setting);
    master.suppress('f');
    master.agent('b', whole);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    // Suppressing alone forgets nothing.
    expect(await setting.metric('offer_filters/roles/*/active')).to.equal(1);
    master.revive('f');
    await world.settle();
    const both = master.take();
    expect(both.map(({ agent }) => agent).toSorted()).to.deep.equal(['a', 'b']);
    // Revive without suppress.
    for (const entry of both) master.recover(entry, 3600);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.revive('f');
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-a', 'f<-b']);
  });

  it('ALLOC-30 suppress and revive only the roles that they name', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r1', 'r2'], { capabilities: ['MULTI_ROLE'] });
    master.suppress('f', ['r1']);
    master.agent('a', whole);
    master.agent('b', whole);
    await world.settle();
    const both = master.take();
    expect(both.map(({ role }) => role)).to.deep.equal(['r2', 'r2']);
    for (const entry of both) master.recover(entry, 3600);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    // r1 has no filters, and those of r2 stay.
    master.revive('f', ['r1']);
    await world.settle();
    expect(master.take().map(({ role }) => role)).to.deep.equal(['r1', 'r1']);
    expect(await setting.metric('offer_filters/roles/r2/active')).to.equal(2);
    master.suppress('f');
    master.agent('c', whole);
    await world.settle();
    expect(master.take()).to.deep.equal([]);
    master.revive('f', ['r2']);
    await world.settle();
    expect(master.take().map(({ role, agent }) => `${role} ${agent}`)).to.deep.equal(['r2 c']);
  });

  it('can suppress roles when they come, and change that by an update, which revives as revive does', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    const capabilities = ['MULTI_ROLE'];
    await refusing(setting, ['r1', 'r2'], { capabilities, suppressed: ['r1'] });
    master.updateFramework('f', ['r1', 'r2'], { capabilities, suppressed: ['r2'] });
    await world.settle();
    expect(master.take()).to.deep.equal([]);
    await world.advance('1s');
    expect(master.take().map(({ role }) => role)).to.deep.equal(['r1']);
    master.updateFramework('f', ['r1', 'r2'], { capabilities });
    expect(await setting.metric('offer_filters/roles/r2/active')).to.equal(0);
    master.agent('b', whole);
    await world.settle();
    expect(master.take().map(({ role }) => role)).to.deep.equal(['r2']);
  });

  it('get none for a role that they have given up, and keep what they hold in it', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    const capabilities = ['MULTI_ROLE'];
    master.begin();
    master.framework('f', ['r1'], { capabilities });
    master.agent('a', whole);
    await world.settle();
    const held = master.one();
    master.updateFramework('f', ['r2'], { capabilities });
    master.agent('b', whole);
    await world.settle();
    expect(master.take().map(({ role, agent }) => `${role} ${agent}`)).to.deep.equal(['r2 b']);
    expect(await setting.metric('roles/r1/shares/dominant')).to.equal(0.5);
    master.recover(held);
    await world.settle();
    expect(await setting.metric('roles/r1/shares/dominant')).to.equal(undefined);
  });
});
