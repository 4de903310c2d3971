import { expect } from 'chai';
import { agentMessages, type FrameworkInfo, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { type FakeScheduler, frameworkInfo, taskInfo } from './peers.ts';

const before: FrameworkInfo = { ...frameworkInfo, roles: ['a', 'b'], capabilities: ['MULTI_ROLE'], principal: 'p' };

describe('a framework that updates itself', () => {
  let cluster: TestCluster;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    cluster = await TestCluster.start();
    scheduler = await cluster.scheduler('framework-1', before);
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  /** What is against it. */
  const update = async (
    changes: Partial<FrameworkInfo>,
    suppressedRoles: string[] = [],
  ): Promise<string | undefined> => {
    const framework = { ...before, id: scheduler.id, ...changes };
    const answer = scheduler.question(schedulerMessages.UpdateFramework, {
      framework,
      suppressedRoles,
    });
    await cluster.advance('1s');
    return answer.get().fault;
  };

  it('MASTER-35 may change neither user, checkpoint nor principal, and names no roles twice or that it has not', async () => {
    expect(await update({ user: 'other' })).to.match(/user/);
    expect(await update({ checkpoint: true })).to.match(/checkpoint/);
    expect(await update({ principal: 'q' })).to.match(/principal/);
    expect(await update({ roles: ['a', 'a'] })).to.match(/twice/);
    expect(await update({}, ['c'])).to.match(/Suppressed role 'c'/);
    const stranger = await cluster.scheduler('framework-2');
    const framework = { ...before, id: scheduler.id };
    const answer = stranger.question(schedulerMessages.UpdateFramework, {
      framework,
    });
    await cluster.advance('1s');
    expect(answer.get().fault).to.match(/not subscribed from here/);
  });

  it('MASTER-35 is offered for roles it adds, not for those it leaves, and keeps the tasks of those', async () => {
    const agent = await cluster.agent('agent-1');
    await cluster.advance('1s');
    const [offer] = scheduler.offers;
    if (offer === undefined) throw new Error('no offer');
    scheduler.launch(offer, [taskInfo('t', agent.id, 'cpus:1;mem:64')], 0);
    await cluster.advance('2s');
    const rest = scheduler.lastOffer;
    expect(await update({ roles: ['c'] })).to.equal(undefined);
    expect(scheduler.offers.map(({ id }) => id)).to.not.include(rest.id);
    await cluster.advance('2s');
    expect(scheduler.lastOffer.role).to.equal('c');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework?.tasks.map(({ id }) => id)).to.deep.equal(['t']);
  });

  it('MASTER-35 tells the agents, and only if something has changed', async () => {
    const agent = await cluster.agent('agent-1');
    expect(await update({})).to.equal(undefined);
    expect(agent.got(agentMessages.UpdateFramework)).to.deep.equal([]);
    expect(await update({ name: 'new' })).to.equal(undefined);
    expect(agent.got(agentMessages.UpdateFramework).map(({ framework }) => framework.name)).to.deep.equal(['new']);
  });

  it('that subscribes again is told to agents that run something of it, and to no others', async () => {
    const user = await cluster.agent('agent-1');
    const other = await cluster.agent('agent-2');
    await cluster.advance('1s');
    const offer = scheduler.offers.find(({ agentId }) => agentId === user.id);
    if (offer === undefined) throw new Error('no offer');
    scheduler.launch(offer, [taskInfo('t', user.id, 'cpus:1;mem:64')]);
    await cluster.advance('1s');
    scheduler.subscribe({ ...before, id: scheduler.id, name: 'new' });
    await cluster.advance('1s');
    expect(user.got(agentMessages.UpdateFramework).map(({ framework }) => framework.name)).to.deep.equal(['new']);
    expect(other.got(agentMessages.UpdateFramework)).to.deep.equal([]);
  });

  it('MASTER-35 is offered what its constraints allow, from the update on, and keeps them if the new ones make no sense', async () => {
    await cluster.agent('agent-1', 'cpus:1;mem:64', { attributes: { disk: 'ssd' } });
    await cluster.agent('agent-2', 'cpus:1;mem:64', { attributes: { disk: 'hdd' } });
    const on = (regex: string): Partial<FrameworkInfo> => {
      const constraint = {
        selector: { attribute: 'disk' },
        predicate: { type: 'TEXT_MATCHES' as const, regex },
      };
      return { offerConstraints: { a: [[constraint]], b: [[constraint]] } };
    };
    expect(await update(on('ssd'))).to.equal(undefined);
    expect(await update(on('*'))).to.match(/regular expression/);
    const [before] = [scheduler.offers.length];
    for (const offer of scheduler.offers) scheduler.decline(offer, 0);
    await cluster.advance('5s');
    expect(new Set(scheduler.offers.slice(before).map(({ hostname }) => hostname))).to.deep.equal(new Set(['agent-1']));
  });

  it('MASTER-35 gets no offers for the roles it suppresses', async () => {
    expect(await update({}, ['a', 'b'])).to.equal(undefined);
    await cluster.agent('agent-1');
    await cluster.advance('5s');
    expect(scheduler.offers).to.deep.equal([]);
    expect(await update({}, [])).to.equal(undefined);
    await cluster.advance('2s');
    expect(scheduler.offers).to.have.length(1);
  });
});
