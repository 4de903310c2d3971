import { dispatch } from '@mezzo/process';
import type { Operator } from '@mezzo/master';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { type Resource, Resources, schedulerMessages } from '@mezzo/protocol';
import { expect } from 'chai';
import { TestCluster } from './cluster.ts';
import { type FakeAgent, type FakeScheduler, taskInfo } from './peers.ts';

type Quotas = Parameters<Operator['setQuotas']>[0];

describe('quotas of a cluster in use', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start({ registry: memoryLog(new MemoryLogStore()) });
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  /** What is against it, or `done`. */
  const set = async (quotas: Quotas, force = false): Promise<string> => {
    const outcome = dispatch(cluster.leader, (master) => master.operator.setQuotas(quotas, { force }));
    await cluster.advance('100ms');
    return outcome.isReady ? 'done' : (outcome.failure() as Error).message;
  };
  const present = async (): Promise<unknown> => {
    const answer = dispatch(cluster.leader, (master) => Object.fromEntries(master.operator.quotas));
    await cluster.world.settle();
    return answer.get();
  };
  const framework = async (role: string): Promise<FakeScheduler> => {
    const one = await cluster.scheduler(`framework-${role.replace('/', '-')}`, { roles: [role] });
    await cluster.advance('1s');
    return one;
  };
  const rescinded = (scheduler: FakeScheduler): number => scheduler.got(schedulerMessages.Rescind).length;
  const run = async (scheduler: FakeScheduler, agent: FakeAgent, id: string, resources: string): Promise<void> => {
    scheduler.launch(scheduler.lastOffer, [taskInfo(id, agent.id, resources)], 3600);
    await cluster.advance('1s');
  };
  const offered = (scheduler: FakeScheduler, name = 'cpus'): number =>
    Resources.sum(scheduler.offers.map(({ resources }) => Resources.of(resources).unallocate())).scalar(name);

  it('QUOTA-01 are set and told of one role and of several, all of them or none', async () => {
    await cluster.agent('agent-1');
    expect(await present()).to.deep.equal({});
    expect(await set({ ads: { guarantees: 'cpus:1', limits: 'cpus:2;mem:64' } })).to.equal('done');
    const ads = { guarantees: { cpus: 1 }, limits: { cpus: 2, mem: 64 } };
    expect(await present()).to.deep.equal({ ads });
    expect(await set({ eng: { limits: 'cpus:0' }, web: { guarantees: 'mem:32' } })).to.equal('done');
    const [eng, web] = [
      { guarantees: {}, limits: { cpus: 0 } },
      { guarantees: { mem: 32 }, limits: {} },
    ];
    expect(await present()).to.deep.equal({ ads, eng, web });
    expect(await set({ ads: { limits: 'cpus:1' }, eng: {}, web: { guarantees: 'cpus:2', limits: 'cpus:1' } })).to.match(
      /above its limits/,
    );
    expect(await present()).to.deep.equal({ ads, eng, web });
    expect(await set({ ads: {}, eng: { limits: 'cpus:1' } })).to.equal('done');
    expect(await present()).to.deep.equal({ eng: { guarantees: {}, limits: { cpus: 1 } }, web });
    const guarantee = (role: string): Promise<number | undefined> =>
      cluster.metric(`allocator/mesos/quota/roles/${role}/resources/mem/guarantee`);
    expect(await guarantee('web')).to.equal(32);
  });

  it('QUOTA-03 are replaced when they are set again, and taken away at the same time without harm', async () => {
    await cluster.agent('agent-1');
    expect(await set({ ads: { limits: 'cpus:2' } })).to.equal('done');
    expect(await set({ ads: { limits: 'cpus:1' } })).to.equal('done');
    const ads = await framework('ads');
    expect(offered(ads)).to.equal(1);
    const removals = [1, 2, 3].map(() => dispatch(cluster.leader, (master) => master.operator.setQuotas({ ads: {} })));
    await cluster.advance('2s');
    expect(removals.map(({ isReady }) => isReady)).to.deep.equal([true, true, true]);
    expect(await set({ ads: {} })).to.equal('done');
    expect(await present()).to.deep.equal({});
    await cluster.advance('2s');
    expect(offered(ads)).to.equal(4);
  });

  it('QUOTA-04 guarantee no more than all agents have, also those that are away or reserved, unless forced', async () => {
    await cluster.agent('agent-1', 'cpus:2;cpus(other):2;mem:1024');
    await cluster.agent('agent-2', 'cpus:4;mem:1024');
    cluster.world.network.partition('agent-2', 'master');
    await cluster.advance('30s');
    expect((await cluster.state()).slaves.map(({ active }) => active)).to.deep.equal([true, false]);
    expect(await set({ ads: { guarantees: 'cpus:8.001' } })).to.match(
      /guarantee cpus:8.001, but the cluster has cpus:8;/,
    );
    expect(await set({ ads: { guarantees: 'gpus:1' } })).to.match(/guarantee gpus:1, but/);
    expect(await set({ ads: { guarantees: 'cpus:8' } })).to.equal('done');
    // Together with those of others.
    expect(await set({ eng: { guarantees: 'cpus:1' } })).to.match(/guarantee cpus:9, but/);
    expect(await set({ eng: { guarantees: 'cpus:1' } }, true)).to.equal('done');
    // What is replaced does not count.
    expect(await set({ ads: {}, eng: { guarantees: 'cpus:8' } })).to.equal('done');
  });

  it('QUOTA-05 limit no role below what it has, with its reservations and the roles below it, unless forced', async () => {
    const agent = await cluster.agent('agent-1', 'cpus(ads):1;cpus:7;mem:4096;cpus(ads/sub):0.5');
    const ads = await framework('ads');
    await run(ads, agent, 't1', 'cpus:1;mem:64');
    ads.tell(schedulerMessages.Suppress, { frameworkId: ads.id, roles: [] });
    const sub = await framework('ads/web');
    await run(sub, agent, 't2', 'cpus:2;mem:64');
    const other = await framework('adsense');
    // 1 and 0.5 are reserved, 1 and 2 are used; what is on offer is had by nobody.
    expect(offered(other)).to.equal(4);
    expect(await set({ ads: { limits: 'cpus:4.499' } })).to.match(
      /'ads': its limits cpus:4.499 are below cpus:4.5;mem:128/,
    );
    expect(await set({ ads: { limits: 'cpus:8;mem:127' } })).to.match(/below/);
    expect(await present()).to.deep.equal({});
    expect(await set({ ads: { limits: 'cpus:4.5;mem:128' }, adsense: { limits: 'cpus:0' } })).to.equal('done');
    expect(await set({ ads: { limits: 'cpus:1' } })).to.match(/below/);
    expect(await set({ ads: { limits: 'cpus:1' } }, true)).to.equal('done');
    expect(agent.received.map(({ kind }) => kind).filter((kind) => /kill|shutdown/.test(kind))).to.deep.equal([]);
  });

  it('QUOTA-05 count what is reserved once, though a task uses it, and not what has ended', async () => {
    const agent = await cluster.agent('agent-1', 'cpus(ads):2;cpus:2;mem:4096');
    const ads = await framework('ads');
    const reserved: Resource[] = [...Resources.parse('cpus(ads):1;mem:64')];
    ads.launch(ads.lastOffer, [taskInfo('t', agent.id, '', { resources: reserved })], 3600);
    await cluster.advance('1s');
    expect(await set({ ads: { limits: 'cpus:2;mem:63' } })).to.match(/below cpus:2;mem:64/);
    agent.update(ads.id, 't', 'TASK_FINISHED');
    await cluster.advance('1s');
    expect(await set({ ads: { limits: 'cpus:2;mem:0' } })).to.equal('done');
  });

  it('QUOTA-06 rescind as many offers of others as a guarantee needs, and those of the role stand', async () => {
    const ads = await framework('ads');
    await cluster.agent('agent-1', 'cpus:2;mem:1024');
    await cluster.advance('1s');
    expect(offered(ads)).to.equal(2);
    ads.tell(schedulerMessages.Suppress, { frameworkId: ads.id, roles: [] });
    const eng = await framework('eng');
    for (const node of ['agent-2', 'agent-3', 'agent-4', 'agent-5']) await cluster.agent(node, 'cpus:2;mem:1024');
    await cluster.agent('agent-6', 'cpus(eng):2;mem:1024');
    await cluster.advance('1s');
    expect(offered(eng)).to.equal(10);
    ads.tell(schedulerMessages.Revive, { frameworkId: ads.id, roles: [] });
    await cluster.advance('1s');
    // 2 are on offer to it, 3 are missing: two offers are enough.
    expect(await set({ ads: { guarantees: 'cpus:5' } })).to.equal('done');
    await cluster.advance('1s');
    expect([rescinded(ads), rescinded(eng)]).to.deep.equal([0, 2]);
    await cluster.advance('2s');
    expect(offered(ads)).to.be.at.least(5);
    // It has what it is guaranteed: nothing more is to be done.
    expect(await set({ ads: { guarantees: 'cpus:4' } })).to.equal('done');
    await cluster.advance('2s');
    expect([rescinded(ads), rescinded(eng)]).to.deep.equal([0, 2]);
  });

  it('QUOTA-06 rescind nothing that is free anyway, or guaranteed to whom it is offered', async () => {
    const agent = await cluster.agent('agent-1', 'cpus:4;mem:1024');
    const ads = await framework('ads');
    expect(await set({ ads: { guarantees: 'cpus:4' } })).to.equal('done');
    expect(await set({ eng: { guarantees: 'cpus:4' } }, true)).to.equal('done');
    await cluster.advance('1s');
    expect(rescinded(ads)).to.equal(0);
    expect(await set({ ads: {}, eng: {} })).to.equal('done');
    expect(rescinded(ads)).to.equal(0);
    await cluster.agent('agent-2', 'cpus:4;mem:1024');
    await cluster.advance('1s');
    const free = ads.offers.find(({ agentId }) => agentId !== agent.id);
    if (free === undefined) throw new Error('no offer of the second agent');
    ads.decline(free, 3600);
    await cluster.advance('1s');
    expect(await set({ eng: { guarantees: 'cpus:4' } })).to.equal('done');
    expect(rescinded(ads)).to.equal(0);
    // The rest of what a role has above its guarantee is for others.
    expect(await set({ ads: { guarantees: 'cpus:2' }, eng: { guarantees: 'cpus:6' } })).to.equal('done');
    expect(rescinded(ads)).to.equal(1);
  });

  it('QUOTA-06 rescind offers of a role that is above its new limits, with the roles below it, and no others', async () => {
    const ads = await framework('ads');
    const web = await framework('ads/web');
    const eng = await framework('eng');
    for (let n = 1; n <= 12; n++) await cluster.agent(`agent-${n}`, 'cpus:1;mem:1024');
    await cluster.advance('3s');
    const has = (): number[] => [ads, web, eng].map((one) => offered(one));
    expect(has()).to.deep.equal([3, 3, 6]);
    // A name that nothing is offered of above its limit, and one of which two offers are too many.
    expect(await set({ ads: { limits: 'cpus:4;mem:1000000' } })).to.equal('done');
    expect([ads, web, eng].map(rescinded)).to.deep.equal([2, 0, 0]);
    expect(has()).to.deep.equal([1, 3, 6]);
    expect(await set({ ads: { limits: 'cpus:3;mem:3072' } })).to.equal('done');
    expect(has()).to.deep.equal([0, 3, 6]);
    await cluster.advance('3s');
    expect(offered(ads)).to.equal(0);
    expect(offered(eng)).to.be.at.least(6);
  });

  it('QUOTA-07 are recovered by a master whose cluster has no agents, which offers those that come', async () => {
    expect(await set({ ads: { guarantees: 'cpus:4' } }, true)).to.equal('done');
    await cluster.failOver();
    expect(await present()).to.deep.equal({ ads: { guarantees: { cpus: 4 }, limits: {} } });
    const ads = await framework('ads');
    await cluster.agent('agent-1');
    await cluster.advance('2s');
    expect(offered(ads)).to.equal(4);
  });
});
