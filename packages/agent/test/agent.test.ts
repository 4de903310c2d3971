import { expect } from 'chai';
import { Cluster } from './cluster.ts';
import { agentId, frameworkId, taskOf } from './fake-master.ts';

describe('an agent', () => {
  it('runs a task and reports what becomes of it', async () => {
    await using cluster = await Cluster.registered();
    const { master } = cluster;
    master.run(taskOf('t1', 'true'));
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    expect(master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    const last = master.last('t1');
    expect(last).to.deep.include({ frameworkId, agentId, latestState: 'TASK_FINISHED' });
    expect(last?.status).to.include({
      source: 'SOURCE_EXECUTOR',
      message: 'Command exited with status 0',
      agentId,
      executorId: 't1',
    });
  });
});
