import { expect } from 'chai';
import { agentMessages, Resources, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { taskInfo } from './peers.ts';

describe('the offer cycle', () => {
  for (const exploded of [false, true]) {
    it(`MASTER-01 MASTER-03 runs a task from offer to acknowledged end${exploded ? ', with the allocator elsewhere' : ''}`, async () => {
      await using cluster = await TestCluster.start({ exploded });
      const agent = await cluster.agent();
      const scheduler = await cluster.scheduler();
      const offer = scheduler.lastOffer;
      expect(offer).to.include({ agentId: agent.id, frameworkId: scheduler.id, hostname: 'agent-1', role: '*' });
      expect(String(Resources.of(offer.resources))).to.equal('cpus:4;mem:4096');

      scheduler.launch(offer, [taskInfo('t1', agent.id, 'cpus:1;mem:1024')]);
      await cluster.advance('20ms');
      const [run] = agent.got(agentMessages.RunTask);
      expect(run?.framework.id).to.equal(scheduler.id);
      expect(String(Resources.of(run?.task.resources ?? []))).to.equal('cpus(allocated: *):1;mem(allocated: *):1024');
      let state = await cluster.state();
      expect(state.frameworks[0]?.tasks.map((task) => task.state)).to.deep.equal(['TASK_STAGING']);
      expect(state.slaves[0]?.used_resources).to.include({ cpus: 1, mem: 1024 });

      const starting = agent.update(scheduler.id, 't1', 'TASK_STARTING');
      const running = agent.update(scheduler.id, 't1', 'TASK_RUNNING', { data: new Uint8Array([1, 2]) });
      await cluster.advance('20ms');
      expect(scheduler.told).to.deep.equal(['t1 TASK_STARTING SOURCE_EXECUTOR', 't1 TASK_RUNNING SOURCE_EXECUTOR']);
      expect(scheduler.statuses[1]?.data).to.deep.equal(new Uint8Array([1, 2]));
      const acks = agent.got(agentMessages.AcknowledgeStatusUpdate);
      expect(acks.map(({ taskId, uuid }) => [taskId, uuid])).to.deep.equal([
        ['t1', starting],
        ['t1', running],
      ]);

      agent.update(scheduler.id, 't1', 'TASK_FINISHED');
      await cluster.advance('20ms');
      state = await cluster.state();
      expect(state.frameworks[0]?.tasks).to.deep.equal([]);
      const [completed] = state.frameworks[0]?.completed_tasks ?? [];
      expect(completed?.statuses.map((status) => status.state)).to.deep.equal([
        'TASK_STARTING',
        'TASK_RUNNING',
        'TASK_FINISHED',
      ]);
      expect(JSON.stringify(state)).not.to.contain('data');
      expect(state.slaves[0]?.used_resources).to.include({ cpus: 0, mem: 0 });
    });
  }

  it('MASTER-01 frees what a running task holds when its framework is shut down', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    scheduler.launch(scheduler.lastOffer, [taskInfo('t1', agent.id, 'cpus:4;mem:4096')]);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't1', 'TASK_RUNNING');
    const next = await cluster.scheduler('framework-2');
    await cluster.advance('5s');
    expect(next.offers).to.deep.equal([]);
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('2s');
    expect(agent.got(agentMessages.ShutdownFramework).map(({ frameworkId }) => frameworkId)).to.deep.equal([
      scheduler.id,
    ]);
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 0, mem: 0 });
    expect(String(Resources.of(next.lastOffer.resources))).to.equal('cpus:4;mem:4096');
  });
});
