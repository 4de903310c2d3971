import { expect } from 'chai';
import { AgentID, agentMessages, FrameworkID, type FrameworkInfo, schedulerMessages, TaskID } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { FakeAgent, FakeScheduler, frameworkInfo, reported, taskInfo } from './peers.ts';

async function withTask(
  cluster: TestCluster,
  info: Partial<FrameworkInfo> = {},
): Promise<{ agent: FakeAgent; scheduler: FakeScheduler }> {
  const agent = await cluster.agent();
  const scheduler = await cluster.scheduler('framework-1', info);
  scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 0);
  await cluster.advance('20ms');
  agent.update(scheduler.id, 't', 'TASK_RUNNING');
  await cluster.advance('2s');
  return { agent, scheduler };
}

const checkpointing = { checkpoint: true };
const aware = { checkpoint: true, capabilities: ['PARTITION_AWARE'] };

describe('agents at the master', () => {
  it('gives each agent an id of the master’s, once however often it asks', async () => {
    await using cluster = await TestCluster.start();
    const first = await cluster.agent('agent-1');
    const second = await cluster.agent('agent-2');
    const { id } = await cluster.state();
    expect([first.id, second.id]).to.deep.equal([`${id}-S0`, `${id}-S1`]);
    first.register();
    await cluster.advance('20ms');
    const [, again] = first.got(agentMessages.AgentRegistered);
    expect(again).to.include({ agentId: first.id, totalPingTimeout: 75_000 });
    expect((await cluster.state()).slaves).to.have.length(2);
  });

  it('sends an agent away whose resources or version make no sense, and says why', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.peer(
      'agent-1',
      new FakeAgent('cpus:1', { resources: [{ name: 'cpus', type: 'SCALAR', scalar: -1 }] }),
    );
    agent.register();
    const other = await cluster.peer('agent-2', new FakeAgent());
    other.register('newest');
    await cluster.advance('20ms');
    expect(agent.got(agentMessages.ShutdownAgent)[0]?.message).to.contain('-1 is negative');
    expect(other.got(agentMessages.ShutdownAgent)[0]?.message).to.contain(`'newest'`);
    expect((await cluster.state()).slaves).to.deep.equal([]);
  });

  it('replaces an agent that registers anew from the same address after a restart', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    cluster.world.crash('agent-1');
    const restarted = await cluster.agent('agent-1');
    expect(restarted.id).not.to.equal(agent.id);
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([restarted.id]);
    expect(scheduler.statuses.at(-1)).to.include({
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: 'Agent agent-1 removed: a new agent registered at the same address',
    });
    expect(scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId)).to.deep.equal([agent.id]);
  });

  it('MASTER-16 a broken connection rescinds offers and loses the tasks of frameworks that do not checkpoint, at once', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster);
    const offer = scheduler.lastOffer;
    cluster.world.crash('agent-1');
    const noticed = await cluster.world.advanceUntil(() => scheduler.told.length > 1, '1mins');
    expect(noticed).to.equal(true);
    expect(scheduler.told).to.deep.equal([
      't TASK_RUNNING SOURCE_EXECUTOR',
      't TASK_LOST SOURCE_MASTER REASON_AGENT_DISCONNECTED',
    ]);
    expect(scheduler.statuses.at(-1)?.message).to.equal('Agent agent-1 disconnected');
    await cluster.advance('20ms');
    expect(scheduler.got(schedulerMessages.Rescind).map(({ offerId }) => offerId)).to.deep.equal([offer.id]);
    await cluster.advance('3s');
    const [slave] = (await cluster.state()).slaves;
    expect(slave).to.include({ id: agent.id, active: false });
    expect(slave?.used_resources).to.include({ cpus: 0 });
    expect(scheduler.offers).to.have.length(1);
    expect(await cluster.metric('master/task_lost/source_master/reason_agent_disconnected')).to.equal(1);
  });

  it('PART-01 an agent that answers no ping is unreachable after five: its tasks are lost, and Failure is sent', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    agent.answersPings = false;
    await cluster.advance('58s');
    expect(scheduler.told).to.have.length(1);
    const rescinded = scheduler.got(schedulerMessages.Rescind).length;
    await cluster.advance('32s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_LOST SOURCE_MASTER REASON_AGENT_REMOVED');
    expect(scheduler.statuses.at(-1)?.message).to.equal('health check timed out');
    expect(scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId)).to.deep.equal([agent.id]);
    expect(scheduler.got(schedulerMessages.Rescind)).to.have.length(rescinded + 1);
    const state = await cluster.state();
    expect(state.slaves).to.deep.equal([]);
    expect(state.unreachable_slaves).to.equal(1);
    // What was told is final, and what is lost may come back.
    expect(state.frameworks[0]?.unreachable_tasks.map((task) => task.state)).to.deep.equal(['TASK_UNREACHABLE']);
    const pings = agent.got(agentMessages.Ping).length;
    await cluster.advance('2mins');
    expect(agent.got(agentMessages.Ping)).to.have.length(pings);
  });

  it('one answered ping in five keeps an agent', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    for (let round = 0; round < 4; round++) {
      agent.answersPings = false;
      await cluster.advance('60s');
      agent.answersPings = true;
      await cluster.advance('15s');
    }
    expect((await cluster.state()).slaves).to.have.length(1);
  });

  it('PART-02 a partition-aware framework sees TASK_UNREACHABLE, and the real state when the agent is back', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, aware);
    agent.answersPings = false;
    await cluster.advance('90s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_AGENT_REMOVED');
    expect((await cluster.state()).frameworks[0]?.tasks).to.deep.equal([]);
    agent.answersPings = true;
    agent.reregister(
      [reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')],
      [{ ...frameworkInfo, ...aware, id: scheduler.id }],
    );
    await cluster.advance('20ms');
    expect(scheduler.told.at(-1)).to.equal('t TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED');
    expect(scheduler.statuses.at(-1)?.message).to.equal('Unreachable agent re-reregistered');
    const state = await cluster.state();
    expect(state.unreachable_slaves).to.equal(0);
    expect(state.frameworks[0]?.tasks.map((task) => task.state)).to.deep.equal(['TASK_RUNNING']);
    expect(state.frameworks[0]?.unreachable_tasks).to.deep.equal([]);
    expect(state.slaves[0]?.used_resources).to.include({ cpus: 1, mem: 32 });
    expect(scheduler.lastOffer.resources).to.deep.include({ type: 'SCALAR', name: 'cpus', scalar: 3 });
    expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
  });

  it('PART-02 also takes back the task of a framework that is not partition-aware', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    agent.answersPings = false;
    await cluster.advance('90s');
    agent.answersPings = true;
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    expect(scheduler.told.slice(1)).to.deep.equal([
      't TASK_LOST SOURCE_MASTER REASON_AGENT_REMOVED',
      't TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED',
    ]);
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 1 });
    expect((await cluster.state()).frameworks[0]?.unreachable_tasks).to.deep.equal([]);
  });

  it('PART-03 shuts the tasks of a framework down that was torn down meanwhile', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, aware);
    agent.answersPings = false;
    await cluster.advance('90s');
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('20ms');
    agent.reregister(
      [reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')],
      [{ ...frameworkInfo, ...aware, id: scheduler.id }],
    );
    await cluster.advance('20ms');
    const kinds = agent.received.map(({ kind }) => kind).filter((kind) => kind !== agentMessages.Ping.name);
    expect(kinds.slice(-2)).to.deep.equal([agentMessages.AgentReregistered.name, agentMessages.ShutdownFramework.name]);
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 0 });
    const [completed] = (await cluster.state()).completed_frameworks;
    expect(completed?.completed_tasks.map((task) => task.state)).to.deep.equal(['TASK_KILLED']);
    expect(completed?.unreachable_tasks).to.deep.equal([]);
    expect((await cluster.state()).frameworks).to.deep.equal([]);
  });

  it('PART-04 tells the end of a task that finished while its agent was unreachable', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, aware);
    agent.answersPings = false;
    await cluster.advance('90s');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32', 'TASK_FINISHED')]);
    await cluster.advance('20ms');
    expect(scheduler.told.at(-1)).to.equal('t TASK_FINISHED SOURCE_MASTER REASON_AGENT_REREGISTERED');
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 0 });
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect((await cluster.state()).frameworks[0]?.completed_tasks.map((task) => task.state)).to.deep.equal([
      'TASK_FINISHED',
    ]);
  });

  it('PART-05 forgets unreachable tasks that the agent does not bring back', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, aware);
    agent.answersPings = false;
    await cluster.advance('90s');
    const told = scheduler.told.length;
    agent.reregister();
    await cluster.advance('20ms');
    expect((await cluster.state()).frameworks[0]?.unreachable_tasks).to.deep.equal([]);
    expect(scheduler.told).to.have.length(told);
  });

  it('PART-06 ignores updates from an agent that was given up, without acknowledging them', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    agent.answersPings = false;
    await cluster.advance('90s');
    const told = scheduler.told.length;
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect(scheduler.told).to.have.length(told);
    expect(await cluster.metric('master/invalid_status_updates')).to.equal(1);
  });

  it('PART-07 a spurious registration of a connected agent changes nothing', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    const told = scheduler.told.length;
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    expect(scheduler.told).to.have.length(told);
    expect(agent.got(agentMessages.AgentReregistered).map(({ reconcile }) => reconcile)).to.deep.equal([[]]);
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 1 });
  });

  it('RECON-07 asks an agent that comes back for the tasks it did not report, and repeats kills after its confirmation', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    await cluster.advance('1s');
    scheduler.launch(scheduler.lastOffer, [taskInfo('lost', agent.id, 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    cluster.world.network.partition('agent-1', 'master');
    await cluster.advance('30s');
    expect((await cluster.state()).slaves[0]).to.include({ active: false });
    scheduler.kill('t');
    await cluster.advance('20ms');
    cluster.world.network.heal('agent-1', 'master');
    // An agent asks until it is answered; what it said in the broken session is lost.
    await cluster.advance('5s');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')]);
    await cluster.advance('5s');
    expect(agent.got(agentMessages.AgentReregistered).at(-1)?.reconcile).to.deep.equal([
      { frameworkId: scheduler.id, taskId: 'lost' },
    ]);
    const kinds = agent.received.map(({ kind }) => kind).filter((kind) => kind !== agentMessages.Ping.name);
    expect(kinds.slice(-2)).to.deep.equal([agentMessages.AgentReregistered.name, agentMessages.KillTask.name]);
    const [slave] = (await cluster.state()).slaves;
    expect(slave).to.include({ active: true });
    await cluster.advance('2s');
    expect(scheduler.lastOffer.agentId).to.equal(agent.id);
  });

  it('counts, and ends, a task that was given up but still runs when its agent is back', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster);
    cluster.world.network.partition('agent-1', 'master');
    await cluster.advance('30s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_LOST SOURCE_MASTER REASON_AGENT_DISCONNECTED');
    cluster.world.network.heal('agent-1', 'master');
    // An agent asks until it is answered; what it said in the broken session is lost.
    await cluster.advance('5s');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')]);
    await cluster.advance('3s');
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 1 });
    expect(scheduler.lastOffer.resources).to.deep.include({ type: 'SCALAR', name: 'cpus', scalar: 3 });
    expect(agent.got(agentMessages.KillTask).map(({ taskId }) => taskId)).to.deep.equal(['t']);
    agent.update(scheduler.id, 't', 'TASK_KILLED');
    await cluster.advance('20ms');
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 0 });
  });

  it('thinks no more of a task that was out of reach when its agent is back without it', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster);
    cluster.world.network.partition('agent-1', 'master');
    await cluster.advance('30s');
    expect((await cluster.state()).frameworks[0]?.unreachable_tasks).to.have.length(1);
    cluster.world.network.heal('agent-1', 'master');
    await cluster.advance('5s');
    agent.reregister([]);
    await cluster.advance('3s');
    expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
    expect((await cluster.state()).frameworks[0]?.unreachable_tasks).to.deep.equal([]);
    scheduler.reconcile([{ taskId: TaskID('t'), agentId: agent.id }]);
    await cluster.advance('20ms');
    expect(scheduler.told.at(-1)).to.equal('t TASK_LOST SOURCE_MASTER REASON_RECONCILIATION');
  });

  it('ends what still runs of a task that was lost with the agent, which stays lost', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_LOST SOURCE_MASTER REASON_AGENT_REMOVED');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')]);
    await cluster.advance('3s');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework?.completed_tasks.map(({ id, state }) => `${id} ${state}`)).to.deep.equal(['t TASK_LOST']);
    expect(agent.got(agentMessages.KillTask).map(({ taskId }) => taskId)).to.deep.equal(['t']);
  });

  it('MASTER-17 gives an agent up that stays disconnected for agent_reregister_timeout', async () => {
    await using cluster = await TestCluster.start({ agentReregisterTimeout: '30s', agentPingTimeout: '1hrs' });
    const { scheduler } = await withTask(cluster, checkpointing);
    cluster.world.crash('agent-1');
    await cluster.advance('90s');
    expect(scheduler.statuses.at(-1)).to.include({
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: 'agent did not reregister within 30secs after disconnecting',
    });
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
  });

  it('gives a disconnected agent up that answers no pings, before agent_reregister_timeout', async () => {
    await using cluster = await TestCluster.start();
    const { scheduler } = await withTask(cluster, checkpointing);
    cluster.world.crash('agent-1');
    await cluster.advance('30s');
    expect((await cluster.state()).slaves[0]).to.include({ active: false });
    await cluster.advance('90s');
    expect(scheduler.statuses.at(-1)).to.include({ state: 'TASK_LOST', message: 'health check timed out' });
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
  });

  it('removes an agent that unregisters while it counts as disconnected', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    cluster.world.network.partition('agent-1', 'master');
    await cluster.advance('30s');
    expect((await cluster.state()).slaves[0]).to.include({ active: false });
    cluster.world.network.heal('agent-1', 'master');
    await cluster.advance('5s');
    agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
    await cluster.advance('5s');
    expect(await cluster.state()).to.deep.include({ slaves: [], unreachable_slaves: 0 });
    expect(scheduler.statuses.at(-1)?.message).to.equal('Agent agent-1 removed: the agent unregistered');
  });

  it('counts agent_reregister_timeout anew after each disconnection', async () => {
    await using cluster = await TestCluster.start({ agentPingTimeout: '10hrs' });
    const { agent } = await withTask(cluster, checkpointing);
    cluster.world.crash('agent-1');
    await cluster.advance('1mins');
    const again = await cluster.peer('agent-1', new FakeAgent('cpus:4;mem:4096', { hostname: 'agent-1' }));
    again.reregister([], [], agent.id);
    await cluster.advance('7mins');
    cluster.world.crash('agent-1');
    await cluster.advance('5mins');
    expect(await cluster.state()).to.include({ unreachable_slaves: 0 });
    await cluster.advance('6mins');
    expect(await cluster.state()).to.include({ unreachable_slaves: 1 });
  });

  it('pings an agent that is back from unreachable, and gives it up again', async () => {
    await using cluster = await TestCluster.start();
    const { agent } = await withTask(cluster, checkpointing);
    agent.answersPings = false;
    await cluster.advance('90s');
    agent.reregister();
    await cluster.advance('20ms');
    expect(await cluster.state()).to.include({ unreachable_slaves: 0 });
    await cluster.advance('90s');
    expect(await cluster.state()).to.include({ unreachable_slaves: 1 });
  });

  it('removes an agent that unregisters: its tasks are lost whoever runs them', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, aware);
    const offer = scheduler.lastOffer;
    agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
    await cluster.advance('20ms');
    expect(scheduler.statuses.at(-1)).to.include({
      state: 'TASK_LOST',
      reason: 'REASON_AGENT_REMOVED',
      message: 'Agent agent-1 removed: the agent unregistered',
    });
    expect(scheduler.got(schedulerMessages.Rescind).map(({ offerId }) => offerId)).to.deep.equal([offer.id]);
    expect(scheduler.got(schedulerMessages.Failure)).to.have.length(1);
    expect(await cluster.state()).to.deep.include({ slaves: [], unreachable_slaves: 0 });
  });

  it('MASTER-13 adopts an agent of an earlier master with its tasks; their framework is recovered until it subscribes', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.peer('agent-1', new FakeAgent());
    const frameworkId = FrameworkID('earlier-0000');
    const agentId = AgentID('earlier-S0');
    const task = reported(frameworkId, agentId, 't', 'cpus:1;mem:32');
    agent.reregister([task], [{ ...frameworkInfo, id: frameworkId, name: 'old' }], agentId);
    await cluster.advance('20ms');
    let state = await cluster.state();
    expect(state.slaves[0]).to.include({ id: agentId, active: true });
    expect(state.frameworks[0]).to.include({ id: frameworkId, name: 'old', recovered: true, active: false });
    expect(state.slaves[0]?.used_resources).to.include({ cpus: 1 });
    const scheduler = await cluster.peer('framework-1', new FakeScheduler());
    scheduler.subscribe({ id: frameworkId, name: 'old' });
    await cluster.advance('2s');
    expect(scheduler.id).to.equal(frameworkId);
    state = await cluster.state();
    expect(state.frameworks[0]).to.include({ recovered: false, active: true });
    expect(scheduler.lastOffer.resources).to.deep.include({ type: 'SCALAR', name: 'cpus', scalar: 3 });
    scheduler.reconcile([{ taskId: TaskID('t') }]);
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal(['t TASK_RUNNING SOURCE_MASTER REASON_RECONCILIATION']);
  });

  it('takes no pong or word of leave from anybody but the agent', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const forger = await cluster.peer('forger', new FakeAgent());
    forger.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
    agent.answersPings = false;
    for (let round = 0; round < 10; round++) {
      forger.tell(agentMessages.Pong, { agentId: agent.id });
      await cluster.advance('10s');
    }
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
  });

  it('sends away who claims the id of an agent that is connected from elsewhere, or of another host', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    const told = scheduler.told.length;
    const forger = await cluster.peer('forger', new FakeAgent('cpus:1', { hostname: 'agent-1' }));
    forger.reregister([], [], agent.id);
    const other = await cluster.peer('other', new FakeAgent('cpus:1', { hostname: 'other' }));
    other.reregister([], [], agent.id);
    await cluster.advance('20ms');
    expect(forger.got(agentMessages.ShutdownAgent)[0]?.message).to.equal(
      `Agent ${agent.id} is connected from agent@agent-1, not agent@forger`,
    );
    expect(other.got(agentMessages.ShutdownAgent)[0]?.message).to.equal(
      `Agent ${agent.id} is known from host agent-1, not other`,
    );
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect(scheduler.told).to.have.length(told + 1);
  });

  it('takes an agent back that kept its id over a restart, with what it can offer now', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, checkpointing);
    cluster.world.crash('agent-1');
    const restarted = await cluster.peer('agent-1', new FakeAgent('cpus:8;mem:4096', { hostname: 'agent-1' }));
    restarted.agentId = agent.id;
    restarted.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')]);
    await cluster.advance('3s');
    const { slaves } = await cluster.state();
    expect(slaves.map(({ id }) => id)).to.deep.equal([agent.id]);
    expect(slaves[0]?.resources).to.include({ cpus: 8 });
    expect(slaves[0]?.used_resources).to.include({ cpus: 1 });
    expect(scheduler.told).to.deep.equal(['t TASK_RUNNING SOURCE_EXECUTOR']);
    expect(scheduler.lastOffer.resources).to.deep.include({ type: 'SCALAR', name: 'cpus', scalar: 7 });
    await cluster.advance('3mins');
    expect((await cluster.state()).slaves[0]).to.include({ active: true });
  });

  it('refuses the id of a task that is unreachable', async () => {
    await using cluster = await TestCluster.start();
    const { agent, scheduler } = await withTask(cluster, aware);
    const other = await cluster.agent('agent-2');
    agent.answersPings = false;
    await cluster.advance('90s');
    const offer = scheduler.offers.findLast(({ agentId }) => agentId === other.id);
    if (offer === undefined) throw new Error('no offer');
    scheduler.launch(offer, [taskInfo('t', other.id, 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    expect(scheduler.statuses.at(-1)).to.include({ state: 'TASK_ERROR', message: 'Task has duplicate ID: t' });
  });
});
