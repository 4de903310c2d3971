import { expect } from 'chai';
import {
  AgentID,
  agentMessages,
  type Resource,
  Resources,
  schedulerMessages,
  TaskID,
  type TaskInfo,
} from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { type FakeAgent, type FakeScheduler, taskInfo } from './peers.ts';

async function withOffer(
  options: { readonly capabilities?: string[] } = {},
): Promise<{ cluster: TestCluster; agent: FakeAgent; scheduler: FakeScheduler }> {
  const cluster = await TestCluster.start();
  const agent = await cluster.agent('agent-1', 'cpus:4;mem:4096;gpus:2');
  const capabilities = ['GPU_RESOURCES', ...(options.capabilities ?? [])];
  const scheduler = await cluster.scheduler('framework-1', { capabilities, checkpoint: true });
  return { cluster, agent, scheduler };
}

describe('tasks at the master', () => {
  const faults: readonly (readonly [string, (agentId: AgentID) => TaskInfo, string | RegExp])[] = [
    [
      'an id that cannot be a folder',
      (id) => taskInfo('a/b', id, 'cpus:1'),
      /^Task has an invalid ID: "a\/b" is not a valid TaskID/,
    ],
    [
      'another agent than the offer',
      () => taskInfo('t', AgentID('other'), 'cpus:1'),
      /^Task uses invalid agent other while agent \S+-S0 is expected$/,
    ],
    ['no resources', (id) => taskInfo('t', id, ''), 'Task uses no resources'],
    [
      'nothing but zero',
      (id) => taskInfo('t', id, 'cpus:1', { resources: [{ name: 'cpus', type: 'SCALAR', scalar: 0 }] }),
      'Task uses no resources',
    ],
    [
      'an amount that is not zero but too small',
      (id) => taskInfo('t', id, 'mem:1', { resources: [{ name: 'cpus', type: 'SCALAR', scalar: 0.00001 }] }),
      /^Task uses invalid resources: resource "cpus": .*precision/,
    ],
    ['part of a GPU', (id) => taskInfo('t', id, 'cpus:1;gpus:0.5'), /^Task uses invalid resources: The 'gpus'/],
    [
      'resources of another role',
      (id) => taskInfo('t', id, '', { resources: [{ name: 'cpus', type: 'SCALAR', scalar: 1, allocationRole: 'r' }] }),
      /^Task uses invalid resources: 'cpus' is allocated to role r/,
    ],
    [
      'more than the offer has',
      (id) => taskInfo('t', id, 'cpus:4.001'),
      /^Total resources cpus\(allocated: \*\):4\.001 required by task and its executor is more than available .*cpus\(allocated: \*\):4;/,
    ],
    [
      'an empty command',
      (id) => taskInfo('t', id, 'cpus:1', { command: { value: '', shell: true, arguments: [], environment: {} } }),
      /command is invalid/,
    ],
  ];
  for (const [what, task, message] of faults) {
    it(`answers a task with ${what} by TASK_ERROR that says so`, async () => {
      const { cluster, agent, scheduler } = await withOffer();
      await using _ = cluster;
      scheduler.launch(scheduler.lastOffer, [task(agent.id), taskInfo('good', agent.id, 'cpus:4;mem:1')]);
      await cluster.advance('20ms');
      expect(scheduler.statuses).to.have.length(1);
      const [status] = scheduler.statuses;
      expect(status).to.include({ state: 'TASK_ERROR', source: 'SOURCE_MASTER', reason: 'REASON_TASK_INVALID' });
      if (typeof message === 'string') expect(status?.message).to.equal(message);
      else expect(status?.message).to.match(message);
      expect(status?.uuid).to.equal(undefined);
      // The others of the same call are judged for themselves.
      expect(agent.runs.map(({ taskId }) => taskId)).to.deep.equal(['good']);
    });
  }

  it('refuses the id of a task that the framework still has, on any agent, and takes it after that one’s end', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1'), taskInfo('t', agent.id, 'cpus:1')], 0);
    await cluster.advance('2s');
    expect(scheduler.statuses.map(({ message }) => message)).to.deep.equal(['Task has duplicate ID: t']);
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('2s');
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1')]);
    await cluster.advance('20ms');
    expect(agent.runs).to.have.length(2);
  });

  it('MASTER-19 an amount too small to count is dropped where resources are added up, and refused where it is sent', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    const tiny: Resource = { name: 'cpus', type: 'SCALAR', scalar: 0.00001 };
    const resources = [...Resources.parse('mem:1').plus(Resources.of([tiny]))];
    expect(String(Resources.of(resources))).to.equal('mem:1');
    const one = taskInfo('added', agent.id, '', { resources });
    const two = taskInfo('sent', agent.id, '', { resources: [...resources, tiny] });
    scheduler.launch(scheduler.lastOffer, [one, two]);
    await cluster.advance('20ms');
    expect(agent.runs.map((task) => [task.taskId, String(Resources.of(task.resources).unallocate())])).to.deep.equal([
      ['added', 'mem:1'],
    ]);
    expect(scheduler.told).to.deep.equal(['sent TASK_ERROR SOURCE_MASTER REASON_TASK_INVALID']);
  });

  it('tasks of one call share the offer in their order', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    const tasks = ['1', '2', '3'].map((id) => taskInfo(id, agent.id, 'cpus:1.5'));
    scheduler.launch(scheduler.lastOffer, tasks);
    await cluster.advance('20ms');
    expect(agent.runs.map(({ taskId }) => taskId)).to.deep.equal(['1', '2']);
    expect(scheduler.told).to.deep.equal(['3 TASK_ERROR SOURCE_MASTER REASON_TASK_INVALID']);
  });

  it('hands the agent data and command as they came', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    const data = new Uint8Array([0, 255]);
    const command = { value: 'sort', shell: false, arguments: ['sort', '-u'], environment: { LC_ALL: 'C' } };
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1', { data, command, killGracePeriod: 7 })]);
    await cluster.advance('20ms');
    expect(agent.runs[0]).to.deep.include({ data, command, killGracePeriod: 7 });
    expect(agent.got(agentMessages.RunTask)[0]?.framework).to.deep.include({ id: scheduler.id, name: 'test' });
  });

  it('MASTER-03 frees the resources at the terminal update, and keeps the task until that is acknowledged', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.acknowledges = false;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')], 0);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't', 'TASK_FAILED');
    await cluster.advance('2s');
    let state = await cluster.state();
    expect(state.frameworks[0]?.tasks.map((task) => task.state)).to.deep.equal(['TASK_FAILED']);
    expect(state.slaves[0]?.used_resources).to.include({ cpus: 0 });
    expect(state.slaves[0]?.offered_resources, 'offered again').to.include({ cpus: 4 });
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate)).to.deep.equal([]);
    const [status] = scheduler.statuses;
    if (status === undefined) throw new Error('no update');
    scheduler.acknowledge(status);
    await cluster.advance('20ms');
    state = await cluster.state();
    expect(state.frameworks[0]?.tasks).to.deep.equal([]);
    expect(state.frameworks[0]?.completed_tasks.map((task) => task.state)).to.deep.equal(['TASK_FAILED']);
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate)).to.have.length(1);
    expect(await cluster.metric('master/tasks_failed')).to.equal(1);
  });

  it('keeps a terminal task when another of its updates is acknowledged', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.acknowledges = false;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')]);
    await cluster.advance('20ms');
    const running = agent.update(scheduler.id, 't', 'TASK_RUNNING');
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    const { id: frameworkId } = scheduler;
    scheduler.tell(schedulerMessages.Acknowledge, {
      frameworkId,
      agentId: agent.id,
      taskId: TaskID('t'),
      uuid: running,
    });
    await cluster.advance('20ms');
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate).map(({ uuid }) => uuid)).to.deep.equal([running]);
    expect((await cluster.state()).frameworks[0]?.tasks.map((task) => task.state)).to.deep.equal(['TASK_FINISHED']);
  });

  it('a terminal state stands, whatever is reported later', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.acknowledges = false;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')], 0);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    agent.update(scheduler.id, 't', 'TASK_RUNNING');
    agent.update(scheduler.id, 't', 'TASK_FAILED');
    await cluster.advance('2s');
    const state = await cluster.state();
    expect(state.frameworks[0]?.tasks.map((task) => task.state)).to.deep.equal(['TASK_FINISHED']);
    expect(scheduler.told).to.have.length(3);
    expect(await cluster.metric('allocator/mesos/resources/cpus/offered_or_allocated')).to.equal(4);
  });

  it('MASTER-03 RECON-05 a task that is over is free and answers with the older update that it is passing on, whose acknowledgement ends nothing', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')], 0);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't', 'TASK_RUNNING', { latestState: 'TASK_FINISHED' });
    await cluster.advance('20ms');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework?.tasks.map((task) => task.state)).to.deep.equal(['TASK_FINISHED']);
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 0 });
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate)).to.have.length(1);
    scheduler.reconcile();
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal([
      't TASK_RUNNING SOURCE_EXECUTOR',
      't TASK_RUNNING SOURCE_MASTER REASON_RECONCILIATION',
    ]);
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect((await cluster.state()).frameworks[0]?.completed_tasks).to.have.length(1);
  });

  it('passes an update on for a disconnected framework only when it is back and the agent repeats it', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.subscribe({ id: scheduler.id, failoverTimeout: 3_600_000, capabilities: ['GPU_RESOURCES'] });
    await cluster.advance('2s');
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')]);
    await cluster.advance('20ms');
    cluster.world.crash('framework-1');
    await cluster.advance('1mins');
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    const [slave] = (await cluster.state()).slaves;
    expect(slave?.used_resources).to.include({ cpus: 0 });
    const back = await cluster.scheduler('framework-2', { id: scheduler.id, failoverTimeout: 3_600_000 });
    expect(back.told).to.deep.equal([]);
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect(back.told).to.deep.equal(['t TASK_FINISHED SOURCE_EXECUTOR']);
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate)).to.have.length(1);
  });

  it('an update that needs no acknowledgement ends the task with its telling', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')]);
    await cluster.advance('20ms');
    const { taskId } = taskInfo('t', agent.id, 'cpus:3');
    agent.tell(agentMessages.ForwardStatusUpdate, {
      update: {
        frameworkId: scheduler.id,
        agentId: agent.id,
        latestState: 'TASK_LOST',
        status: {
          taskId,
          state: 'TASK_LOST',
          source: 'SOURCE_AGENT',
          reason: 'REASON_RECONCILIATION',
          agentId: agent.id,
          timestamp: 1,
        },
      },
    });
    await cluster.advance('20ms');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework?.tasks).to.deep.equal([]);
    expect(framework?.completed_tasks.map((task) => task.state)).to.deep.equal(['TASK_LOST']);
    expect(await cluster.metric('master/task_lost/source_slave/reason_reconciliation')).to.equal(1);
  });

  it('drops an acknowledgement of an update it has not passed on, and passes one of an unknown task on', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')]);
    await cluster.advance('20ms');
    const uuid = agent.update(scheduler.id, 'unknown', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate).map((ack) => ack.taskId)).to.deep.equal(['unknown']);
    scheduler.tell(schedulerMessages.Acknowledge, {
      frameworkId: scheduler.id,
      agentId: agent.id,
      taskId: TaskID('t'),
      uuid,
    });
    await cluster.advance('20ms');
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate)).to.have.length(1);
    expect(await cluster.metric('master/invalid_status_update_acknowledgements')).to.equal(1);
  });

  it('takes updates only from the agent itself', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')]);
    const forger = await cluster.agent('agent-2');
    forger.agentId = agent.id;
    forger.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal([]);
    expect(await cluster.metric('master/invalid_status_updates')).to.equal(1);
  });

  it('MASTER-02 passes a kill on to the agent, with its grace period', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3')]);
    await cluster.advance('20ms');
    scheduler.tell(schedulerMessages.Kill, { frameworkId: scheduler.id, taskId: TaskID('t'), gracePeriod: 10 });
    scheduler.kill('t', AgentID('other'));
    await cluster.advance('20ms');
    expect(agent.got(agentMessages.KillTask)).to.deep.equal([
      { term: { created: 1_704_067_200_000, revision: 1 }, frameworkId: scheduler.id, taskId: 't', gracePeriod: 10 },
    ]);
  });

  it('MASTER-02 answers the kill of an unknown task as a reconciliation', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.kill('unknown', agent.id);
    scheduler.kill('unknown');
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal(
      Array.from({ length: 2 }, () => 'unknown TASK_LOST SOURCE_MASTER REASON_RECONCILIATION'),
    );
  });
});

describe('reconciliation', () => {
  it('RECON-01 RECON-04 tells the latest state of the tasks named, and without names of all that are not over', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    const tasks = ['a', 'b', 'c'].map((id) => taskInfo(id, agent.id, 'cpus:1'));
    scheduler.launch(scheduler.lastOffer, tasks);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 'b', 'TASK_RUNNING');
    agent.update(scheduler.id, 'c', 'TASK_FINISHED');
    await cluster.advance('20ms');
    scheduler.received.length = 0;
    scheduler.received.push({
      kind: schedulerMessages.Subscribed.name,
      body: { frameworkId: (await cluster.state()).frameworks[0]?.id },
    });
    scheduler.reconcile();
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal([
      'a TASK_STAGING SOURCE_MASTER REASON_RECONCILIATION',
      'b TASK_RUNNING SOURCE_MASTER REASON_RECONCILIATION',
    ]);
    expect(scheduler.statuses[0]).to.include({ message: 'Reconciliation: Latest task state' });
    expect(scheduler.statuses[0]).not.to.have.property('uuid');
    // The same again is told again, whatever agent was named.
    for (const agentId of [undefined, agent.id, AgentID('other')]) {
      scheduler.reconcile([{ taskId: TaskID('b'), ...(agentId === undefined ? undefined : { agentId }) }]);
      await cluster.advance('20ms');
    }
    expect(scheduler.told.slice(2)).to.deep.equal(
      Array.from({ length: 3 }, () => 'b TASK_RUNNING SOURCE_MASTER REASON_RECONCILIATION'),
    );
  });

  it('RECON-05 tells a terminal state that is not acknowledged yet', async () => {
    const { cluster, agent, scheduler } = await withOffer();
    await using _ = cluster;
    scheduler.acknowledges = false;
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1')]);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    scheduler.reconcile();
    await cluster.advance('20ms');
    expect(scheduler.told.at(-1)).to.equal('t TASK_FINISHED SOURCE_MASTER REASON_RECONCILIATION');
  });

  it('RECON-02 RECON-06 tells what it knows of an unknown task by its agent, to each framework in its words', async () => {
    for (const isAware of [true, false]) {
      const { cluster, agent, scheduler } = await withOffer({ capabilities: isAware ? ['PARTITION_AWARE'] : [] });
      await using _ = cluster;
      const gone = await cluster.agent('agent-2');
      gone.answersPings = false;
      await cluster.advance('90s');
      const taskId = TaskID('t');
      scheduler.reconcile([
        { taskId, agentId: agent.id },
        { taskId, agentId: gone.id },
        { taskId, agentId: AgentID('never') },
        { taskId },
      ]);
      await cluster.advance('20ms');
      const states = isAware
        ? ['TASK_GONE', 'TASK_UNREACHABLE', 'TASK_UNKNOWN', 'TASK_UNKNOWN']
        : Array.from({ length: 4 }, () => 'TASK_LOST');
      expect(scheduler.statuses.map(({ state }) => state)).to.deep.equal(states);
      expect(scheduler.statuses.map(({ message }) => message)).to.deep.equal([
        'Reconciliation: Task is unknown to the agent',
        'Reconciliation: Task is unreachable',
        'Reconciliation: Task is unknown',
        'Reconciliation: Task is unknown',
      ]);
    }
  });
});
