import { dispatch } from '@mezzo/process';
import { expect } from 'chai';
import { allocatorMessages, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { FakeAllocator, FakeScheduler, taskInfo } from './peers.ts';

const total = 'allocator/mesos/resources/cpus/total';
const taken = 'allocator/mesos/resources/cpus/offered_or_allocated';

describe('the master and an allocator elsewhere', () => {
  it('tells an allocator that was started again all there is, and offers nothing twice', async () => {
    await using cluster = await TestCluster.start({ exploded: true, weights: { '*': 2 } });
    const agent = await cluster.agent('agent-1');
    await cluster.agent('agent-2');
    const scheduler = await cluster.scheduler();
    const offer = scheduler.offers.find(({ agentId }) => agentId === agent.id);
    if (offer === undefined) throw new Error('no offer');
    scheduler.launch(offer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 3600);
    await cluster.advance('20ms');
    cluster.world.crash('allocator');
    await cluster.advance('1mins');
    // Meanwhile the cluster goes on; what happens now the next allocator learns from the whole.
    agent.update(scheduler.id, 't', 'TASK_RUNNING');
    const late = await cluster.agent('agent-3', 'cpus:8');
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal(['t TASK_RUNNING SOURCE_EXECUTOR']);
    const offersBefore = scheduler.offers.length;

    const runtime = await cluster.startAllocator();
    await cluster.advance('30s');
    expect(await cluster.metric(total, runtime)).to.equal(16);
    expect(await cluster.metric(taken, runtime)).to.equal(16);
    // Filters went with the first allocator: the rest of agent-1 is offered, and the new agent.
    const fresh = scheduler.offers.slice(offersBefore);
    expect(fresh.map(({ agentId }) => agentId).toSorted()).to.deep.equal([agent.id, late.id].toSorted());
    // 3 free and 1 in use of the first, the second was on offer all the time, and 8.
    expect(await cluster.metric('allocator/mesos/roles/*/shares/dominant', runtime)).to.equal(0.5);
    expect((await cluster.state()).slaves.map((slave) => slave.offered_resources['cpus'])).to.deep.equal([3, 4, 8]);
  });

  it('waits for an allocator that is not there yet', async () => {
    await using cluster = await TestCluster.start({ exploded: true, startAllocator: false });
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    await cluster.advance('1mins');
    expect(scheduler.offers).to.deep.equal([]);
    await cluster.startAllocator();
    await cluster.advance('30s');
    expect(scheduler.lastOffer.agentId).to.equal(agent.id);
  });

  it('goes on after the connection to its allocator broke and came back', async () => {
    await using cluster = await TestCluster.start({ exploded: true });
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    cluster.world.network.partition('allocator', 'master');
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 0);
    await cluster.advance('2mins');
    expect(agent.runs).to.have.length(1);
    cluster.world.network.heal('allocator', 'master');
    await cluster.advance('30s');
    expect(scheduler.lastOffer.resources).to.deep.include({ type: 'SCALAR', name: 'cpus', scalar: 3 });
    expect(await cluster.metric(taken, cluster.allocatorRuntime)).to.equal(4);
  });

  it('offers nothing that somebody else calls allocated', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler('framework-1');
    scheduler.decline(scheduler.lastOffer, 3600);
    await cluster.advance('20ms');
    const forger = await cluster.peer('forger', new FakeScheduler());
    forger.tell(allocatorMessages.Allocated, {
      frameworkId: scheduler.id,
      allocations: [
        { role: '*', agentId: agent.id, resources: [{ name: 'cpus', type: 'SCALAR', scalar: 1, allocationRole: '*' }] },
      ],
    });
    forger.tell(allocatorMessages.AllocatorInitialized, {});
    await cluster.advance('2s');
    expect(scheduler.got(schedulerMessages.Offers)).to.have.length(1);
    expect(await cluster.metric('master/dropped_messages')).to.equal(1);
    // And goes on with the allocator that it has.
    const other = await cluster.agent('agent-2');
    expect(scheduler.lastOffer.agentId).to.equal(other.id);
  });

  it('an allocator hears nobody but its master', async () => {
    await using cluster = await TestCluster.start({ exploded: true });
    await cluster.agent();
    const scheduler = await cluster.scheduler();
    const forger = await cluster.peer('forger', new FakeScheduler());
    forger.master = cluster.master.pid('allocator@allocator');
    forger.tell(allocatorMessages.RemoveFramework, { frameworkId: scheduler.id });
    await cluster.advance('20ms');
    expect(await cluster.metric(taken, cluster.allocatorRuntime)).to.equal(4);
  });

  it('an allocator whose master is gone forgets it all', async () => {
    await using cluster = await TestCluster.start({ exploded: true });
    await cluster.agent();
    cluster.world.crash('master');
    await cluster.advance('1mins');
    expect(await cluster.metric(total, cluster.allocatorRuntime)).to.equal(0);
  });

  it('stops the offering of agents and frameworks that are disconnected or gone', async () => {
    await using cluster = await TestCluster.start({ exploded: true, startAllocator: false });
    const allocator = await cluster.peer('allocator', new FakeAllocator());
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler('framework-1', { failoverTimeout: 600_000 });
    const { id } = scheduler;
    cluster.world.crash('agent-1');
    cluster.world.crash('framework-1');
    await cluster.advance('1mins');
    expect(allocator.got(allocatorMessages.DeactivateAgent)).to.deep.equal([{ agentId: agent.id }]);
    expect(allocator.got(allocatorMessages.DeactivateFramework)).to.deep.equal([{ frameworkId: id }]);
    expect(allocator.got(allocatorMessages.RemoveFramework)).to.deep.equal([]);
    await cluster.advance('11mins');
    expect(allocator.got(allocatorMessages.RemoveFramework)).to.deep.equal([{ frameworkId: id }]);
    expect(allocator.got(allocatorMessages.RemoveAgent)).to.deep.equal([{ agentId: agent.id }]);
  });

  it('gives back what is allocated to a framework that has just gone', async () => {
    await using cluster = await TestCluster.start({ exploded: true, startAllocator: false });
    const allocator = await cluster.peer('allocator', new FakeAllocator());
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler('framework-1', { failoverTimeout: 600_000 });
    const { id } = scheduler;
    cluster.world.crash('framework-1');
    await cluster.advance('1mins');
    allocator.allocate(id, agent.id, 'cpus:1');
    await cluster.advance('20ms');
    expect(allocator.got(allocatorMessages.RecoverResources)).to.deep.equal([
      {
        frameworkId: id,
        agentId: agent.id,
        resources: [{ name: 'cpus', type: 'SCALAR', scalar: 1, allocationRole: '*' }],
        isAllocated: false,
      },
    ]);
    expect((await cluster.state()).frameworks[0]?.offers).to.deep.equal([]);
  });

  it('offers nothing that is in use or on offer already, whatever the allocator says', async () => {
    await using cluster = await TestCluster.start({ exploded: true, startAllocator: false });
    const allocator = await cluster.peer('allocator', new FakeAllocator());
    // The master has to find it first.
    await cluster.advance('30s');
    const agent = await cluster.agent('agent-1', 'cpus:4;mem:4096');
    const scheduler = await cluster.scheduler();
    allocator.allocate(scheduler.id, agent.id, 'cpus:3');
    allocator.allocate(scheduler.id, agent.id, 'cpus:2');
    await cluster.advance('20ms');
    expect(scheduler.offers).to.have.length(1);
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')]);
    await cluster.advance('20ms');
    allocator.allocate(scheduler.id, agent.id, 'cpus:2');
    allocator.allocate(scheduler.id, agent.id, 'cpus:1');
    await cluster.advance('20ms');
    expect(scheduler.offers.map(({ resources }) => resources[0])).to.deep.equal([
      { name: 'cpus', type: 'SCALAR', scalar: 3 },
      { name: 'cpus', type: 'SCALAR', scalar: 1 },
    ]);
  });

  it('tells an allocator that gave what is not free about the agent anew', async () => {
    await using cluster = await TestCluster.start({ exploded: true, startAllocator: false });
    const allocator = await cluster.peer('allocator', new FakeAllocator());
    await cluster.advance('30s');
    const agent = await cluster.agent('agent-1', 'cpus:4');
    const scheduler = await cluster.scheduler();
    allocator.allocate(scheduler.id, agent.id, 'cpus:3');
    allocator.allocate(scheduler.id, agent.id, 'cpus:2');
    await cluster.advance('20ms');
    const [, again] = allocator.got(allocatorMessages.AddAgent);
    expect(again).to.deep.include({
      agentId: agent.id,
      used: [
        {
          frameworkId: scheduler.id,
          resources: [{ name: 'cpus', type: 'SCALAR', scalar: 3, allocationRole: '*' }],
        },
      ],
    });
  });

  it('tells a new allocator which agents are away and which roles want nothing', async () => {
    await using cluster = await TestCluster.start({ exploded: true, startAllocator: false });
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    const { id } = scheduler;
    scheduler.tell(schedulerMessages.Suppress, { frameworkId: id, roles: [] });
    cluster.world.crash('agent-1');
    await cluster.advance('30s');
    const allocator = await cluster.peer('allocator', new FakeAllocator());
    await cluster.advance('30s');
    expect(allocator.got(allocatorMessages.AddAgent).map(({ agentId }) => agentId)).to.deep.equal([agent.id]);
    expect(allocator.got(allocatorMessages.DeactivateAgent)).to.deep.equal([{ agentId: agent.id }]);
    const [framework] = allocator.got(allocatorMessages.AddFramework);
    expect(framework).to.deep.include({ frameworkId: id, suppressedRoles: ['*'] });
  });

  it('tells a new allocator quotas, weights and the whitelist', async () => {
    await using cluster = await TestCluster.start({ exploded: true, startAllocator: false });
    await dispatch(cluster.leader, (master) => master.operator.setQuotas({ ads: { limits: 'cpus:2' } }));
    await dispatch(cluster.leader, (master) => master.operator.setWeights({ ads: 2 }));
    await dispatch(cluster.leader, (master) => master.operator.setWhitelist(['host']));
    const allocator = await cluster.peer('allocator', new FakeAllocator());
    await cluster.advance('30s');
    expect(allocator.got(allocatorMessages.UpdateQuota)).to.deep.equal([
      { role: 'ads', quota: { guarantees: {}, limits: { cpus: 2 } } },
    ]);
    expect(allocator.got(allocatorMessages.UpdateWeights)).to.deep.equal([{ weights: [{ role: 'ads', weight: 2 }] }]);
    expect(allocator.got(allocatorMessages.UpdateWhitelist)).to.deep.equal([{ hostnames: ['host'] }]);
  });
});
