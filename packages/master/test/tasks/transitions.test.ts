import { expect } from 'chai';
import {
  agentMessages,
  type FrameworkInfo,
  LIVE_TASK_STATES as live,
  schedulerMessages,
  type TaskState,
  TERMINAL_TASK_STATES as terminal,
} from '@mezzo/protocol';
import { type FrameworkEntry, type TaskEntry, TestCluster } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, reported, taskInfo } from '../peers.ts';

const states: readonly TaskState[] = [...live, ...terminal];
const reportable = states.filter((state) => state !== 'TASK_STAGING');
const isLive = (state: TaskState): boolean => (live as readonly TaskState[]).includes(state);
const each = 'cpus:0.01';

/** A task of one name in each state; terminal ones are not acknowledged. */
class Setting implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly agent: FakeAgent;
  readonly scheduler: FakeScheduler;
  readonly tasks: ReadonlyMap<string, TaskState>;
  #before = 0;

  private constructor(
    cluster: TestCluster,
    agent: FakeAgent,
    scheduler: FakeScheduler,
    tasks: ReadonlyMap<string, TaskState>,
  ) {
    this.cluster = cluster;
    this.agent = agent;
    this.scheduler = scheduler;
    this.tasks = tasks;
  }

  /** @param names by default each task is called by its state */
  static async start(
    info: Partial<FrameworkInfo> = {},
    names: readonly (readonly [string, TaskState])[] = states.map((state) => [state, state] as const),
  ): Promise<Setting> {
    const cluster = await TestCluster.start();
    const agent = await cluster.agent('agent-1', 'cpus:8;mem:4096');
    const scheduler = await cluster.scheduler('framework-1', info);
    scheduler.acknowledges = false;
    const setting = new Setting(cluster, agent, scheduler, new Map(names));
    scheduler.launch(
      scheduler.lastOffer,
      [...setting.tasks.keys()].map((id) => taskInfo(id, agent.id, each)),
    );
    await cluster.advance('20ms');
    for (const [id, state] of setting.tasks) if (state !== 'TASK_STAGING') agent.update(scheduler.id, id, state);
    await cluster.advance('20ms');
    expect(statesOf(await setting.entries('tasks'))).to.deep.equal(Object.fromEntries(setting.tasks));
    setting.begin();
    return setting;
  }

  /** What is told from now on counts. */
  begin(): void {
    this.#before = this.scheduler.told.length;
  }

  get told(): string[] {
    return this.scheduler.told.slice(this.#before).toSorted();
  }

  /** The same line about every task. */
  all(line: string): string[] {
    return [...this.tasks.keys()].map((id) => `${id} ${line}`).toSorted();
  }

  async entries(list: 'tasks' | 'unreachable_tasks' | 'completed_tasks'): Promise<readonly TaskEntry[]> {
    const { frameworks, completed_frameworks: completed } = await this.cluster.state();
    const framework: FrameworkEntry | undefined = frameworks[0] ?? completed[0];
    return framework?.[list] ?? [];
  }

  /** The number of tasks whose resources are in use. */
  async holding(): Promise<number> {
    return Math.round(Number((await this.cluster.state()).slaves[0]?.used_resources['cpus']) * 100);
  }

  async loseAgent(): Promise<void> {
    this.agent.answersPings = false;
    await this.cluster.advance('90s');
    this.agent.answersPings = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }
}

function statesOf(entries: readonly TaskEntry[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map(({ id, state }) => [id, state]));
}

/** Live tasks enter this state, those that are over stay as they were. */
function overIn(tasks: ReadonlyMap<string, TaskState>, state: TaskState): Readonly<Record<string, string>> {
  return Object.fromEntries([...tasks].map(([id, from]) => [id, isLive(from) ? state : from]));
}

describe('a task at the master, whatever state it is in', () => {
  for (const from of states) {
    const what = isLive(from)
      ? 'follows every report of its agent'
      : 'stays so whatever is reported, which is passed on';
    it(`in ${from} ${what}`, async () => {
      await using setting = await Setting.start(
        {},
        reportable.map((to) => [to, from]),
      );
      const { cluster, agent, scheduler } = setting;
      for (const to of reportable) agent.update(scheduler.id, to, to);
      await cluster.advance('20ms');
      expect(setting.told).to.deep.equal(reportable.map((to) => `${to} ${to} SOURCE_EXECUTOR`).toSorted());
      expect(statesOf(await setting.entries('tasks'))).to.deep.equal(
        Object.fromEntries(reportable.map((to) => [to, isLive(from) ? to : from])),
      );
      expect(await setting.holding()).to.equal(isLive(from) ? live.length - 1 : 0);
    });
  }

  it('is over with the acknowledgement of its terminal update', async () => {
    await using setting = await Setting.start();
    const { cluster, scheduler } = setting;
    for (const status of scheduler.statuses) scheduler.acknowledge(status);
    await cluster.advance('20ms');
    expect(statesOf(await setting.entries('tasks'))).to.have.all.keys(...live);
    expect(statesOf(await setting.entries('completed_tasks'))).to.have.all.keys(...terminal);
  });

  it('is killed by its agent while it lives', async () => {
    await using setting = await Setting.start();
    for (const id of setting.tasks.keys()) setting.scheduler.kill(id);
    await setting.cluster.advance('20ms');
    expect(setting.agent.got(agentMessages.KillTask).map(({ taskId }) => taskId)).to.deep.equal([...live]);
    expect(setting.told).to.deep.equal([]);
  });

  it('MASTER-02 answers the kill of an unreachable task with its state, or that it is lost if its framework knows no better', async () => {
    for (const state of ['TASK_UNREACHABLE', 'TASK_LOST']) {
      await using setting = await Setting.start({
        capabilities: state === 'TASK_LOST' ? [] : ['PARTITION_AWARE'],
        checkpoint: true,
      });
      await setting.loseAgent();
      setting.begin();
      for (const id of live) setting.scheduler.kill(id);
      await setting.cluster.advance('20ms');
      expect(setting.told).to.deep.equal(
        live.map((id) => `${id} ${state} SOURCE_MASTER REASON_RECONCILIATION`).toSorted(),
      );
      expect(setting.agent.got(agentMessages.KillTask)).to.deep.equal([]);
    }
  });

  it('is lost with an agent that is removed', async () => {
    await using setting = await Setting.start({ checkpoint: true });
    const { agent, cluster, tasks } = setting;
    agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
    await cluster.advance('20ms');
    expect(setting.told).to.deep.equal(setting.all('TASK_LOST SOURCE_MASTER REASON_AGENT_REMOVED'));
    expect(statesOf(await setting.entries('completed_tasks'))).to.deep.equal(overIn(tasks, 'TASK_LOST'));
    expect(await setting.entries('tasks')).to.deep.equal([]);
  });

  it('is lost to a framework that does not checkpoint with its agent’s connection, and out of reach inside', async () => {
    await using setting = await Setting.start();
    setting.cluster.world.crash('agent-1');
    await setting.cluster.advance('60s');
    expect(setting.told).to.deep.equal(setting.all('TASK_LOST SOURCE_MASTER REASON_AGENT_DISCONNECTED'));
    const kept = statesOf(await setting.entries('unreachable_tasks'));
    expect(kept).to.deep.equal(Object.fromEntries(live.map((id) => [id, 'TASK_UNREACHABLE'])));
    expect(statesOf(await setting.entries('completed_tasks'))).to.have.all.keys(...terminal);
    expect(await setting.entries('tasks')).to.deep.equal([]);
    expect(await setting.holding()).to.equal(0);
  });

  it('is killed with its framework, which hears no more of it', async () => {
    await using setting = await Setting.start();
    const { scheduler, cluster, tasks } = setting;
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('20ms');
    expect(setting.told).to.deep.equal([]);
    expect(statesOf(await setting.entries('completed_tasks'))).to.deep.equal(overIn(tasks, 'TASK_KILLED'));
    expect(await setting.holding()).to.equal(0);
  });

  for (const isAware of [true, false]) {
    const state = isAware ? 'TASK_UNREACHABLE' : 'TASK_LOST';
    const info = { checkpoint: true, capabilities: isAware ? ['PARTITION_AWARE'] : [] };

    it(`is unreachable with its agent, which is ${state} to a framework that is ${isAware ? '' : 'not '}partition-aware`, async () => {
      await using setting = await Setting.start(info);
      await setting.loseAgent();
      expect(setting.told).to.deep.equal(setting.all(`${state} SOURCE_MASTER REASON_AGENT_REMOVED`));
      const unreachable = overIn(setting.tasks, 'TASK_UNREACHABLE');
      expect(statesOf(await setting.entries('unreachable_tasks'))).to.deep.equal(unreachable);
      expect(await setting.entries('tasks')).to.deep.equal([]);
      setting.begin();
      setting.scheduler.tell(schedulerMessages.Teardown, { frameworkId: setting.scheduler.id });
      await setting.cluster.advance('20ms');
      const over = overIn(setting.tasks, 'TASK_KILLED');
      expect(statesOf(await setting.entries('completed_tasks'))).to.deep.equal(over);
      expect(setting.told).to.deep.equal([]);
    });

    it(`that was ${state} is what its agent reports when it is back`, async () => {
      await using setting = await Setting.start(
        info,
        states.map((to) => [to, 'TASK_RUNNING']),
      );
      const { agent, scheduler, cluster } = setting;
      await setting.loseAgent();
      setting.begin();
      agent.reregister(states.map((to) => reported(scheduler.id, agent.id, to, each, to)));
      await cluster.advance('20ms');
      expect(setting.told).to.deep.equal(
        states.map((to) => `${to} ${to} SOURCE_MASTER REASON_AGENT_REREGISTERED`).toSorted(),
      );
      expect(statesOf(await setting.entries('tasks'))).to.deep.equal(Object.fromEntries(states.map((to) => [to, to])));
      expect(await setting.entries('unreachable_tasks')).to.deep.equal([]);
      expect(await setting.holding()).to.equal(live.length);
    });
  }

  it('runs again if its agent comes back with it, and is killed if it was over', async () => {
    await using setting = await Setting.start({ checkpoint: true });
    const { agent, scheduler, cluster, tasks } = setting;
    await setting.loseAgent();
    setting.begin();
    agent.reregister([...tasks.keys()].map((id) => reported(scheduler.id, agent.id, id, each)));
    await cluster.advance('20ms');
    expect(setting.told).to.deep.equal(setting.all('TASK_RUNNING SOURCE_MASTER REASON_AGENT_REREGISTERED'));
    expect(statesOf(await setting.entries('tasks'))).to.deep.equal(
      Object.fromEntries([...tasks.keys()].map((id) => [id, 'TASK_RUNNING'])),
    );
    expect(await setting.holding()).to.equal(states.length);
    expect(agent.got(agentMessages.KillTask).map(({ taskId }) => taskId)).to.have.members([...terminal]);
  });

  it('is new to the master in whatever state an agent brings it', async () => {
    await using cluster = await TestCluster.start();
    const scheduler = await cluster.scheduler();
    const agent = await cluster.agent();
    agent.reregister(states.map((state) => reported(scheduler.id, agent.id, state, each, state)));
    await cluster.advance('20ms');
    // An agent that was here all along brings only what lives.
    const [framework] = (await cluster.state()).frameworks;
    expect(statesOf(framework?.tasks ?? [])).to.deep.equal(Object.fromEntries(live.map((state) => [state, state])));
  });

  it('ends once in the figures, also if its agent repeats its end when it is back', async () => {
    await using setting = await Setting.start({ checkpoint: true }, [['t', 'TASK_FINISHED']]);
    const { agent, scheduler, cluster } = setting;
    await setting.loseAgent();
    agent.reregister([reported(scheduler.id, agent.id, 't', each, 'TASK_FINISHED')]);
    await cluster.advance('20ms');
    expect(statesOf(await setting.entries('tasks'))).to.deep.equal({ t: 'TASK_FINISHED' });
    expect(await cluster.metric('master/tasks_finished')).to.equal(1);
  });
});
