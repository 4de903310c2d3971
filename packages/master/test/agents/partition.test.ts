import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import {
  agentMessages,
  ExecutorID,
  type ExecutorInfo,
  type FrameworkInfo,
  Resources,
  schedulerMessages,
  TaskID,
} from '@mezzo/protocol';
import { expect } from 'chai';
import { type ClusterOptions, TestCluster } from '../cluster.ts';
import { HeldLog } from '../held-log.ts';
import { type FakeAgent, type FakeScheduler, frameworkInfo, reported, taskInfo } from '../peers.ts';

const aware = { checkpoint: true, capabilities: ['PARTITION_AWARE'], failoverTimeout: 1e9 };
const unaware = { checkpoint: true, failoverTimeout: 1e9 };

const executor: ExecutorInfo = {
  executorId: ExecutorID('e'),
  type: 'CUSTOM',
  command: { value: './run', shell: true, arguments: [], environment: {} },
  resources: [...Resources.parse('cpus:1;mem:64')],
};

describe('an agent that answers no pings', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  let info: Partial<FrameworkInfo>;
  const start = async (given: Partial<FrameworkInfo>, options: ClusterOptions = {}): Promise<void> => {
    info = given;
    cluster = await TestCluster.start({ registry: memoryLog(new MemoryLogStore()), ...options });
    agent = await cluster.agent();
    scheduler = await cluster.scheduler('framework-1', info);
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 0);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't', 'TASK_RUNNING');
    await cluster.advance('2s');
  };
  afterEach(() => cluster[Symbol.asyncDispose]());

  const loseAgent = async (): Promise<void> => {
    agent.answersPings = false;
    await cluster.advance('90s');
    agent.answersPings = true;
    expect(await cluster.state()).to.include({ unreachable_slaves: 1 });
  };
  const back = async (...tasks: Parameters<FakeAgent['reregister']>[0] & object): Promise<void> => {
    agent.reregister(tasks, [{ ...frameworkInfo, ...info, id: scheduler.id }]);
    await cluster.advance('1s');
  };
  const running = () => reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32');
  const lists = async () => {
    const [framework] = (await cluster.state()).frameworks;
    const states = (tasks: readonly { readonly id: string; readonly state: string }[] = []): readonly string[] =>
      tasks.map(({ id, state }) => `${id} ${state}`);
    return {
      tasks: states(framework?.tasks),
      unreachable: states(framework?.unreachable_tasks),
      completed: states(framework?.completed_tasks),
    };
  };
  const failures = (): number => scheduler.got(schedulerMessages.Failure).length;

  for (const [what, given, state] of [
    ['lost', unaware, 'TASK_LOST'],
    ['unreachable for a framework that knows of partitions', aware, 'TASK_UNREACHABLE'],
  ] as const) {
    it(`PART-01 is given up after five pings, 15 s each: its tasks are ${what}, since then`, async () => {
      await start(given);
      await cluster.advance('13s');
      const pings = agent.got(agentMessages.Ping).length;
      agent.answersPings = false;
      const begin = cluster.master.clock.now();
      await cluster.world.advanceUntil(() => scheduler.told.length > 1, '10mins');
      const since = cluster.master.clock.now() - begin;
      expect(agent.got(agentMessages.Ping).length - pings).to.equal(5);
      // The first of the five goes out within 15 s, and each is waited for as long.
      expect(since).to.be.within(75_000, 90_010);
      const [, status] = scheduler.statuses;
      expect(scheduler.told[1]).to.equal(`t ${state} SOURCE_MASTER REASON_AGENT_REMOVED`);
      expect(status?.unreachableTime).to.be.within(begin + since - 100, begin + since);
      expect(failures()).to.equal(1);
    });
  }

  it('PART-04 keeps the end of a task that was told and not acknowledged, whatever becomes of the agent', async () => {
    await start(aware);
    scheduler.acknowledges = false;
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('1s');
    await loseAgent();
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_AGENT_REMOVED');
    expect(await lists()).to.deep.equal({ tasks: [], unreachable: ['t TASK_FINISHED'], completed: [] });
    await back(reported(scheduler.id, agent.id, 't', 'cpus:1;mem:32', 'TASK_FINISHED'));
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 0 });
    scheduler.acknowledges = true;
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_FINISHED SOURCE_EXECUTOR');
    expect(await lists()).to.deep.equal({ tasks: [], unreachable: [], completed: ['t TASK_FINISHED'] });
  });

  it('PART-05 brings no task back that was on its way to it', async () => {
    await start(aware);
    scheduler.launch(scheduler.lastOffer, [taskInfo('lost', agent.id, 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    await loseAgent();
    expect((await lists()).unreachable).to.have.members(['t TASK_UNREACHABLE', 'lost TASK_UNREACHABLE']);
    await back(running());
    expect(await lists()).to.deep.equal({ tasks: ['t TASK_RUNNING'], unreachable: [], completed: [] });
    scheduler.reconcile([{ taskId: TaskID('lost'), agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('lost TASK_GONE SOURCE_MASTER REASON_RECONCILIATION');
  });

  it('PART-06 is not heard about its executors either, until it is back', async () => {
    await start(aware);
    const { command: _none, ...task } = taskInfo('u', agent.id, 'cpus:1;mem:32');
    scheduler.launch(scheduler.lastOffer, [{ ...task, executor }]);
    await cluster.advance('1s');
    await loseAgent();
    const before = failures();
    const exited = { agentId: agent.id, frameworkId: scheduler.id, executorId: executor.executorId, status: 9 };
    agent.tell(agentMessages.ExitedExecutor, exited);
    agent.update(scheduler.id, 'u', 'TASK_FAILED');
    await cluster.advance('1s');
    expect(failures()).to.equal(before);
    expect(scheduler.told.filter((line) => line.includes('TASK_FAILED'))).to.deep.equal([]);
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate).map(({ taskId }) => taskId)).to.not.include('u');
    await back(running(), reported(scheduler.id, agent.id, 'u', 'cpus:1;mem:32'));
    agent.tell(agentMessages.ExitedExecutor, exited);
    agent.update(scheduler.id, 'u', 'TASK_FAILED');
    await cluster.advance('1s');
    expect(failures()).to.equal(before + 1);
    expect(scheduler.told.at(-1)).to.equal('u TASK_FAILED SOURCE_EXECUTOR');
  });

  it('PART-08 is marked unreachable once, however many more pings it misses while that is being stored', async () => {
    const registry = new HeldLog();
    await start(unaware, { agentPingTimeout: '5s', registry });
    registry.hold();
    agent.answersPings = false;
    // Storing may take 20 s; the time of three more pings passes meanwhile.
    await cluster.world.advanceUntil(() => registry.isAwaited, '2mins');
    await cluster.advance('18s');
    expect(scheduler.told).to.have.length(1);
    registry.release();
    await cluster.advance('5mins');
    expect(cluster.master.processes).to.include('master');
    expect(scheduler.told.slice(1)).to.deep.equal(['t TASK_LOST SOURCE_MASTER REASON_AGENT_REMOVED']);
    expect(failures()).to.equal(1);
    expect(await cluster.metric('master/slave_removals')).to.equal(1);
  });

  it('PART-09 may come back to the next master, which has it unreachable, with what runs there', async () => {
    await start(aware);
    await loseAgent();
    await cluster.failOver();
    scheduler.subscribe({ ...info, id: scheduler.id });
    await cluster.advance('1s');
    expect(await cluster.state()).to.deep.include({ slaves: [], unreachable_slaves: 1 });
    const told = scheduler.told.length;
    await back(running());
    expect(scheduler.told.slice(told)).to.deep.equal(['t TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED']);
    expect(await cluster.state()).to.include({ unreachable_slaves: 0 });
    expect((await cluster.state()).slaves.map(({ id, active }) => [id, active])).to.deep.equal([[agent.id, true]]);
    expect((await lists()).tasks).to.deep.equal(['t TASK_RUNNING']);
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_FINISHED SOURCE_EXECUTOR');
  });

  it('PART-10 has tasks that a framework without a connection asks for when it is there again, and takes up', async () => {
    await start(aware);
    const before = scheduler.told.length;
    const { id } = scheduler;
    cluster.world.crash('framework-1');
    await cluster.advance('30s');
    expect((await cluster.state()).frameworks[0]).to.include({ connected: false });
    await loseAgent();
    expect(scheduler.told).to.have.length(before);
    expect(await lists()).to.deep.include({ tasks: [], unreachable: ['t TASK_UNREACHABLE'] });
    const next = await cluster.scheduler('framework-2', { ...info, id });
    next.reconcile([{ taskId: TaskID('t'), agentId: agent.id }]);
    await cluster.advance('1s');
    expect(next.told).to.deep.equal(['t TASK_UNREACHABLE SOURCE_MASTER REASON_RECONCILIATION']);
    agent.reregister([running()], [{ ...frameworkInfo, ...info, id }]);
    await cluster.advance('1s');
    expect(next.told.at(-1)).to.equal('t TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED');
    // The same while nobody is there: nothing is told, and nothing is killed.
    cluster.world.crash('framework-2');
    await cluster.advance('30s');
    await loseAgent();
    agent.reregister([running()], [{ ...frameworkInfo, ...info, id }]);
    await cluster.advance('1s');
    expect(await lists()).to.deep.include({ tasks: ['t TASK_RUNNING'], unreachable: [] });
    expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
    expect(agent.got(agentMessages.ShutdownFramework)).to.deep.equal([]);
  });

  it('PART-11 hears with each ping whether the master has it', async () => {
    await start(aware);
    await cluster.advance('30s');
    expect(agent.got(agentMessages.Ping).map(({ connected }) => connected)).to.not.include(false);
    // What it says is heard no more, and what it is told arrives.
    cluster.world.network.partition('agent-1', 'master', { oneWay: true });
    await cluster.advance('40s');
    expect((await cluster.state()).slaves[0]).to.include({ active: false });
    cluster.world.network.heal('agent-1', 'master');
    await cluster.advance('20s');
    expect(agent.got(agentMessages.Ping).at(-1)).to.include({ connected: false });
    agent.knock();
    await cluster.advance('1s');
    await back(running());
    await cluster.advance('20s');
    expect(agent.got(agentMessages.Ping).at(-1)).to.include({ connected: true });
    expect(scheduler.told).to.deep.equal(['t TASK_RUNNING SOURCE_EXECUTOR']);
  });

  it('PART-13 waits for its turn where removals are limited in rate, and is left alone if it answers meanwhile', async () => {
    await start(unaware, { agentRemovalRateLimit: '1/10mins' });
    const second = await cluster.agent('agent-2');
    const third = await cluster.agent('agent-3');
    for (const one of [agent, second, third]) one.answersPings = false;
    await cluster.advance('2mins');
    expect(failures()).to.equal(1);
    expect(await cluster.metric('master/slave_unreachable_scheduled')).to.equal(3);
    const left = (await cluster.state()).slaves.map(({ id }) => id);
    const waiting = [agent, second, third].filter(({ id }) => left.includes(id));
    expect(waiting).to.have.length(2);
    const [returned] = waiting;
    if (returned === undefined) throw new Error('nobody waits');
    returned.answersPings = true;
    await cluster.advance('1mins');
    expect(await cluster.metric('master/slave_unreachable_canceled')).to.equal(1);
    expect(failures()).to.equal(1);
    await cluster.advance('30mins');
    expect(failures()).to.equal(2);
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([returned.id]);
  });
});
