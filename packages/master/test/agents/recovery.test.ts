import { Deferred, dispatch, type Future } from '@mezzo/process';
import { type FencedLog, memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { expect } from 'chai';
import { agentMessages, ExecutorID, type FrameworkInfo, schedulerMessages } from '@mezzo/protocol';
import { startMaster } from '@mezzo/master';
import { TestCluster, type ClusterOptions } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, reported, taskInfo } from '../peers.ts';

const aware = { capabilities: ['PARTITION_AWARE'], failoverTimeout: 1e9, checkpoint: true };

/** A log in memory whose answers can be made to wait. */
class HeldStore extends MemoryLogStore {
  readonly #waiting: (() => void)[] = [];
  #isHeld = false;

  set isHeld(held: boolean) {
    this.#isHeld = held;
    if (!held) for (const go of this.#waiting.splice(0)) go();
  }

  get log(): FencedLog {
    const log = memoryLog(this);
    const hold = <T>(perform: () => Future<T>): Future<T> => {
      if (!this.#isHeld) return perform();
      const turn = new Deferred<void>();
      this.#waiting.push(() => turn.set());
      return turn.future.andThen(perform);
    };
    return {
      read: () => hold(() => log.read()),
      append: (expected, records) => hold(() => log.append(expected, records)),
      snapshot: (expected, state) => hold(() => log.snapshot(expected, state)),
      close: () => log.close(),
    };
  }
}

describe('a master that takes over', () => {
  let cluster: TestCluster;
  let store: HeldStore;
  const start = async (options: ClusterOptions = {}): Promise<void> => {
    store = new HeldStore();
    cluster = await TestCluster.start({ ...options, registry: store.log });
  };
  afterEach(() => cluster[Symbol.asyncDispose]());
  const infoOf = (scheduler: FakeScheduler): FrameworkInfo => ({
    name: 'test',
    roles: ['*'],
    ...aware,
    id: scheduler.id,
  });
  /** An agent with a running task, after a failover in which nobody has come back yet. */
  const running = async (options?: ClusterOptions): Promise<readonly [FakeAgent, FakeScheduler]> => {
    await start(options);
    const scheduler = await cluster.scheduler('framework-1', aware);
    const agent = await cluster.agent('agent-1');
    await cluster.advance('1s');
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:64')]);
    await cluster.advance('1s');
    agent.update(scheduler.id, 't', 'TASK_RUNNING');
    await cluster.advance('1s');
    return [agent, scheduler];
  };

  it('MASTER-12 MASTER-13 an agent of the registry comes back with its tasks, without a word to its frameworks', async () => {
    const [agent, scheduler] = await running();
    await cluster.failOver();
    const told = scheduler.told.length;
    const records = store.entries.length;
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [infoOf(scheduler)], agent.id);
    await cluster.advance('1s');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework).to.deep.include({ recovered: true, connected: false });
    expect(framework?.tasks.map(({ id, state }) => `${id} ${state}`)).to.deep.equal(['t TASK_RUNNING']);
    expect(store.entries.length, 'records for an agent that has not changed').to.equal(records);
    scheduler.subscribe({ ...infoOf(scheduler) });
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal([]);
    scheduler.reconcile([]);
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal(['t TASK_RUNNING SOURCE_MASTER REASON_RECONCILIATION']);
  });

  it('MASTER-13 tasks on several agents belong to one recovered framework, for which no executor speaks', async () => {
    await start();
    const scheduler = await cluster.scheduler('framework-1', aware);
    const agents = [await cluster.agent('agent-1'), await cluster.agent('agent-2')];
    await cluster.failOver();
    for (const [index, agent] of agents.entries()) {
      const task = reported(scheduler.id, agent.id, `t${index}`, 'cpus:1;mem:64');
      agent.reregister([task], [infoOf(scheduler)], agent.id);
      await cluster.advance('1s');
      const [agentId, executorId] = [agent.id, ExecutorID('e')];
      agent.tell(agentMessages.ExecutorMessage, {
        agentId,
        frameworkId: scheduler.id,
        executorId,
        data: new Uint8Array(1),
      });
      await cluster.advance('1s');
    }
    const { frameworks, slaves } = await cluster.state();
    expect(frameworks.map(({ id, recovered, tasks }) => [id, recovered, tasks.map((task) => task.id)])).to.deep.equal([
      [scheduler.id, true, ['t0', 't1']],
    ]);
    expect(slaves.map((agent) => agent.used_resources['cpus'])).to.deep.equal([1, 1]);
    expect(await cluster.metric('master/invalid_executor_to_framework_messages')).to.equal(2);
    expect(scheduler.got(schedulerMessages.MessageFromExecutor)).to.deep.equal([]);
  });

  it('MASTER-14 an unreachable task is in that list of its framework until its agent is back, also after a failover', async () => {
    const [agent, scheduler] = await running();
    const lists = async (): Promise<unknown> => {
      const [framework] = (await cluster.state()).frameworks;
      return [framework?.tasks, framework?.unreachable_tasks].map((tasks) =>
        tasks?.map(({ id, state }) => [id, state]),
      );
    };
    const back = async (): Promise<void> => {
      cluster.world.network.heal('agent-1', 'master');
      agent.knock();
      await cluster.advance('5s');
      agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [infoOf(scheduler)], agent.id);
      await cluster.advance('5s');
      expect(await lists()).to.deep.equal([[['t', 'TASK_RUNNING']], []]);
    };
    const away = async (): Promise<void> => {
      cluster.world.network.partition(['agent-1'], ['master']);
      await cluster.advance('2mins');
      expect(await lists()).to.deep.equal([[], [['t', 'TASK_UNREACHABLE']]]);
    };
    await away();
    await back();
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('11mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    await back();
    await away();
    await back();
  });

  it('MASTER-02 RECON-03 says nothing of tasks that may be on an agent whose return is being stored', async () => {
    await start();
    const scheduler = await cluster.scheduler('framework-1', aware);
    const agent = await cluster.agent('agent-1');
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('1s');
    const told = scheduler.told.length;
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.kill('t', agent.id);
    scheduler.kill('t');
    await cluster.advance('1s');
    store.isHeld = true;
    // It has changed, so its return needs a record.
    const changed = { ...agent.info, id: agent.id, attributes: { rack: '7' } };
    agent.reregister([], [], agent.id, { agent: changed });
    await cluster.advance('1s');
    for (const agentId of [agent.id, undefined]) {
      scheduler.kill('t', agentId);
      scheduler.reconcile([agentId === undefined ? { taskId } : { taskId, agentId }]);
    }
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal([]);
    expect((await cluster.state()).slaves).to.deep.equal([]);
    store.isHeld = false;
    await cluster.advance('1s');
    expect((await cluster.state()).slaves).to.have.length(1);
    scheduler.kill('t', agent.id);
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal(['t TASK_GONE SOURCE_MASTER REASON_RECONCILIATION']);
  });

  it('MASTER-12 who comes back while it is being given up is unreachable first, and comes back then', async () => {
    await start();
    const scheduler = await cluster.scheduler('framework-1', aware);
    const agent = await cluster.agent('agent-1');
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('598s');
    store.isHeld = true;
    await cluster.advance('5s');
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect(agent.got(agentMessages.AgentReregistered)).to.deep.equal([]);
    store.isHeld = false;
    await cluster.advance('1s');
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    expect(scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId)).to.deep.equal([agent.id]);
    // Twice, as one that has not heard yet.
    for (const _ of [1, 2]) agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect(await cluster.state()).to.deep.include({ unreachable_slaves: 0 });
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([agent.id]);
  });

  it('RECON-03 says nothing of tasks that may be on an agent that is not back yet', async () => {
    const [agent, scheduler] = await running();
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('1s');
    const told = scheduler.told.length;
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.reconcile([{ taskId }, { taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal([]);
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    scheduler.reconcile([{ taskId }, { taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.slice(told)).to.deep.equal([
      't TASK_UNKNOWN SOURCE_MASTER REASON_RECONCILIATION',
      't TASK_GONE SOURCE_MASTER REASON_RECONCILIATION',
    ]);
  });

  it('MASTER-12 agents that do not come back are unreachable after agent_reregister_timeout, and may return later', async () => {
    const [agent, scheduler] = await running({ agentReregisterTimeout: '10mins' });
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('9mins');
    expect(scheduler.got(schedulerMessages.Failure)).to.deep.equal([]);
    await cluster.advance('2mins');
    expect(scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId)).to.deep.equal([agent.id]);
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.reconcile([{ taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_RECONCILIATION');
    expect(scheduler.statuses.at(-1)?.unreachableTime).to.be.a('number');
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1;mem:64')], [infoOf(scheduler)], agent.id);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED');
  });

  it('RECON-06 an agent that was unreachable before the failover still is, since then', async () => {
    const [agent, scheduler] = await running();
    cluster.world.network.partition(['agent-1'], ['master']);
    await cluster.advance('2mins');
    const since = scheduler.statuses.at(-1)?.unreachableTime;
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_AGENT_REMOVED');
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('1s');
    const { taskId } = taskInfo('t', agent.id, '');
    scheduler.reconcile([{ taskId, agentId: agent.id }]);
    await cluster.advance('1s');
    expect(scheduler.told.at(-1)).to.equal('t TASK_UNREACHABLE SOURCE_MASTER REASON_RECONCILIATION');
    expect(scheduler.statuses.at(-1)?.unreachableTime).to.equal(since);
  });

  it('MASTER-12 gives agents up one after the other where their removal is limited, and not who comes back meanwhile', async () => {
    await start({ agentReregisterTimeout: '10mins', agentRemovalRateLimit: '1/10mins' });
    const scheduler = await cluster.scheduler('framework-1', aware);
    const agents = [
      await cluster.agent('agent-1'),
      await cluster.agent('agent-2'),
      await cluster.agent('agent-3'),
    ] as const;
    await cluster.failOver();
    scheduler.subscribe(infoOf(scheduler));
    await cluster.advance('11mins');
    const lost = (): unknown[] => scheduler.got(schedulerMessages.Failure).map(({ agentId }) => agentId);
    expect(lost()).to.deep.equal([agents[0].id]);
    agents[1].reregister([], [], agents[1].id);
    await cluster.advance('30mins');
    expect(lost()).to.have.members([agents[0].id, agents[2].id]);
    expect(await cluster.metric('master/slave_unreachable_canceled')).to.equal(1);
  });

  it('MASTER-12 ends rather than give up more agents than recovery_agent_removal_limit allows', async () => {
    await start({ recoveryAgentRemovalLimit: 0.5 });
    for (const name of ['agent-1', 'agent-2', 'agent-3']) await cluster.agent(name);
    await cluster.failOver();
    await cluster.advance('11mins');
    expect(cluster.master.processes).to.not.include('master');
  });

  it('QUOTA-07 quotas and weights are what they were, and offers wait for the agents', async () => {
    await start();
    const agents: FakeAgent[] = [];
    for (const name of ['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5']) agents.push(await cluster.agent(name));
    const done = dispatch(cluster.leader, (it) => it.operator.setQuotas({ ads: { guarantees: 'cpus:4' } }));
    await cluster.advance('1s');
    expect(done.isReady).to.equal(true);
    const weighed = dispatch(cluster.leader, (it) => it.operator.setWeights({ ads: 3 }));
    await cluster.advance('1s');
    expect(weighed.isReady).to.equal(true);
    await cluster.failOver();
    for (const agent of agents.slice(0, 3)) agent.reregister([], [], agent.id);
    const scheduler = await cluster.scheduler('framework-1', { roles: ['ads'] });
    await cluster.advance('5s');
    expect(scheduler.offers).to.deep.equal([]);
    for (const agent of agents.slice(1)) agent.reregister([], [], agent.id);
    await cluster.advance('5s');
    expect(scheduler.offers).to.have.length(5);
    expect(await cluster.metric('allocator/mesos/quota/roles/ads/resources/cpus/guarantee')).to.equal(4);
  });

  it('MASTER-28 forgets agents that are unreachable or gone for too long, also what its successor would know', async () => {
    await start({ registryMaxAgentAge: '1hrs', registryGcInterval: '15mins' });
    const agent = await cluster.agent('agent-1');
    const gone = await cluster.agent('agent-2');
    cluster.world.network.partition(['agent-1'], ['master']);
    await cluster.advance('2mins');
    const marked = dispatch(cluster.leader, (it) => it.operator.markAgentGone(gone.id));
    await cluster.advance('1s');
    expect(marked.isReady).to.equal(true);
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    await cluster.advance('50mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    await cluster.advance('40mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(0);
    await cluster.failOver();
    expect((await cluster.state()).unreachable_slaves).to.equal(0);
    gone.reregister([], [], gone.id);
    await cluster.advance('1s');
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([gone.id]);
    expect(agent.id).to.not.equal(gone.id);
  });

  it('MASTER-28 remembers as many as registry_max_agent_count says', async () => {
    await start({ registryMaxAgentCount: 1, registryGcInterval: '15mins' });
    const names = ['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5'];
    const agents: FakeAgent[] = [];
    for (const name of names) agents.push(await cluster.agent(name));
    for (const { id } of agents.slice(3)) {
      const marked = dispatch(cluster.leader, (it) => it.operator.markAgentGone(id));
      await cluster.advance('1s');
      expect(marked.isReady).to.equal(true);
    }
    cluster.world.network.partition(names.slice(0, 3), ['master']);
    await cluster.advance('10mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(3);
    await cluster.advance('10mins');
    expect((await cluster.state()).unreachable_slaves).to.equal(1);
    // The oldest are forgotten first.
    for (const agent of agents.slice(3)) agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([agents[3]?.id]);
  });

  it('does what operators want once the registry is recovered', async () => {
    await start();
    const { master } = startMaster(await cluster.world.start('other'), { cluster: 'other' });
    const outcome = dispatch(master, (it) => it.operator.setWeights({ a: 2 }));
    expect(outcome.isPending).to.equal(true);
    await cluster.advance('1s');
    expect(outcome.isReady).to.equal(true);
  });

  it('ends when another master has taken the registry over', async () => {
    await start();
    const agent = await cluster.agent('agent-1');
    const usurper = memoryLog(store);
    await usurper.append(store.last, [new Uint8Array([1])]);
    const outcome = dispatch(cluster.leader, (it) => it.operator.deactivateAgent(agent.id));
    await cluster.advance('1s');
    expect(outcome.isReady).to.equal(false);
    expect(cluster.master.processes).to.not.include('master');
  });
});
