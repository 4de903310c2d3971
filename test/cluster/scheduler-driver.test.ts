import { expect } from 'chai';
import {
  Basket,
  createVolume,
  destroyVolume,
  launch,
  reserve,
  type SchedulerDriver,
  type SchedulerOptions,
  shellTask,
  startScheduler,
  unreserve,
} from '@mezzo/frameworks';
import type { LocalPID } from '@mezzo/process';
import { memoryLog } from '@mezzo/process/log';
import {
  agentMessages,
  FrameworkID,
  type Offer,
  type Resource,
  Resources,
  schedulerMessages,
  TaskID,
  UpdateUUID,
} from '@mezzo/protocol';
import { Recorder } from '../../packages/frameworks/test/scheduler/stage.ts';
import { TestCluster } from '../../packages/master/test/cluster.ts';
import { type FakeAgent, FakeScheduler, reported } from '../../packages/master/test/peers.ts';

/** A framework on a node of its own. */
class Framework {
  readonly cluster: TestCluster;
  readonly recorder: Recorder;
  readonly driver: LocalPID<SchedulerDriver>;

  private constructor(cluster: TestCluster, recorder: Recorder, driver: LocalPID<SchedulerDriver>) {
    this.cluster = cluster;
    this.recorder = recorder;
    this.driver = driver;
  }

  static async start(
    cluster: TestCluster,
    node = 'framework',
    {
      framework,
      ...options
    }: Partial<Omit<SchedulerOptions, 'framework'>> & {
      readonly framework?: Partial<SchedulerOptions['framework']>;
    } = {},
  ): Promise<Framework> {
    const recorder = new Recorder();
    const runtime = await cluster.world.start(node);
    const driver = startScheduler(runtime, {
      cluster: 'mezzo',
      scheduler: recorder,
      framework: { name: node, ...framework },
      ...options,
    });
    await cluster.advance('200ms');
    return new Framework(cluster, recorder, driver);
  }

  get id(): FrameworkID {
    const [line = ''] = this.recorder.events.filter((event) => event.startsWith('subscribed'));
    return FrameworkID(line.split(' ')[1] ?? '');
  }

  get lastOffer(): Offer {
    const offer = this.recorder.held.at(-1);
    if (offer === undefined) throw new Error('no offer');
    return offer;
  }

  /** Offers and other events since the last call. */
  get news(): readonly string[] {
    const news = this.recorder.events.slice(this.#read);
    this.#read = this.recorder.events.length;
    return news.map((event) => (event.startsWith('offers') ? 'offers' : event));
  }
  #read = 0;

  call<R>(act: (driver: SchedulerDriver) => R): void {
    this.cluster.world.runtime(this.driver.node)?.dispatch(this.driver, act);
  }

  async launch(id: string): Promise<void> {
    const offer = this.lastOffer;
    this.call((driver) =>
      driver.accept(
        offer,
        [shellTask(offer, { id, command: 'true', resources: new Basket(offer).take('cpus:1;mem:32') ?? [] })],
        { refuseSeconds: 0 },
      ),
    );
    await this.cluster.advance('50ms');
  }
}

const runOf = (agent: FakeAgent): readonly string[] => agent.runs.map(({ taskId }) => taskId);
const isOver = ({ driver }: Framework): boolean => (driver.receiver as { readonly ended?: boolean }).ended === true;

describe('the scheduler driver at the real master', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start({ exploded: false, registry: memoryLog() });
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  it('SCHED-01 subscribes, once however often it had to ask, and takes an empty id for none', async () => {
    const runtime = await cluster.world.start('framework');
    // The master's answers do not arrive at first.
    let isDeaf = true;
    runtime.interceptor = ({ name }) => (isDeaf && name === schedulerMessages.Subscribed.name ? 'drop' : 'serve');
    const recorder = new Recorder();
    startScheduler(runtime, {
      cluster: 'mezzo',
      scheduler: recorder,
      framework: { name: 'f', id: '' as FrameworkID },
      registrationBackoffFactor: '1s',
    });
    await cluster.advance('10s');
    expect(recorder.events).to.deep.equal([]);
    isDeaf = false;
    await cluster.advance('10s');
    const { id, frameworks } = await cluster.state();
    expect(frameworks.map((framework) => framework.id)).to.deep.equal([`${id}-0000`]);
    expect(recorder.events).to.deep.equal([`subscribed ${id}-0000`]);
    expect(await cluster.metric('master/messages_register_framework')).to.be.greaterThan(2);
  });

  it('SCHED-02 a second scheduler takes over with the tasks and what was not acknowledged; the first is told and ends', async () => {
    const agent = await cluster.agent();
    const failoverTimeout = '1hrs';
    const first = await Framework.start(cluster, 'first', { framework: { failoverTimeout }, acknowledge: 'manual' });
    await first.launch('t');
    const uuid = agent.update(first.id, 't', 'TASK_RUNNING');
    await cluster.advance('50ms');
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate)).to.deep.equal([]);
    const second = await Framework.start(cluster, 'second', { framework: { failoverTimeout, id: first.id } });
    expect(first.news.at(-1)).to.equal('error Framework failed over');
    expect(isOver(first)).to.equal(true);
    // It asks what there is, and gets what was not acknowledged again, as the agent repeats it.
    expect(second.news).to.include.members([`subscribed ${first.id} again`, 't TASK_RUNNING']);
    agent.update(second.id, 't', 'TASK_RUNNING', { uuid });
    await cluster.advance('50ms');
    expect(agent.got(agentMessages.AcknowledgeStatusUpdate).map((body) => body.uuid)).to.deep.equal([uuid]);
    expect(second.recorder.statuses.at(-1)).to.include({ uuid });
    const { frameworks } = await cluster.state();
    expect(frameworks.map(({ id, tasks }) => [id, tasks.length])).to.deep.equal([[first.id, 1]]);
    expect(agent.got(agentMessages.ShutdownFramework)).to.deep.equal([]);
  });

  it('SCHED-03 keeps its id and its tasks when the next master leads', async () => {
    const agent = await cluster.agent();
    const framework = await Framework.start(cluster, 'framework', { framework: { failoverTimeout: '1hrs' } });
    await framework.launch('t');
    const { id } = framework;
    const { agentId } = agent;
    cluster.world.crash('master');
    await cluster.advance('30s');
    await cluster.startMaster();
    await cluster.advance('5s');
    expect(framework.recorder.events.filter((event) => /subscribed|disconnected/.test(event))).to.deep.equal([
      `subscribed ${id}`,
      'disconnected',
      `subscribed ${id} again`,
    ]);
    // As agents do, until it is answered.
    for (const _ of [1, 2]) {
      agent.reregister([reported(id, agent.id, 't', 'cpus:1;mem:32')], [], agentId);
      await cluster.advance('1mins');
    }
    // The driver asked for its task until somebody knew.
    expect(framework.news).to.include('t TASK_RUNNING');
    const { frameworks } = await cluster.state();
    expect(frameworks.map((entry) => [entry.id, entry.tasks.map((task) => task.id)])).to.deep.equal([[id, ['t']]]);
  });

  it('SCHED-04 is refused under an id that was torn down, or whose failover timeout has passed', async () => {
    const torn = await Framework.start(cluster, 'torn');
    torn.call((driver) => driver.teardown());
    const late = await Framework.start(cluster, 'late', { framework: { failoverTimeout: '1mins' } });
    const inTime = await Framework.start(cluster, 'in-time', { framework: { failoverTimeout: '1hrs' } });
    for (const node of ['late', 'in-time']) cluster.world.crash(node);
    await cluster.advance('3mins');
    for (const { id } of [torn, late]) {
      const again = await Framework.start(cluster, `again-${id}`.replaceAll(/[^\w-]/g, ''), { framework: { id } });
      expect(again.news).to.deep.equal(['error Framework has been removed']);
      expect(isOver(again)).to.equal(true);
    }
    const back = await Framework.start(cluster, 'back', { framework: { id: inTime.id } });
    expect(back.news[0]).to.equal(`subscribed ${inTime.id} again`);
  });

  it('SCHED-07 declines for a while, and suppresses and revives by role, also at the next subscription', async () => {
    const roles = { framework: { roles: ['a', 'b'], capabilities: ['MULTI_ROLE'], failoverTimeout: '1hrs' } } as const;
    await cluster.agent();
    const framework = await Framework.start(cluster, 'framework', roles);
    const offered = (): readonly string[] => {
      const news = framework.recorder.held.map(({ role }) => role);
      framework.recorder.held.length = 0;
      return news;
    };
    const declineAll = async (refuseSeconds: number): Promise<void> => {
      const { held } = framework.recorder;
      const offers = [...held];
      held.length = 0;
      framework.call((driver) => driver.decline(offers, { refuseSeconds }));
      await cluster.advance('2s');
    };
    expect(framework.recorder.held).to.have.length(1);
    const [first] = framework.recorder.held;
    await declineAll(3600);
    // The other role's turn; then nothing until the filters are forgotten.
    expect(framework.recorder.held.map(({ role }) => role)).to.not.include(first?.role);
    await declineAll(3600);
    await cluster.advance('10mins');
    expect(offered()).to.deep.equal([]);
    framework.call((driver) => driver.revive(['a']));
    await cluster.advance('2s');
    expect(framework.recorder.held.map(({ role }) => role)).to.deep.equal(['a']);
    framework.call((driver) => driver.suppress(['a']));
    await declineAll(0);
    await cluster.advance('1mins');
    expect(offered()).to.deep.equal([]);
    framework.call((driver) => driver.suppress());
    // Another subscription under the same id, to the next leader.
    cluster.world.crash('master');
    await cluster.advance('10s');
    await cluster.startMaster();
    await cluster.advance('5s');
    await cluster.agent('agent-2');
    await cluster.advance('5mins');
    expect(framework.recorder.events.at(-1)).to.match(/^subscribed .* again$/);
    expect(offered()).to.deep.equal([]);
    framework.call((driver) => driver.revive());
    await cluster.advance('2s');
    expect(offered()).to.have.length(1);
  });

  it('SCHED-10 changes what a framework is, by subscription or by update, but for principal, user and checkpoint', async () => {
    const before = { principal: 'p', user: 'u', failoverTimeout: '1mins', roles: ['a'] } as const;
    const framework = await Framework.start(cluster, 'one', { framework: before });
    await cluster.agent();
    await cluster.advance('2s');
    const { id } = framework;
    const after = {
      name: 'renamed',
      webuiUrl: 'http://w',
      failoverTimeout: '2hrs',
      roles: ['b'],
      labels: { l: 'v' },
    } as const;
    const entry = async (): Promise<object> => {
      const [found] = (await cluster.state()).frameworks;
      if (found === undefined) throw new Error('no framework');
      return found;
    };
    const described = { name: 'renamed', webui_url: 'http://w', failover_timeout: 7200, user: 'u', checkpoint: false };
    const changed = { ...described, labels: [{ key: 'l', value: 'v' }] };
    const rescinded = framework.lastOffer.id;
    framework.call((driver) => driver.updateFramework(after));
    await cluster.advance('2s');
    expect(await entry()).to.deep.include({ ...changed, principal: 'p', role: 'b' });
    expect(framework.recorder.events).to.include(`rescinded ${rescinded}`);
    expect(framework.lastOffer.role).to.equal('b');
    const refused: unknown[] = [];
    for (const change of [{ principal: 'q' }, { user: 'w' }, { checkpoint: true }])
      framework.call((driver) =>
        driver.updateFramework(change).onFailed((error) => refused.push(error instanceof Error && error.message)),
      );
    await cluster.advance('1s');
    expect(refused).to.deep.equal(
      ['principal', 'user', 'checkpoint'].map((field) => `Updating 'FrameworkInfo.${field}' is unsupported`),
    );
    // The same by subscription: what may not change stays as it was.
    const next = await Framework.start(cluster, 'two', {
      framework: { ...before, ...after, id, name: 'again', user: 'w', checkpoint: true, roles: ['a'] },
    });
    expect(await entry()).to.deep.include({ ...changed, name: 'again', role: 'a' });
    expect(next.news[0]).to.equal(`subscribed ${id} again`);
    const other = await Framework.start(cluster, 'three', { framework: { ...before, id, principal: 'q' } });
    expect(other.news).to.deep.equal([`error Changing framework's principal is not allowed.`]);
    expect(isOver(next)).to.equal(false);
  });

  it('SCHED-11 is not harmed by calls in its name from anybody else', async () => {
    const agent = await cluster.agent();
    const framework = await Framework.start(cluster);
    await framework.launch('t');
    agent.update(framework.id, 't', 'TASK_RUNNING');
    await cluster.advance('2s');
    const { id: frameworkId } = framework;
    const stranger = await cluster.peer('stranger', new FakeScheduler());
    const registered = await cluster.scheduler('registered');
    void framework.news;
    for (const forger of [stranger, registered]) {
      forger.tell(schedulerMessages.Kill, { frameworkId, taskId: TaskID('t') });
      forger.tell(schedulerMessages.Suppress, { frameworkId, roles: [] });
      forger.tell(schedulerMessages.Decline, { frameworkId, offerIds: [framework.lastOffer.id] });
      forger.tell(schedulerMessages.Teardown, { frameworkId });
      forger.tell(schedulerMessages.Reconcile, { frameworkId: FrameworkID('nobody'), tasks: [] });
    }
    await cluster.advance('1s');
    expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
    expect(agent.got(agentMessages.ShutdownFramework)).to.deep.equal([]);
    expect(framework.news).to.deep.equal([]);
    expect(await cluster.metric('master/dropped_messages')).to.equal(10);
    const found = (await cluster.state()).frameworks.find(({ id }) => id === frameworkId);
    expect(found?.offers.map(({ id }) => id)).to.deep.equal([framework.lastOffer.id]);
    framework.call((driver) => driver.kill(TaskID('t')));
    await cluster.advance('1s');
    expect(agent.got(agentMessages.KillTask)).to.have.length(1);
  });

  it('SCHED-12 gives back what it cannot launch, and the master has never heard of it', async () => {
    for (const [node, capabilities, state] of [
      ['plain', [], 'TASK_LOST'],
      ['aware', ['PARTITION_AWARE'], 'TASK_DROPPED'],
    ] as const) {
      await using own = await TestCluster.start({ exploded: false });
      const agent = await own.agent();
      const framework = await Framework.start(own, node, { framework: { capabilities, failoverTimeout: '1hrs' } });
      own.world.network.partition('master', node);
      await own.advance('30s');
      await framework.launch('t');
      expect(framework.recorder.statuses.at(-1)).to.include({
        taskId: 't',
        state,
        source: 'SOURCE_MASTER',
        reason: 'REASON_MASTER_DISCONNECTED',
      });
      own.world.network.heal('master', node);
      await own.advance('1mins');
      expect(framework.recorder.events).to.include(`subscribed ${framework.id} again`);
      expect(runOf(agent)).to.deep.equal([]);
    }
  });

  it('reserves, makes a volume, launches on it, and takes all of it back', async () => {
    const agent = await cluster.agent('agent-1', 'cpus:4;mem:4096;disk:1000');
    const framework = await Framework.start(cluster, 'framework', { framework: { roles: ['r'] } });
    const all = text(framework.lastOffer.resources);
    const applied = (): readonly string[] =>
      agent.got(agentMessages.ApplyOperation).map(({ operation }) => operation.type);
    const finish = async (): Promise<void> => {
      const order = agent.got(agentMessages.ApplyOperation).at(-1);
      const operationId = order?.operation.id;
      if (order === undefined || operationId === undefined) throw new Error('no operation with an id');
      agent.tell(agentMessages.UpdateOperationStatus, {
        agentId: agent.id,
        frameworkId: framework.id,
        operationUuid: order.operationUuid,
        status: {
          state: 'OPERATION_FINISHED',
          operationId,
          agentId: agent.id,
          uuid: UpdateUUID(cluster.master.random.uuid()),
        },
      });
      await cluster.advance('2s');
    };
    framework.call((driver) => {
      const offer = framework.lastOffer;
      const basket = new Basket(offer);
      const reserved = reserve(offer, basket.take('disk:64', { from: 'unreserved' }) ?? []);
      const volume = createVolume(reserved.resources, { persistenceId: 'v', containerPath: 'data', id: 'make' });
      const resources = [...(basket.take('cpus:1;mem:32') ?? []), ...volume.volumes];
      const task = shellTask(offer, { id: 'writer', command: 'date > data/date', resources });
      driver.accept(offer, [reserved, volume, launch([task])], { refuseSeconds: 0 });
    });
    await cluster.advance('1s');
    expect(applied()).to.deep.equal(['RESERVE', 'CREATE']);
    await finish();
    expect(framework.recorder.operations.map(({ operationId, state }) => `${operationId} ${state}`)).to.deep.equal([
      'make OPERATION_FINISHED',
    ]);
    expect(agent.got(agentMessages.AcknowledgeOperationStatus).length).to.be.greaterThan(0);
    expect(runOf(agent)).to.deep.equal(['writer']);
    agent.update(framework.id, 'writer', 'TASK_FINISHED');
    await cluster.advance('10s');
    const again = framework.recorder.held.slice(-2);
    framework.call((driver) => {
      const volume = again.map((offer) => new Basket(offer).takeVolume('v')).find((found) => found !== undefined);
      if (volume === undefined) throw new Error(`no volume in ${again.map(({ resources }) => text(resources)).join()}`);
      const { disk: _, ...plain } = volume;
      driver.accept(again, [destroyVolume(volume, { id: 'destroy' }), unreserve([plain])], { refuseSeconds: 0 });
    });
    await cluster.advance('1s');
    expect(applied()).to.deep.equal(['RESERVE', 'CREATE', 'DESTROY', 'UNRESERVE']);
    await cluster.advance('5s');
    expect(text(framework.lastOffer.resources)).to.equal(all);
  });
});

function text(resources: readonly Resource[]): string {
  return String(Resources.of(resources).unallocate()).split(';').toSorted().join(';');
}
