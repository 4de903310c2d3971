import { dispatch, type Future, type LocalPID } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { Resources } from '@mezzo/protocol';
import { type Master, startMaster } from '@mezzo/master';
import { expect } from 'chai';

import { FakeAgent, FakeScheduler } from './peers.ts';

describe('what an operator decides about roles', () => {
  let world: Simulation;
  let master: LocalPID<Master>;
  beforeEach(async () => {
    world = new Simulation({ latency: [1, 3] });
    ({ master } = startMaster(await world.start('master'), { roles: ['ads', 'eng', 'ads/web'] }));
    await world.advance('50ms');
  });
  afterEach(() => world.stop());

  const agent = async (node: string, resources = 'cpus:4;mem:4096'): Promise<FakeAgent> => {
    const one = new FakeAgent(resources, { hostname: node });
    (await world.start(node)).spawn(one);
    await world.settle();
    one.register();
    await world.advance('20ms');
    return one;
  };
  const scheduler = async (role: string): Promise<FakeScheduler> => {
    const one = new FakeScheduler();
    (await world.start(`framework-${role}`)).spawn(one);
    await world.settle();
    one.subscribe({ roles: [role] });
    await world.advance('20ms');
    return one;
  };
  const offered = ({ offers }: FakeScheduler): string =>
    String(Resources.sum(offers.map(({ resources }) => Resources.of(resources).unallocate())));
  const failure = async (call: (it: Master) => Future<void>): Promise<Error> => {
    const outcome = dispatch(master, call);
    await world.settle();
    return outcome.failure() as Error;
  };

  it('a limit holds for what is offered from then on', async () => {
    await agent('agent-1');
    await dispatch(master, (it) => it.operator.setQuotas({ ads: { limits: 'cpus:1;mem:1024' } }));
    const ads = await scheduler('ads');
    await world.advance('5s');
    expect(offered(ads)).to.equal('cpus:1;mem:1024');
  });

  it('a guarantee is kept free for a role that nobody is in yet', async () => {
    await agent('agent-1');
    await agent('agent-2');
    await dispatch(master, (it) => it.operator.setQuotas({ ads: { guarantees: 'cpus:4' } }));
    const eng = await scheduler('eng');
    await world.advance('5s');
    expect(Resources.parse(offered(eng)).scalar('cpus')).to.equal(4);
    await dispatch(master, (it) => it.operator.setQuotas({ ads: {} }));
    await world.advance('5s');
    expect(Resources.parse(offered(eng)).scalar('cpus')).to.equal(8);
  });

  for (const [what, quotas, text] of [
    ['a role below another one', { 'ads/web': {} }, /'ads\/web' for a quota: expected a role that lies below no other/],
    ['an invalid role', { 'a b': {} }, /white space/],
    [
      'a role that the cluster has not',
      { other: { limits: 'cpus:1' } },
      /'other' for a quota: it is none of the roles/,
    ],
    ['an absurd amount', { ads: { limits: 'cpus:1000000000001' } }, /cpus:1000000000001 is too large/],
    ['an absurd guarantee', { ads: { guarantees: 'mem:1099511627777' } }, /mem:1099511627777 is too large/],
    ['a negative amount', { ads: { limits: 'cpus:-1' } }, /expected a number.*found "-1"/],
    ['ranges', { ads: { guarantees: 'ports:[1-2]' } }, /expected numbers only.*RANGES/],
    ['a set', { ads: { limits: 'zones:{a,b}' } }, /expected numbers only.*SET/],
    ['what is reserved', { ads: { guarantees: 'cpus(ads):1' } }, /expected names and numbers only/],
    ['a guarantee twice', { ads: { guarantees: 'cpus:1;cpus:1' } }, /each limit once/],
    ['a guarantee above its limit', { ads: { guarantees: 'cpus:2', limits: 'cpus:1' } }, /cpus:2 are above .*cpus:1/],
    ['more than the cluster has', { ads: { guarantees: 'cpus:5' } }, /guarantee cpus:5, but the cluster has cpus:4;/],
    ['what is no amount', { ads: { limits: 'cpus:many' } }, /Cannot parse/],
    ['a limit twice', { ads: { limits: 'cpus:1;cpus:2' } }, /each limit once/],
  ] as const) {
    it(`QUOTA-02 a quota with ${what} is refused, and those beside it with it`, async () => {
      await agent('agent-1');
      const eng = await scheduler('eng');
      expect((await failure((it) => it.operator.setQuotas({ eng: { limits: 'cpus:1' }, ...quotas }))).message).to.match(
        text,
      );
      await world.advance('5s');
      expect(offered(eng)).to.equal('cpus:4;mem:4096');
    });
  }

  it('a guarantee before there are agents is refused in plain words', async () => {
    const { message } = await failure((it) => it.operator.setQuotas({ ads: { guarantees: 'cpus:5' } }));
    expect(message).to.include('guarantee cpus:5, but the cluster has no agents yet: force it');
  });

  it('more than the cluster has is guaranteed if that is forced', async () => {
    await agent('agent-1');
    await dispatch(master, (it) => it.operator.setQuotas({ ads: { guarantees: 'cpus:5' } }, { force: true }));
    const eng = await scheduler('eng');
    await world.advance('5s');
    expect(Resources.parse(offered(eng)).scalar('cpus')).to.equal(0);
  });

  it('a weight is a number above 0 of a valid role', async () => {
    expect((await failure((it) => it.operator.setWeights({ ads: 0 }))).message).to.match(/weight 0 of role 'ads'/);
    expect((await failure((it) => it.operator.setWeights({ 'a//b': 1 }))).message).to.match(/role 'a\/\/b'/);
  });

  it('a whitelist decides which hosts are offered', async () => {
    await agent('agent-1');
    await agent('agent-2');
    await dispatch(master, (it) => it.operator.setWhitelist(['agent-2']));
    const ads = await scheduler('ads');
    await world.advance('3s');
    expect(ads.offers.map(({ hostname }) => hostname)).to.deep.equal(['agent-2']);
    await dispatch(master, (it) => it.operator.setWhitelist(undefined));
    await world.advance('3s');
    expect(ads.offers.map(({ hostname }) => hostname)).to.deep.equal(['agent-2', 'agent-1']);
  });
});
