import { expect } from 'chai';
import { AgentID, agentMessages } from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { FakeAgent, type FakeScheduler, reported, taskInfo } from '../peers.ts';

async function withTask(
  cluster: TestCluster,
  capabilities: string[] = [],
): Promise<{ agent: FakeAgent; scheduler: FakeScheduler }> {
  const agent = await cluster.agent();
  const scheduler = await cluster.scheduler('framework-1', { checkpoint: true, capabilities });
  scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 0);
  await cluster.advance('20ms');
  agent.update(scheduler.id, 't', 'TASK_RUNNING');
  await cluster.advance('2s');
  return { agent, scheduler };
}

describe('what an agent reports when it registers again', () => {
  for (const exploded of [false, true]) {
    const where = exploded ? ', with the allocator elsewhere' : '';
    const all = { type: 'SCALAR', name: 'cpus', scalar: 4 };

    it(`counts a task once that an agent reports twice when it comes back${where}`, async () => {
      await using cluster = await TestCluster.start({ exploded });
      const { agent, scheduler } = await withTask(cluster, ['PARTITION_AWARE']);
      const task = reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32');
      agent.answersPings = false;
      await cluster.advance('90s');
      agent.answersPings = true;
      agent.reregister([task, task]);
      await cluster.advance('3s');
      expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 1 });
      expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
      expect(scheduler.told.slice(2)).to.deep.equal(['t TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED']);
      scheduler.decline(scheduler.lastOffer, 0);
      agent.update(scheduler.id, 't', 'TASK_FINISHED');
      await cluster.advance('3s');
      expect(scheduler.lastOffer.resources).to.deep.include(all);
    });

    it(`counts a task once that an agent new to the master reports twice${where}`, async () => {
      await using cluster = await TestCluster.start({ exploded });
      const scheduler = await cluster.scheduler();
      const agent = await cluster.peer('agent-1', new FakeAgent());
      agent.agentId = AgentID('earlier-S0');
      const task = reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32');
      agent.reregister([task, task]);
      await cluster.advance('3s');
      expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 1 });
      expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
      scheduler.decline(scheduler.lastOffer, 0);
      agent.update(scheduler.id, 't', 'TASK_FINISHED');
      await cluster.advance('3s');
      expect(scheduler.lastOffer.resources).to.deep.include(all);
    });

    it(`does not count the task that it has an agent kill because the id runs elsewhere by now${where}`, async () => {
      await using cluster = await TestCluster.start({ exploded });
      const { agent, scheduler } = await withTask(cluster);
      const late = await cluster.peer('agent-2', new FakeAgent('cpus:2;mem:64', { hostname: 'agent-2' }));
      late.agentId = AgentID('earlier-S0');
      late.reregister([reported(scheduler.id, late.id, 't', 'cpus:1;mem:32')]);
      await cluster.advance('3s');
      expect(late.got(agentMessages.KillTask).map(({ taskId }) => taskId)).to.deep.equal(['t']);
      expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
      late.update(scheduler.id, 't', 'TASK_KILLED');
      await cluster.advance('3s');
      expect(
        await cluster.metric('allocator/mesos/resources/cpus/offered_or_allocated', cluster.allocatorRuntime),
      ).to.equal(6);
      expect(scheduler.lastOffer).to.include({ agentId: late.id });
      expect(scheduler.lastOffer.resources).to.deep.include({ type: 'SCALAR', name: 'cpus', scalar: 2 });
    });
  }

  it('counts what an agent reports at that agent, whichever it names', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    const liar = await cluster.peer('agent-2', new FakeAgent('cpus:2;mem:64', { hostname: 'agent-2' }));
    liar.agentId = AgentID('earlier-S0');
    liar.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    const { slaves, frameworks } = await cluster.state();
    expect(slaves.map(({ id, used_resources: used }) => [id, used['cpus']])).to.deep.equal([
      [agent.id, 0],
      [liar.id, 1],
    ]);
    expect(frameworks[0]?.tasks.map((task) => task.slave_id)).to.deep.equal([liar.id]);
    liar.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('3s');
    expect((await cluster.state()).slaves.map((slave) => slave.used_resources['cpus'])).to.deep.equal([0, 0]);
    expect(await cluster.metric('allocator/mesos/resources/cpus/offered_or_allocated')).to.equal(6);
  });
});
