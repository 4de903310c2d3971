import { expect } from 'chai';
import {
  agentMessages,
  ExecutorID,
  type ExecutorInfo,
  type FrameworkID,
  Resources,
  type Task,
  type TaskInfo,
} from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, reported, taskInfo } from '../peers.ts';

const executor = (id: string): ExecutorInfo => ({
  executorId: ExecutorID(id),
  type: 'CUSTOM',
  command: { value: './run', shell: true, arguments: [], environment: {} },
  resources: [...Resources.parse('cpus:0.5;mem:64')],
});
const onWire = (frameworkId: FrameworkID, id: string) => ({
  frameworkId,
  executor: { ...executor(id), frameworkId, resources: [...Resources.parse('cpus:0.5;mem:64').allocate('*')] },
});

describe('an agent that registers again while it is known', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    cluster = await TestCluster.start();
    agent = await cluster.agent('agent-1', 'cpus:8;mem:4096');
    scheduler = await cluster.scheduler('framework-1', { checkpoint: true });
    scheduler.acknowledges = false;
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const within = (id: string, of: string): TaskInfo => {
    const { command: _none, ...task } = taskInfo(id, agent.id, 'cpus:1;mem:64');
    return { ...task, executor: executor(of) };
  };
  const launch = async (...tasks: TaskInfo[]): Promise<void> => {
    scheduler.launch(scheduler.lastOffer, tasks, 0);
    await cluster.advance('2s');
  };
  const task = (id: string, state: Task['state'], of?: string): Task => ({
    ...reported(scheduler.id, agent.id, id, 'cpus:1;mem:64', state),
    ...(of === undefined ? undefined : { executorId: ExecutorID(of) }),
  });
  /** What the master and the allocator count as used; all the rest is on offer. */
  const used = async (): Promise<readonly unknown[]> => {
    await cluster.advance('2s');
    const [slave] = (await cluster.state()).slaves;
    const { used_resources: inUse, offered_resources: offered } = slave ?? {};
    return [inUse?.['cpus'], Number(inUse?.['cpus']) + Number(offered?.['cpus'])];
  };
  const states = async (): Promise<unknown> =>
    Object.fromEntries(((await cluster.state()).frameworks[0]?.tasks ?? []).map(({ id, state }) => [id, state]));

  it('RECON-08 counts a task that waits for its executor, and one that is over and not acknowledged', async () => {
    await launch(within('waits', 'e'), within('over', 'e'), taskInfo('command', agent.id, 'cpus:1;mem:64'));
    agent.update(scheduler.id, 'over', 'TASK_FINISHED');
    await cluster.advance('20ms');
    expect(await used()).to.deep.equal([2.5, 8]);
    const told = scheduler.told.length;
    agent.reregister(
      [task('waits', 'TASK_STAGING', 'e'), task('over', 'TASK_FINISHED', 'e'), task('command', 'TASK_STAGING')],
      [],
      agent.id,
      { executors: [onWire(scheduler.id, 'e')] },
    );
    expect(await used()).to.deep.equal([2.5, 8]);
    expect(await states()).to.deep.equal({ waits: 'TASK_STAGING', over: 'TASK_FINISHED', command: 'TASK_STAGING' });
    expect(agent.got(agentMessages.AgentReregistered).map(({ reconcile }) => reconcile)).to.deep.equal([[]]);
    expect(scheduler.told).to.have.length(told);
    for (const id of ['waits', 'command']) agent.update(scheduler.id, id, 'TASK_FINISHED');
    agent.tell(agentMessages.ExitedExecutor, {
      agentId: agent.id,
      frameworkId: scheduler.id,
      executorId: ExecutorID('e'),
      status: 0,
    });
    expect(await used()).to.deep.equal([0, 8]);
  });

  it('RECON-08 counts no executor that has ended meanwhile, and its tasks until their end is told', async () => {
    await launch(within('a', 'e'), within('b', 'f'));
    expect(await used()).to.deep.equal([3, 8]);
    agent.reregister([task('a', 'TASK_RUNNING', 'e'), task('b', 'TASK_RUNNING', 'f')], [], agent.id, {
      executors: [onWire(scheduler.id, 'f')],
    });
    expect(await used()).to.deep.equal([2.5, 8]);
    // The rest of the news is late.
    agent.tell(agentMessages.ExitedExecutor, {
      agentId: agent.id,
      frameworkId: scheduler.id,
      executorId: ExecutorID('e'),
      status: 9,
    });
    agent.update(scheduler.id, 'a', 'TASK_FAILED');
    expect(await used()).to.deep.equal([1.5, 8]);
  });

  it('RECON-08 counts an executor whose launch is on its way, and one that the master had given up', async () => {
    await launch(within('a', 'e'));
    agent.reregister([], [], agent.id, { executors: [onWire(scheduler.id, 'g')] });
    expect(await used()).to.deep.equal([2, 8]);
    expect(agent.got(agentMessages.AgentReregistered)[0]?.reconcile).to.deep.equal([
      { frameworkId: scheduler.id, taskId: 'a' },
    ]);
    agent.reregister([task('a', 'TASK_STAGING', 'e')], [], agent.id, { executors: [onWire(scheduler.id, 'e')] });
    expect(await used()).to.deep.equal([1.5, 8]);
  });
});
