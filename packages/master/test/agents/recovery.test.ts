import { dispatch } from '@mezzo/process';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { expect } from 'chai';
import { schedulerMessages, type FrameworkInfo } from '@mezzo/protocol';
import { startMaster } from '@mezzo/master';
import { TestCluster, type ClusterOptions } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, reported, taskInfo } from '../peers.ts';

const aware = { capabilities: ['PARTITION_AWARE'], failoverTimeout: 1e9, checkpoint: true };

describe('a master that takes over', () => {
  let cluster: TestCluster;
  let store: MemoryLogStore;
  const start = async (options: ClusterOptions = {}): Promise<void> => {
    store = new MemoryLogStore();
    cluster = await TestCluster.start({ ...options, registry: memoryLog(store) });
  };
  afterEach(() => cluster[Symbol.asyncDispose]());
  const infoOf = (scheduler: FakeScheduler): FrameworkInfo => ({
    name: 'test',
    roles: ['*'],
    ...aware,
    id: scheduler.id,
  });
  /** An agent with a running task, after a failover in which nobody has come back yet. */
  const running = async (options?: ClusterOptions): Promise<readonly [FakeAgent, FakeScheduler]> => {
    await start(options);
    const scheduler = await cluster.scheduler('framework-1', aware);
    const agent = await cluster.agent('agent-1');
    await cluster.advance('1s');
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:64')]);
    await cluster.advance('1s');
    agent.update(scheduler.id, 't', 'TASK_RUNNING');
    await cluster.advance('1s');
    return [agent, scheduler];
  };

  it('MASTER-12 MASTER-13 an agent of the registry comes back with its tasks, without a word to its frameworks', async () => {
    const [agent, scheduler] = await running();
    await cluster.failOver();
    const told = scheduler.told.length;
    const records = store.entries.length;
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [infoOf(scheduler)], agent.id);
    await cluster.advance('1s');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework).to.deep.include({ recovered: true, connected: false });
    expect(framework?.tasks.map(({ id, state }) => `${id} ${state}`)).to.deep.equal(['t TASK_RUNNING']);
    expect(store.entries.length, 'records for an agent that has not changed').to.equal(records);
    scheduler.subscribe({ ...infoOf(scheduler) });
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal([]);
    scheduler.reconcile([]);
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal(['t TASK_RUNNING SOURCE_MASTER REASON_RECONCILIATION']);
  });

  it('RECON-03 says nothing of tasks that may be on an agent that is not back yet', async () => {
    const [agent, scheduler] = await running();
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('1s');
    const told = scheduler.told.length;
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.reconcile([{ taskId }, { taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal([]);
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    scheduler.reconcile([{ taskId }, { taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal([
      't TASK_UNKNOWN SOURCE_MASTER REASON_RECONCILIATION',
      't TASK_GONE SOURCE_MASTER REASON_RECONCILIATION',
    ]);
  });

  it('MASTER-12 agents that do not come back are unreachable after agent_reregister_timeout, and may return later', async () => {
    const [agent, scheduler] = await running({ agentReregisterTimeout: '10mins' });
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('9mins');
    expect(scheduler.got(schedulerMessages.Failure)).to.deep.equal([]);
    await cluster.advance('2mins');
    expect(scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId)).to.deep.equal([agent.id]);
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.reconcile([{ taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_RECONCILIATION');
    expect(scheduler.statuses.at(-1)?.unreachableTime).to.be.a('number');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [infoOf(scheduler)], agent.id);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED');
  });

  it('RECON-06 an agent that was unreachable before the failover still is, since then', async () => {
    const [agent, scheduler] = await running();
    cluster.world.network.partition(['agent-1'], ['master']);
    await cluster.advance('2mins');
    const since = scheduler.statuses.at(-1)?.unreachableTime;
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_AGENT_REMOVED');
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('1s');
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.reconcile([{ taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_RECONCILIATION');
    expect(scheduler.statuses.at(-1)?.unreachableTime).to.equal(since);
  });

  it('MASTER-12 gives agents up one after the other where their removal is limited, and not who comes back meanwhile', async () => {
    await start({ agentReregisterTimeout: '10mins', agentRemovalRateLimit: '1/10mins' });
    const scheduler = await cluster.scheduler('framework-1', aware);
    const agents = [
      await cluster.agent('agent-1'),
      await cluster.agent('agent-2'),
      await cluster.agent('agent-3'),
    ] as const;
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('11mins');
    const lost = (): unknown[] => scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId);
    expect(lost()).to.deep.equal([agents[0].id]);
    agents[1].reregister([], [], agents[1].id);
    await cluster.advance('30mins');
    expect(lost()).to.have.members([agents[0].id, agents[2].id]);
    expect(await cluster.metric('master/slave_unreachable_canceled')).to.equal(1);
  });

  it('MASTER-12 ends rather than give up more agents than recovery_agent_removal_limit allows', async () => {
    await start({ recoveryAgentRemovalLimit: 0.5 });
    for (const name of ['agent-1', 'agent-2', 'agent-3']) await cluster.agent(name);
    await cluster.failOver();
    await cluster.advance('11mins');
    expect(cluster.master.processes).to.not.include('master');
  });

  it('QUOTA-07 WGT-02 quotas and weights are what they were, and offers wait for the agents', async () => {
    await start();
    const agents: FakeAgent[] = [];
    for (const name of ['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5']) agents.push(await cluster.agent(name));
    const done = dispatch(cluster.leader, (it) => it.operator.setQuotas({ ads: { guarantees: 'cpus:4' } }));
    await cluster.advance('1s');
    expect(done.isReady).to.equal(true);
    const weighed = dispatch(cluster.leader, (it) => it.operator.setWeights({ ads: 3 }));
    await cluster.advance('1s');
    expect(weighed.isReady).to.equal(true);
    await cluster.failOver();
    for (const agent of agents.slice(0, 3)) agent.reregister([], [], agent.id);
    const scheduler = await cluster.scheduler('framework-1', { roles: ['ads'] });
    await cluster.advance('5s');
    expect(scheduler.offers).to.deep.equal([]);
    for (const agent of agents.slice(1)) agent.reregister([], [], agent.id);
    await cluster.advance('5s');
    expect(scheduler.offers).to.have.length(5);
    expect(await cluster.metric('allocator/mesos/quota/roles/ads/resources/cpus/guarantee')).to.equal(4);
  });

  it('MASTER-28 forgets agents that are unreachable or gone for too long, also what its successor would know', async () => {
    await start({ registryMaxAgentAge: '1hrs', registryGcInterval: '15mins' });
    const agent = await cluster.agent('agent-1');
    const gone = await cluster.agent('agent-2');
    cluster.world.network.partition(['agent-1'], ['master']);
    await cluster.advance('2mins');
    const marked = dispatch(cluster.leader, (it) => it.operator.markAgentGone(gone.id));
    await cluster.advance('1s');
    expect(marked.isReady).to.equal(true);
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    await cluster.advance('50mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    await cluster.advance('40mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(0);
    await cluster.failOver();
    expect((await cluster.state()).unreachable_slaves).to.equal(0);
    gone.reregister([], [], gone.id);
    await cluster.advance('1s');
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([gone.id]);
    expect(agent.id).to.not.equal(gone.id);
  });

  it('MASTER-28 remembers as many as registry_max_agent_count says', async () => {
    await start({ registryMaxAgentCount: 1, registryGcInterval: '15mins' });
    for (const name of ['agent-1', 'agent-2', 'agent-3']) await cluster.agent(name);
    cluster.world.network.partition(['agent-1', 'agent-2', 'agent-3'], ['master']);
    await cluster.advance('10mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(3);
    await cluster.advance('10mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
  });

  it('does what operators want once the registry is recovered', async () => {
    await start();
    const { master } = startMaster(await cluster.world.start('other'), { cluster: 'other' });
    const outcome = dispatch(master, (it) => it.operator.setWeights({ a: 2 }));
    expect(outcome.isPending).to.equal(true);
    await cluster.advance('1s');
    expect(outcome.isReady).to.equal(true);
  });

  it('ends when another master has taken the registry over', async () => {
    await start();
    const agent = await cluster.agent('agent-1');
    const usurper = memoryLog(store);
    await usurper.append(store.last, [new Uint8Array([1])]);
    const outcome = dispatch(cluster.leader, (it) => it.operator.deactivateAgent(agent.id));
    await cluster.advance('1s');
    expect(outcome.isReady).to.equal(false);
    expect(cluster.master.processes).to.not.include('master');
  });
});
