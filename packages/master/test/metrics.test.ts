import { spawnBuiltins } from '@mezzo/process/http';
import { expect } from 'chai';
import { agentMessages, LIVE_TASK_STATES, TaskID, type TaskState, TERMINAL_TASK_STATES } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { taskInfo } from './peers.ts';

describe('the master’s metrics of tasks', () => {
  it('MASTER-25 count those in each state, those that are over in it, and why, by source and reason', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent('agent-1', 'cpus:8;mem:4096');
    const scheduler = await cluster.scheduler('one', { capabilities: ['PARTITION_AWARE'], checkpoint: true });
    const metric = (name: string): Promise<number | undefined> => cluster.metric(`master/${name}`);
    const named = (state: TaskState): string => state.toLowerCase().replace('task_', 'tasks_');
    for (const state of [...LIVE_TASK_STATES, ...TERMINAL_TASK_STATES])
      expect(await metric(named(state)), state).to.equal(0);
    const states: TaskState[] = [...LIVE_TASK_STATES, ...TERMINAL_TASK_STATES];
    const tasks = states.map((state) => taskInfo(state, agent.id, 'cpus:0.1;mem:32'));
    scheduler.launch(scheduler.lastOffer, [...tasks, taskInfo('too-much', agent.id, 'cpus:100')]);
    await cluster.advance('20ms');
    const reason = 'REASON_EXECUTOR_TERMINATED';
    for (const state of states.slice(1))
      agent.update(scheduler.id, state, state, state === 'TASK_FINISHED' ? {} : { source: 'SOURCE_AGENT', reason });
    await cluster.advance('1s');
    for (const state of states) expect(await metric(named(state)), state).to.equal(state === 'TASK_ERROR' ? 2 : 1);
    for (const state of TERMINAL_TASK_STATES.filter((one) => one !== 'TASK_FINISHED'))
      expect(await metric(`${state.toLowerCase()}/source_slave/reason_executor_terminated`), state).to.equal(1);
    expect(await metric('task_error/source_master/reason_task_invalid')).to.equal(1);
    expect(await metric('task_finished/source_executor')).to.equal(undefined);
    expect(await metric('task_running/source_slave/reason_executor_terminated'), 'not over').to.equal(undefined);
    // A name is not made up by an agent.
    agent.update(scheduler.id, 'TASK_RUNNING', 'TASK_FAILED', { reason: 'REASON_\n{}' });
    await cluster.advance('1s');
    expect(await metric('tasks_failed')).to.equal(2);
    expect([...(await names())].filter((name) => name.includes('{}'))).to.deep.equal([]);
    agent.answersPings = false;
    await cluster.advance('90s');
    expect(await metric('tasks_unreachable')).to.equal(LIVE_TASK_STATES.length - 1);
    expect(await metric('tasks_running')).to.equal(0);

    async function names(): Promise<Iterable<string>> {
      const answer = cluster.master.metrics.snapshot();
      await cluster.world.settle();
      return answer.get().keys();
    }
  });

  it('MASTER-25 are told under their names by the endpoint for metrics', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't', 'TASK_LOST', { source: 'SOURCE_AGENT', reason: 'REASON_RECONCILIATION' });
    scheduler.kill(TaskID('nobody'));
    await cluster.advance('1s');
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate)).to.have.length(1);
    spawnBuiltins(cluster.master);
    const answer = cluster.master.http({ path: '/metrics/snapshot' });
    await cluster.world.settle();
    const { status, body } = answer.get();
    expect(status).to.equal(200);
    expect(JSON.parse(typeof body === 'string' ? body : '')).to.include({
      'master/tasks_lost': 1,
      'master/task_lost/source_slave/reason_reconciliation': 1,
      'master/tasks_running': 0,
      'master/messages_kill_task': 1,
    });
  });
});
