import { expect } from 'chai';
import { AllocatorWorld } from './allocator-world.ts';
import { withResources } from './allocated-entry.ts';

const whole = 'cpus:2;mem:1024';

/** A framework `f` that has been offered the agent `a`. */
async function offered(setting: AllocatorWorld, interval = 1000) {
  const { master, world } = setting;
  master.begin({ interval });
  master.framework('f');
  master.agent('a', whole);
  await world.settle();
  return master.one();
}

describe('offer filters', () => {
  it('ALLOC-05 hide what was refused, and less, for refuse_seconds; more is offered', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    const first = await offered(setting);
    master.recover(first, 10);
    await world.advance('9900ms');
    expect(master.take()).to.deep.equal([]);
    await world.advance('1100ms');
    expect(master.pairs()).to.deep.equal(['f<-a']);
    const half = withResources(first, 'cpus:1;mem:512');
    master.recover(half, 10);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    // Together with the other half it is more than was refused.
    master.recover(half, 0);
    await world.advance('1s');
    expect(master.take()).to.deep.equal([first]);
    // Less than what was refused.
    master.recover(first, 10);
    master.updateAgent('a', { total: 'cpus:1;mem:512' });
    await world.advance('9s');
    expect(master.take()).to.deep.equal([]);
    await world.advance('2s');
    expect(master.take()).to.deep.equal([half]);
  });

  it('ALLOC-06 are kept until after the next periodic run, however short', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    const first = await offered(setting, 5000);
    // Refused at the moment of a run: both the next run and the filter are due 5 s later.
    await world.advance('5s');
    master.recover(first, 0.1);
    await world.advance('5s');
    expect(master.take()).to.deep.equal([]);
    await world.advance('5s');
    expect(master.pairs()).to.deep.equal(['f<-a']);
  });

  it('ALLOC-22 fall with the attributes that the agent had, not with other changes, and with the agent', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    const first = await offered(setting);
    master.recover(first, 3600);
    master.updateAgent('a');
    master.updateAgent('a', { hostname: 'other' });
    await world.advance('2s');
    expect(master.take()).to.deep.equal([]);
    master.updateAgent('a', { hostname: 'other', attributes: { rack: '1' } });
    await world.settle();
    expect(master.take()).to.deep.equal([first]);
    master.recover(first, 3600);
    master.removeAgent('a');
    master.agent('a', whole);
    await world.settle();
    expect(master.take()).to.deep.equal([first]);
    await world.advance('1h');
    expect(await setting.metric('offer_filters/roles/*/active')).to.equal(0);
  });

  it('last 5 s for a negative or invalid refuse_seconds, a year at most, and for 0 there are none', async () => {
    const year = 365 * 86_400;
    for (const [refused, lasts, interval] of [
      [-1, 5, 1],
      [Number.NaN, 5, 1],
      [0, 0, 1],
      [1e12, year, 86_400],
      [Number.POSITIVE_INFINITY, year, 86_400],
    ] as const) {
      await using setting = await AllocatorWorld.start();
      const { master, world } = setting;
      const first = await offered(setting, interval * 1000);
      await world.advance(interval * 1500);
      master.recover(first, refused);
      await world.advance(Math.max(0, lasts - interval) * 1000);
      expect(master.take(), String(refused)).to.deep.equal([]);
      expect(await setting.metric('offer_filters/roles/*/active'), String(refused)).to.equal(lasts === 0 ? 0 : 1);
      await world.advance(interval * 2000);
      expect(master.take(), String(refused)).to.deep.equal([first]);
    }
  });
});
