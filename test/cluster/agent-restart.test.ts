import { type Agent, startAgent } from '@mezzo/agent';
import { withExitRecords } from '@mezzo/agent/testing';
import { Basket, type SchedulerDriver, shellTask, startScheduler } from '@mezzo/frameworks';
import { startMaster } from '@mezzo/master';
import { dispatch, type LocalPID, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { FrameworkID, TaskID } from '@mezzo/protocol';
import { expect } from 'chai';
import { Recorder } from '../../packages/frameworks/test/scheduler/stage.ts';

interface State {
  readonly slaves: readonly { readonly id: string; readonly active: boolean }[];
  readonly frameworks: readonly {
    readonly id: string;
    readonly tasks: readonly { readonly id: string; readonly state: string }[];
  }[];
}

interface Framework {
  readonly recorder: Recorder;
  readonly runtime: Runtime;
  readonly driver: LocalPID<SchedulerDriver>;
}

describe('agents that are started again, at the real master', () => {
  let world: Simulation;
  let master: Runtime;
  beforeEach(async () => {
    world = new Simulation({ latency: [1, 3], script: withExitRecords(() => ({})) });
    master = await world.start('master');
    startMaster(master, { cluster: 'test' });
    await world.advance('100ms');
  });
  afterEach(() => world.stop());

  const startAgentOn = async (node: string): Promise<LocalPID<Agent>> => {
    const started = startAgent(await world.start(node), {
      cluster: 'test',
      workDirectory: '/work-dir',
      resources: 'cpus:4;mem:1024',
    });
    await world.advanceUntil(() => !started.isPending, '10s');
    return started.get();
  };
  const startFramework = async (node: string, id?: string): Promise<Framework> => {
    const recorder = new Recorder();
    const runtime = await world.start(node);
    const driver = startScheduler(runtime, {
      cluster: 'test',
      scheduler: recorder,
      framework: {
        name: node,
        failoverTimeout: '1hrs',
        checkpoint: true,
        capabilities: ['PARTITION_AWARE'],
        ...(id === undefined ? {} : { id: FrameworkID(id) }),
      },
    });
    await until(() => recorder.events.some((event) => event.startsWith('subscribed')));
    return { recorder, runtime, driver };
  };
  const until = async (condition: () => boolean): Promise<void> => {
    if (!(await world.advanceUntil(condition, '5mins'))) throw new Error(`It did not happen: ${condition.toString()}`);
  };
  const launch = async ({ recorder, runtime, driver }: Framework, hostname: string, id: string): Promise<void> => {
    const find = () => recorder.held.findLast((offer) => offer.hostname === hostname);
    await until(() => find() !== undefined);
    const offer = find();
    if (offer === undefined) throw new Error('no offer');
    recorder.held.splice(recorder.held.indexOf(offer), 1);
    const resources = new Basket(offer).take('cpus:1;mem:32') ?? [];
    runtime.dispatch(driver, (it) =>
      it.accept(offer, [shellTask(offer, { id, command: 'x', resources })], { refuseSeconds: 0 }),
    );
    await until(() => recorder.events.includes(`${id} TASK_RUNNING`));
  };
  const declineAll = async ({ recorder, runtime, driver }: Framework): Promise<void> => {
    const held = [...recorder.held];
    recorder.held.length = 0;
    runtime.dispatch(driver, (it) => {
      it.decline(held, { refuseSeconds: 3600 });
      it.suppress();
    });
    await world.advance('2s');
  };
  const state = async (): Promise<State> => {
    const answer = master.http({ path: '/state' });
    await world.settle();
    const { body } = answer.get();
    return JSON.parse(typeof body === 'string' ? body : '') as State;
  };
  const running = (node: string): number => world.machine(node).children.running.length;

  it('AGENT-14j several of them, of several frameworks, one of which has another scheduler by then', async () => {
    for (const node of ['agent-1', 'agent-2']) await startAgentOn(node);
    const one = await startFramework('framework-1');
    await launch(one, 'agent-1', 'a1');
    await launch(one, 'agent-2', 'a2');
    await declineAll(one);
    const two = await startFramework('framework-2');
    await launch(two, 'agent-1', 'b1');
    await launch(two, 'agent-2', 'b2');
    await declineAll(two);
    const agents = (await state()).slaves.map(({ id }) => id).toSorted();
    const [id = ''] = one.recorder.events.filter((event) => event.startsWith('subscribed'));
    for (const node of ['agent-1', 'agent-2', 'framework-1']) world.crash(node);
    await world.advance('10s');
    const next = await startFramework('framework-3', id.split(' ')[1]);
    for (const node of ['agent-1', 'agent-2']) await startAgentOn(node);
    await world.advance('1mins');
    const { slaves, frameworks } = await state();
    expect(slaves.map((agent) => agent.id).toSorted()).to.deep.equal(agents);
    expect(slaves.map(({ active }) => active)).to.deep.equal([true, true]);
    const tasks = frameworks.map((framework) => framework.tasks.map((task) => `${task.id} ${task.state}`).toSorted());
    expect(tasks).to.have.deep.members([
      ['a1 TASK_RUNNING', 'a2 TASK_RUNNING'],
      ['b1 TASK_RUNNING', 'b2 TASK_RUNNING'],
    ]);
    expect([running('agent-1'), running('agent-2')]).to.deep.equal([2, 2]);
    expect(two.recorder.events.filter((event) => /TASK_(?!STARTING|RUNNING)/.test(event))).to.deep.equal([]);
    // The other scheduler has them: it hears of their ends.
    next.runtime.dispatch(next.driver, (it) => {
      for (const task of ['a1', 'a2']) it.kill(TaskID(task));
    });
    await until(() => ['a1', 'a2'].every((task) => next.recorder.events.includes(`${task} TASK_KILLED`)));
    expect([running('agent-1'), running('agent-2')]).to.deep.equal([1, 1]);
  });

  it('AGENT-14h one hears which tasks were killed, and which framework was torn down, while it was away', async () => {
    await startAgentOn('agent-1');
    const one = await startFramework('framework-1');
    await launch(one, 'agent-1', 'killed');
    await launch(one, 'agent-1', 'kept');
    await declineAll(one);
    const two = await startFramework('framework-2');
    await launch(two, 'agent-1', 'orphan');
    await declineAll(two);
    world.crash('agent-1');
    await world.advance('30s');
    expect((await state()).slaves.map(({ active }) => active)).to.deep.equal([false]);
    one.runtime.dispatch(one.driver, (it) => it.kill(TaskID('killed')));
    two.runtime.dispatch(two.driver, (it) => it.teardown());
    await world.advance('5s');
    expect(running('agent-1')).to.equal(3);
    await startAgentOn('agent-1');
    await until(() => one.recorder.events.includes('killed TASK_KILLED'));
    await until(() => running('agent-1') === 1);
    await world.advance('5s');
    expect((await state()).frameworks.map(({ tasks }) => tasks.map(({ id }) => id))).to.deep.equal([['kept']]);
  });

  it('AGENT-14i one that was shut down has its id again, and its tasks are over', async () => {
    const agent = await startAgentOn('agent-1');
    const framework = await startFramework('framework-1');
    await launch(framework, 'agent-1', 't');
    const [before] = (await state()).slaves;
    const ended = dispatch(agent, (it) => it.shutdown());
    await until(() => !ended.isPending);
    await world.advance('5s');
    expect((await state()).slaves).to.deep.equal([]);
    expect(framework.recorder.events)
      .to.include('t TASK_LOST')
      .and.to.include(`failure ${before?.id ?? ''}`);
    world.crash('agent-1');
    await world.advance('1s');
    await startAgentOn('agent-1');
    await world.advance('1mins');
    expect((await state()).slaves.map(({ id, active }) => [id, active])).to.deep.equal([[before?.id, true]]);
    await launch(framework, 'agent-1', 'u');
  });

  it('AGENT-14i one that forgot who it was is another one, and the tasks of the first are lost', async () => {
    await startAgentOn('agent-1');
    const framework = await startFramework('framework-1');
    await launch(framework, 'agent-1', 't');
    const [before] = (await state()).slaves;
    world.crash('agent-1');
    await world.advance('1s');
    const removed = world.machine('agent-1').files.remove('/work-dir/meta/slaves/latest');
    await world.settle();
    expect(removed.isReady).to.equal(true);
    await startAgentOn('agent-1');
    await world.advance('1mins');
    const { slaves } = await state();
    expect(slaves.map(({ active }) => active)).to.deep.equal([true]);
    expect(slaves[0]?.id).to.not.equal(before?.id);
    expect(framework.recorder.statuses.at(-1)).to.include({ state: 'TASK_LOST', reason: 'REASON_AGENT_REMOVED' });
    expect(running('agent-1'), 'nobody would know of it').to.equal(0);
  });
});
