import { expect } from 'chai';
import { startMaster } from '@mezzo/master';
import { schedulerMessages } from '@mezzo/protocol';
import { Simulation } from '@mezzo/process/testing';
import { TestCluster } from './cluster.ts';
import type { FakeScheduler } from './peers.ts';

describe('rate limits', () => {
  const flood = (scheduler: FakeScheduler, count: number): void => {
    for (let n = 0; n < count; n++)
      scheduler.tell(schedulerMessages.Suppress, { frameworkId: scheduler.id, roles: [] });
  };
  const errors = (scheduler: FakeScheduler): readonly string[] =>
    scheduler.got(schedulerMessages.FrameworkError).map(({ message }) => message);

  it('MASTER-34 let through what a principal says at its rate, in order, also its end; others are not held up', async () => {
    await using cluster = await TestCluster.start({ rateLimits: { limits: [{ principal: 'p', qps: 0.05 }] } });
    const slow = await cluster.scheduler('slow', { principal: 'p', failoverTimeout: 1e9 });
    const free = await cluster.scheduler('free', { principal: 'q' });
    const nobody = await cluster.scheduler('nobody');
    const done = async (): Promise<readonly unknown[]> => {
      const names = ['p', 'q'].flatMap((name) =>
        ['received', 'processed'].map((what) => `frameworks/${name}/messages_${what}`),
      );
      return Promise.all([...names, 'master/messages_suppress_offers'].map((name) => cluster.metric(name)));
    };
    for (const scheduler of [slow, free, nobody]) flood(scheduler, 4);
    await cluster.advance('100ms');
    expect(await done()).to.deep.equal([4, 1, 4, 4, 9]);
    cluster.world.crash('slow');
    await cluster.advance('50s');
    expect(await done()).to.deep.equal([4, 3, 4, 4, 11]);
    expect((await cluster.state()).frameworks.find(({ id }) => id === slow.id)).to.include({ connected: true });
    await cluster.advance('1mins');
    expect(await done()).to.deep.equal([4, 4, 4, 4, 12]);
    expect((await cluster.state()).frameworks.find(({ id }) => id === slow.id)).to.include({ connected: false });
    expect(await cluster.metric('master/dropped_messages')).to.equal(0);
  });

  it('MASTER-34 are shared by the frameworks of a principal, and by all that have no limit of their own', async () => {
    const limits = [{ principal: 'p', qps: 1 }, { principal: 'free' }];
    await using cluster = await TestCluster.start({ rateLimits: { limits, aggregateDefaultQps: 0.5 } });
    const count = async (): Promise<number> => (await cluster.metric('master/messages_suppress_offers')) ?? 0;
    const during = async (principals: readonly (string | undefined)[]): Promise<number> => {
      const before = await count();
      for (const [index, principal] of principals.entries()) {
        const node = `${principal ?? 'none'}-${index}`;
        const scheduler = await cluster.scheduler(node, principal === undefined ? {} : { principal });
        flood(scheduler, 10);
      }
      await cluster.advance('3900ms');
      return (await count()) - before;
    };
    expect(await during(['p', 'p'])).to.equal(4);
    await cluster.advance('1mins');
    expect(await during(['other', undefined])).to.equal(2);
    await cluster.advance('2mins');
    expect(await during(['free'])).to.equal(10);
  });

  it('MASTER-34 tell who has too much waiting, and drop that', async () => {
    const rateLimits = {
      limits: [{ principal: 'p', qps: 1, capacity: 2 }],
      aggregateDefaultQps: 1,
      aggregateDefaultCapacity: 1,
    };
    await using cluster = await TestCluster.start({ rateLimits });
    for (const [principal, capacity] of [
      ['p', 2],
      ['other', 1],
    ] as const) {
      const before = (await cluster.metric('master/messages_suppress_offers')) ?? 0;
      const scheduler = await cluster.scheduler(principal, { principal });
      flood(scheduler, 5);
      await cluster.advance('1mins');
      expect(new Set(errors(scheduler))).to.deep.equal(
        new Set([`Message scheduler.suppress dropped: capacity(${capacity}) exceeded`]),
      );
      const processed = ((await cluster.metric('master/messages_suppress_offers')) ?? 0) - before;
      expect(processed + errors(scheduler).length).to.equal(5);
      expect(processed).to.be.within(capacity, capacity + 1);
      expect((await cluster.state()).frameworks.some(({ id }) => id === scheduler.id)).to.equal(true);
    }
  });

  it('that make no sense are refused before the master starts', async () => {
    const world = new Simulation({});
    const runtime = await world.start('master');
    const p = { principal: 'p' };
    for (const rateLimits of [
      { limits: [p, p] },
      { limits: [{ ...p, qps: 0 }] },
      { limits: [{ ...p, capacity: -1 }] },
      { aggregateDefaultQps: Number.NaN },
    ])
      expect(() => startMaster(runtime, { rateLimits })).to.throw(RangeError, /rate limit/);
    await world.stop();
  });
});
