import { expect } from 'chai';
import { AgentID, agentMessages, ExecutorID, type ExecutorInfo, Resources, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { FakeAgent, taskInfo } from '../peers.ts';

const executor: ExecutorInfo = {
  executorId: ExecutorID('e'),
  type: 'CUSTOM',
  command: { value: './run', shell: true, arguments: [], environment: {} },
  resources: [...Resources.parse('cpus:1;mem:64')],
};

describe('an agent whose connection breaks', () => {
  it('MASTER-16 has no executor any more of a framework that does not checkpoint, with a task or without one', async () => {
    for (const hasTask of [true, false]) {
      await using cluster = await TestCluster.start();
      const agent = await cluster.agent('agent-1', 'cpus:4;mem:4096');
      const scheduler = await cluster.scheduler();
      const { command: _none, ...task } = taskInfo('t', agent.id, 'cpus:1;mem:64');
      scheduler.launch(scheduler.lastOffer, [{ ...task, executor }]);
      await cluster.advance('20ms');
      if (!hasTask) agent.update(scheduler.id, 't', 'TASK_FINISHED');
      await cluster.advance('20ms');
      const used = async (): Promise<unknown> => (await cluster.state()).slaves[0]?.used_resources['cpus'];
      expect(await used()).to.equal(hasTask ? 2 : 1);
      cluster.world.crash('agent-1');
      await cluster.advance('30s');
      expect((await cluster.state()).slaves.map(({ active }) => active)).to.deep.equal([false]);
      expect(await used()).to.equal(0);
      expect(scheduler.told.slice(-1)).to.deep.equal([
        hasTask ? 't TASK_LOST SOURCE_MASTER REASON_AGENT_DISCONNECTED' : 't TASK_FINISHED SOURCE_EXECUTOR',
      ]);
    }
  });

  it('MASTER-17 is given up after agent_reregister_timeout, one in agent_removal_rate_limit, unless it is back by then', async () => {
    await using cluster = await TestCluster.start({
      agentReregisterTimeout: '1mins',
      agentPingTimeout: '10hrs',
      agentRemovalRateLimit: '1/10mins',
    });
    const scheduler = await cluster.scheduler();
    const nodes = ['agent-1', 'agent-2', 'agent-3'];
    for (const node of nodes) await cluster.agent(node);
    for (const node of nodes) cluster.world.crash(node);
    await cluster.advance('3mins');
    const lost = (): number => scheduler.got(schedulerMessages.Failure).length;
    expect(lost()).to.equal(1);
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    const [first] = scheduler.got(schedulerMessages.Failure);
    const [second, third] = (await cluster.state()).slaves;
    const ids = [first?.agentId, second?.id, third?.id];
    expect(new Set(ids).size).to.equal(3);
    // One of those that wait is back in time.
    if (third === undefined) throw new Error('too few agents');
    const { hostname } = third;
    const returning = await cluster.peer(hostname, new FakeAgent(undefined, { hostname }));
    returning.reregister([], [], AgentID(third.id));
    await cluster.advance('30mins');
    expect(returning.got(agentMessages.AgentReregistered)).to.have.length(1);
    expect((await cluster.state()).unreachable_slaves).to.equal(2);
    expect((await cluster.state()).slaves.map(({ id, active }) => [id, active])).to.deep.equal([[third.id, true]]);
  });
});
