import { expect } from 'chai';
import {
  agentMessages,
  type ExecutorInfo,
  ExecutorID,
  type Operation,
  Resources,
  schedulerMessages,
  type TaskInfo,
} from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, taskInfo } from '../peers.ts';

const executor = (id: string, more: Partial<ExecutorInfo> = {}): ExecutorInfo => ({
  executorId: ExecutorID(id),
  type: 'CUSTOM',
  command: { value: './run', shell: true, arguments: [], environment: {} },
  resources: [...Resources.parse('cpus:0.5;mem:64')],
  ...more,
});

describe('executors at the master', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    cluster = await TestCluster.start();
    scheduler = await cluster.scheduler('framework-1', { capabilities: ['PARTITION_AWARE'] });
    agent = await cluster.agent('agent-1', 'cpus:4;mem:4096;disk:1000');
    await cluster.advance('1s');
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const with_ = (id: string, info: ExecutorInfo | undefined, resources = 'cpus:1;mem:64'): TaskInfo => {
    const { command: _none, ...task } = taskInfo(id, agent.id, resources);
    return info === undefined ? task : { ...task, executor: info };
  };
  const accept = async (...operations: Operation[]): Promise<void> => {
    scheduler.accept(scheduler.lastOffer, operations, 0);
    await cluster.advance('2s');
  };
  const launch = (...tasks: TaskInfo[]): Promise<void> => accept({ type: 'LAUNCH', tasks });
  const used = async (): Promise<unknown> => (await cluster.state()).slaves[0]?.used_resources['cpus'];

  it('MASTER-04 tasks share an executor, which is counted once, and another one on the same agent', async () => {
    await launch(with_('a', executor('e')), with_('b', executor('e')));
    await launch(with_('c', executor('f')));
    const runs = agent.got(agentMessages.RunTask);
    expect(
      runs.map(({ task, launchExecutor }) => `${task.taskId} ${task.executor?.executorId} ${launchExecutor}`),
    ).to.deep.equal(['a e true', 'b e false', 'c f true']);
    expect(await used()).to.equal(4);
    expect(runs[0]?.task.executor?.frameworkId).to.equal(scheduler.id);
    expect(scheduler.told).to.deep.equal([]);
  });

  it('MASTER-04 SCHED-08 messages pass in both directions, between a framework and its executors only', async () => {
    await launch(with_('a', executor('e')));
    const data = new Uint8Array([1, 2, 3]);
    const [agentId, executorId] = [agent.id, ExecutorID('e')];
    scheduler.tell(schedulerMessages.MessageToExecutor, { frameworkId: scheduler.id, agentId, executorId, data });
    agent.tell(agentMessages.ExecutorMessage, { agentId, frameworkId: scheduler.id, executorId, data });
    await cluster.advance('1s');
    expect(
      agent.got(agentMessages.FrameworkMessage).map(({ executorId: id, data: sent }) => [id, [...sent]]),
    ).to.deep.equal([['e', [1, 2, 3]]]);
    expect(scheduler.got(schedulerMessages.MessageFromExecutor).map(({ data: sent }) => [...sent])).to.deep.equal([
      [1, 2, 3],
    ]);
    const other = await cluster.agent('agent-2');
    other.tell(agentMessages.ExecutorMessage, { agentId, frameworkId: scheduler.id, executorId, data });
    await cluster.advance('1s');
    expect(scheduler.got(schedulerMessages.MessageFromExecutor)).to.have.length(1);
    expect(await cluster.metric('master/invalid_executor_to_framework_messages')).to.equal(1);
  });

  it('SCHED-08 an executor that is shut down ends with a FAILURE, and what it held is free', async () => {
    await launch(with_('a', executor('e')));
    const [agentId, executorId] = [agent.id, ExecutorID('e')];
    scheduler.tell(schedulerMessages.ShutdownExecutor, { frameworkId: scheduler.id, agentId, executorId });
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ShutdownAgentExecutor).map((body) => body.executorId)).to.deep.equal(['e']);
    agent.update(scheduler.id, 'a', 'TASK_FAILED');
    agent.tell(agentMessages.ExitedExecutor, { agentId, frameworkId: scheduler.id, executorId, status: 256 });
    await cluster.advance('1s');
    const [{ term: _term, ...failure } = { term: undefined }] = scheduler.got(schedulerMessages.Failure);
    expect(failure).to.deep.equal({ agentId, executorId, status: 256 });
    expect(await used()).to.equal(0);
    // The same id may be used again.
    await cluster.advance('1s');
    await launch(with_('b', executor('e')));
    expect(agent.got(agentMessages.RunTask).at(-1)?.launchExecutor).to.equal(true);
  });

  const refusals: readonly (readonly [string, () => TaskInfo, RegExp])[] = [
    ['neither a command nor an executor', () => with_('t', undefined), /at least one \(but not both\)/],
    [
      'both of them',
      () => ({ ...taskInfo('t', agent.id, 'cpus:1'), executor: executor('e') }),
      /at least one \(but not both\)/,
    ],
    [
      'a CUSTOM executor without a command',
      () => {
        const { command: _no, ...info } = executor('e');
        return with_('t', info);
      },
      /must be set for 'CUSTOM'/,
    ],
    [
      'a DEFAULT executor',
      () => {
        const { command: _no, ...info } = executor('e', { type: 'DEFAULT' });
        return with_('t', info);
      },
      /task groups only/,
    ],
    ['a grace period below 0', () => with_('t', executor('e', { shutdownGracePeriod: -1 })), /shutdown_grace_period/],
    [
      'more than was offered, with the executor',
      () => with_('t', executor('e'), 'cpus:4'),
      /required by task and its executor is more than available/,
    ],
    [
      'a kill grace period below 0',
      () => ({ ...taskInfo('t', agent.id, 'cpus:1'), killGracePeriod: -1 }),
      /grace_period/,
    ],
    [
      'a completion time below 0',
      () => ({ ...taskInfo('t', agent.id, 'cpus:1'), maxCompletionTime: -1 }),
      /max_completion_time/,
    ],
    [
      'limits that the agent does not know',
      () => ({ ...taskInfo('t', agent.id, 'cpus:1'), limits: { cpus: 2 } }),
      /does not support task resource limits/,
    ],
  ];
  for (const [what, make, message] of refusals) {
    it(`a task with ${what} is TASK_ERROR`, async () => {
      await launch(make());
      expect(scheduler.told).to.deep.equal(['t TASK_ERROR SOURCE_MASTER REASON_TASK_INVALID']);
      expect(scheduler.statuses[0]?.message).to.match(message);
      expect(agent.runs).to.deep.equal([]);
    });
  }

  it('an executor with the id of a running one must be described as it was', async () => {
    await launch(with_('a', executor('e')));
    await launch(with_('b', executor('e', { name: 'other' })));
    expect(scheduler.told).to.deep.equal(['b TASK_ERROR SOURCE_MASTER REASON_TASK_INVALID']);
    expect(scheduler.statuses[0]?.message).to.match(/not compatible with existing ExecutorInfo/);
  });

  const group = (...tasks: TaskInfo[]): Operation => {
    const { command: _no, ...info } = executor('g', {
      type: 'DEFAULT',
      resources: [...Resources.parse('cpus:0.1;mem:32;disk:10')],
    });
    return { type: 'LAUNCH_GROUP', executor: { ...info, frameworkId: scheduler.id }, tasks };
  };

  it('a task group is launched in one executor, all of it or nothing', async () => {
    await accept(group(taskInfo('a', agent.id, 'cpus:1;mem:64'), taskInfo('b', agent.id, 'cpus:1;mem:64')));
    const [order] = agent.got(agentMessages.RunTaskGroup);
    expect(order?.tasks.map(({ taskId }) => taskId)).to.deep.equal(['a', 'b']);
    expect(order?.executor.executorId).to.equal('g');
    expect(order?.launchExecutor).to.equal(true);
    expect(await used()).to.equal(2.1);
    await accept(group(taskInfo('c', agent.id, 'cpus:1;mem:64'), taskInfo('d', agent.id, 'cpus:8')));
    expect(scheduler.told).to.deep.equal([
      'c TASK_ERROR SOURCE_MASTER REASON_TASK_GROUP_INVALID',
      'd TASK_ERROR SOURCE_MASTER REASON_TASK_GROUP_INVALID',
    ]);
    expect(agent.got(agentMessages.RunTaskGroup)).to.have.length(1);
  });

  it('executors that an agent brings back are known again, with what they hold', async () => {
    const info = {
      ...executor('e'),
      frameworkId: scheduler.id,
      resources: [...Resources.parse('cpus:0.5').allocate('*')],
    };
    const framework = {
      name: 'test',
      roles: ['*'],
      failoverTimeout: 0,
      checkpoint: true,
      capabilities: [],
      id: scheduler.id,
    };
    const other = await cluster.agent('agent-2', 'cpus:4;mem:4096');
    other.reregister([], [framework], other.id);
    agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
    await cluster.advance('1s');
    agent.reregister([], [framework], agent.id, { executors: [{ frameworkId: scheduler.id, executor: info }] });
    await cluster.advance('1s');
    const entry = (await cluster.state()).slaves.find(({ id }) => id === agent.id);
    expect(entry?.used_resources['cpus']).to.equal(0.5);
  });
});
