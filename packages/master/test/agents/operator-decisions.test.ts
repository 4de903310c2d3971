import { dispatch, type Future } from '@mezzo/process';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { expect } from 'chai';
import { type AgentID, agentMessages, AgentID as AgentId, schedulerMessages } from '@mezzo/protocol';
import type { Operator } from '@mezzo/master';
import { TestCluster } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, reported, taskInfo } from '../peers.ts';

describe('what an operator decides about agents', () => {
  const store = { current: new MemoryLogStore() };
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    store.current = new MemoryLogStore();
    cluster = await TestCluster.start({ registry: memoryLog(store.current) });
    scheduler = await cluster.scheduler('framework-1', {
      capabilities: ['PARTITION_AWARE'],
      failoverTimeout: 1e9,
      checkpoint: true,
    });
    agent = await cluster.agent('agent-1');
    await cluster.advance('1s');
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  /** `done`, or what is against it. */
  const decide = async (call: (operator: Operator) => Future<void>): Promise<string> => {
    const outcome = dispatch(cluster.leader, (master) => call(master.operator));
    await cluster.advance('1s');
    if (outcome.isReady) return 'done';
    const error = outcome.failure() as Error & { readonly kind: string };
    return `${error.kind}: ${error.message}`;
  };
  const launch = async (id: string): Promise<void> => {
    scheduler.launch(scheduler.lastOffer, [taskInfo(id, agent.id, 'cpus:1;mem:64')]);
    await cluster.advance('1s');
    agent.update(scheduler.id, id, 'TASK_RUNNING');
    await cluster.advance('1s');
  };
  /** Offers of the agent that still stand and were made since. */
  const offersOf = (id: AgentID, before = 0): number =>
    scheduler.offers.slice(before).filter(({ agentId }) => agentId === id).length;

  it('a deactivated agent is not offered and keeps its tasks, until it is reactivated', async () => {
    await launch('t');
    expect(await decide((operator) => operator.deactivateAgent(agent.id))).to.equal('done');
    const before = scheduler.offers.length;
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('10s');
    expect(scheduler.offers.length).to.equal(before);
    expect(await decide((operator) => operator.deactivateAgent(agent.id))).to.match(/^INVALID: .* is deactivated/);
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.equal('done');
    await cluster.advance('2s');
    expect(scheduler.offers.length).to.equal(before + 1);
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.match(/^INVALID: .* is active/);
    expect(await decide((operator) => operator.deactivateAgent(AgentId('nobody')))).to.match(
      /^UNKNOWN: No agent found/,
    );
  });

  it('MASTER-32 a drained agent is told to kill its tasks, is DRAINED with the last of them, and reactivated only then', async () => {
    await launch('t');
    const before = scheduler.offers.length;
    expect(await decide((operator) => operator.drainAgent(agent.id, { maxGracePeriod: 5000 }))).to.equal('done');
    const [order] = agent.got(agentMessages.DrainAgent);
    expect(order?.config).to.deep.equal({ maxGracePeriod: 5000, markGone: false });
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.match(/^INVALID: .* is draining/);
    agent.update(scheduler.id, 't', 'TASK_KILLED');
    await cluster.advance('10s');
    expect(offersOf(agent.id, before)).to.equal(0);
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.equal('done');
    await cluster.advance('2s');
    expect(offersOf(agent.id, before)).to.equal(1);
  });

  it('MASTER-32 an agent without tasks is DRAINED at once, and gone if that was asked for', async () => {
    expect(await decide((operator) => operator.drainAgent(agent.id, { markGone: true }))).to.equal('done');
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ShutdownAgent).map(({ message }) => message)).to.deep.equal([
      'Agent has been marked gone',
    ]);
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ShutdownAgent)).to.have.length(2);
    expect((await cluster.state()).slaves).to.deep.equal([]);
  });

  it('MASTER-32 what was decided stands after the agent was away, and after a failover of the master', async () => {
    await launch('t');
    cluster.world.network.partition(['agent-1'], ['master']);
    await cluster.advance('30s');
    expect(await decide((operator) => operator.drainAgent(agent.id))).to.equal('done');
    expect(agent.got(agentMessages.DrainAgent)).to.have.length(0);
    cluster.world.network.heal('agent-1', 'master');
    await cluster.failOver();
    scheduler.subscribe({
      id: scheduler.id,
      capabilities: ['PARTITION_AWARE'],
      failoverTimeout: 1e9,
      checkpoint: true,
    });
    await cluster.advance('1s');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [], agent.id);
    await cluster.advance('2s');
    expect(agent.got(agentMessages.DrainAgent)).to.have.length(1);
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.match(/^INVALID: .* is draining/);
    agent.update(scheduler.id, 't', 'TASK_KILLED');
    await cluster.advance('2s');
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.equal('done');
  });

  it('MASTER-32 an unreachable agent is drained when it is back, and may be marked gone for it', async () => {
    await launch('t');
    const other = await cluster.agent('agent-2');
    cluster.world.network.partition(['agent-1', 'agent-2'], ['master']);
    await cluster.advance('2mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(2);
    expect(await decide((operator) => operator.drainAgent(agent.id, { maxGracePeriod: 1000 }))).to.equal('done');
    expect(await decide((operator) => operator.drainAgent(other.id, { markGone: true }))).to.equal('done');
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.match(/^INVALID: .* is draining/);
    for (const node of ['agent-1', 'agent-2']) cluster.world.network.heal(node, 'master');
    for (const peer of [agent, other]) peer.knock();
    await cluster.advance('5s');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [], agent.id);
    other.reregister([], [], other.id);
    await cluster.advance('1s');
    // As agents do after every registration.
    for (const peer of [agent, other]) peer.tell(agentMessages.UpdateAgent, { agentId: peer.id, operations: [] });
    await cluster.advance('2s');
    expect(agent.got(agentMessages.DrainAgent).map(({ config }) => config)).to.deep.equal([
      { maxGracePeriod: 1000, markGone: false },
    ]);
    agent.update(scheduler.id, 't', 'TASK_KILLED');
    await cluster.advance('2s');
    expect(await decide((operator) => operator.reactivateAgent(agent.id))).to.equal('done');
    expect(other.got(agentMessages.ShutdownAgent).map(({ message }) => message)).to.deep.equal([
      'Agent has been marked gone',
    ]);
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([agent.id]);
  });

  it('an agent that is marked gone is shut down, its tasks are gone, and it may never come back', async () => {
    const unaware = await cluster.scheduler('framework-2', { name: 'unaware' });
    await launch('t');
    scheduler.decline(scheduler.lastOffer, 3600);
    await cluster.advance('2s');
    unaware.launch(unaware.lastOffer, [taskInfo('u', agent.id, 'cpus:1;mem:64')]);
    await cluster.advance('1s');
    expect(await decide((operator) => operator.markAgentGone(agent.id))).to.equal('done');
    expect(scheduler.told.at(-1)).to.equal('t TASK_GONE_BY_OPERATOR SOURCE_MASTER REASON_AGENT_REMOVED_BY_OPERATOR');
    expect(unaware.told.at(-1)).to.equal('u TASK_LOST SOURCE_MASTER REASON_AGENT_REMOVED');
    expect(scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId)).to.deep.equal([agent.id]);
    expect(agent.got(agentMessages.ShutdownAgent)).to.have.length(1);
    expect(await decide((operator) => operator.markAgentGone(agent.id))).to.match(/^UNKNOWN/);
    await cluster.failOver();
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ShutdownAgent)).to.have.length(2);
    scheduler.subscribe({
      id: scheduler.id,
      capabilities: ['PARTITION_AWARE'],
      failoverTimeout: 1e9,
      checkpoint: true,
    });
    await cluster.advance('1s');
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.reconcile([{ taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_GONE_BY_OPERATOR SOURCE_MASTER REASON_RECONCILIATION');
  });

  it('an unreachable agent that is marked gone takes its unreachable tasks along', async () => {
    await launch('t');
    cluster.world.network.partition(['agent-1'], ['master']);
    await cluster.advance('2mins');
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_AGENT_REMOVED');
    expect(scheduler.statuses.at(-1)?.unreachableTime).to.be.a('number');
    expect(await decide((operator) => operator.markAgentGone(agent.id))).to.equal('done');
    expect(scheduler.told.at(-1)).to.equal('t TASK_GONE_BY_OPERATOR SOURCE_MASTER REASON_AGENT_REMOVED_BY_OPERATOR');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework?.unreachable_tasks).to.deep.equal([]);
    expect(framework?.completed_tasks.map(({ id }) => id)).to.deep.equal(['t']);
  });

  it('an operator tears a framework down, also one that is known from agents only', async () => {
    await launch('t');
    expect(await decide((operator) => operator.teardown(scheduler.id))).to.equal('done');
    expect(agent.got(agentMessages.ShutdownFramework).map(({ frameworkId }) => frameworkId)).to.deep.equal([
      scheduler.id,
    ]);
    expect(await decide((operator) => operator.teardown(scheduler.id))).to.match(/^UNKNOWN: No framework found/);
    await cluster.failOver();
    const framework = {
      name: 'test',
      roles: ['*'],
      failoverTimeout: 0,
      checkpoint: true,
      capabilities: [],
      id: scheduler.id,
    };
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [framework], agent.id);
    await cluster.advance('1s');
    expect((await cluster.state()).frameworks.map(({ recovered }) => recovered)).to.deep.equal([true]);
    expect(await decide((operator) => operator.teardown(scheduler.id))).to.equal('done');
    expect(agent.got(agentMessages.ShutdownFramework)).to.have.length(2);
    expect((await cluster.state()).frameworks).to.deep.equal([]);
  });
});
