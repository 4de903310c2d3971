import { type LocalPID, Process } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import {
  AgentID,
  ContainerID,
  executorMessages,
  ExecutorID,
  FrameworkID,
  type TaskInfo,
  type TaskStatus,
} from '@mezzo/protocol';
import { expect } from 'chai';
import { PosixContainerizer } from '../../src/containerizer/posix-containerizer.ts';
import { CommandExecutor } from '../../src/executor/command-executor.ts';
import { WorkDirectory } from '../../src/work-directory.ts';
import { taskOf } from '../fake-master.ts';

const { AcknowledgeExecutorUpdate, ExecutorUpdate, KillExecutorTask, LaunchTask, ShutdownExecutor } = executorMessages;
const frameworkId = FrameworkID('f1');
const sandbox = '/work/sandbox';

/** The agent's side of an executor. */
class FakeAgent extends Process {
  readonly updates: TaskStatus[] = [];
  acknowledges = true;
  executor: LocalPID<CommandExecutor> | undefined;

  protected override initialize(): void {
    this.install(ExecutorUpdate, ({ status }, from) => {
      this.updates.push(status);
      const { taskId, uuid } = status;
      if (this.acknowledges && uuid !== undefined) this.send(from, AcknowledgeExecutorUpdate, { taskId, uuid });
    });
  }

  get states(): string[] {
    return this.updates.map(({ state }) => state);
  }
}

async function start(world: Simulation, reportsKilling = false, more: Partial<TaskInfo> = {}) {
  const runtime = await world.start('agent-1');
  const agent = new FakeAgent('agent');
  const agentPid = runtime.spawn(agent);
  const workDirectory = new WorkDirectory('/work');
  const containerizer = runtime.spawn(new PosixContainerizer({ workDirectory, killOnStop: true }));
  const executor = runtime.spawn(
    new CommandExecutor({
      agent: agentPid,
      containerizer,
      folders: workDirectory,
      inherited: [],
      isCheckpointed: false,
      agentId: AgentID('agent'),
      frameworkId,
      executorId: ExecutorID('t1'),
      containerId: ContainerID('c1'),
      reportsKilling,
    }),
  );
  const task = taskOf('t1', 'x', more);
  return {
    agent,
    launch: (): boolean => runtime.send(executor, LaunchTask, { frameworkId, task, sandbox }),
    kill: (gracePeriod?: number): boolean =>
      runtime.send(executor, KillExecutorTask, {
        taskId: task.taskId,
        ...(gracePeriod === undefined ? {} : { gracePeriod }),
      }),
    shutdown: (): boolean => runtime.send(executor, ShutdownExecutor, {}),
    lives: (): boolean => runtime.processes.includes(executor.id),
    children: world.machine('agent-1').children,
    files: world.machine('agent-1').files,
  };
}

describe('the command executor', () => {
  it('AGENT-18 ends when the agent has stored its last update, not before', async () => {
    await using world = new Simulation();
    const { agent, launch, lives } = await start(world);
    agent.acknowledges = false;
    launch();
    await world.advance('5s');
    expect(agent.states).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    expect(lives()).to.equal(true);
    agent.acknowledges = true;
    await world.advance('10s');
    expect(agent.states.slice(3), 'sent again as they were').to.deep.equal(agent.states.slice(0, 3));
    expect(agent.updates[3]?.uuid).to.equal(agent.updates[0]?.uuid);
    expect(lives()).to.equal(false);
  });

  it('forgets the container when it ends', async () => {
    await using world = new Simulation();
    const { launch, lives, files } = await start(world);
    launch();
    await world.advance('5s');
    expect(lives()).to.equal(false);
    const left = files.list('/work/run/containers');
    await world.settle();
    expect(left.get()).to.deep.equal([]);
  });

  it('AGENT-18 never reports TASK_RUNNING after TASK_KILLING', async () => {
    await using world = new Simulation({ script: () => ({}) });
    const { agent, launch, kill, children } = await start(world, true);
    launch();
    kill();
    await world.advance('5s');
    expect(agent.states).to.deep.equal(['TASK_STARTING', 'TASK_KILLING', 'TASK_KILLED']);
    expect(children.running).to.deep.equal([]);
  });

  it('reports TASK_KILLING once, however often it is told to kill', async () => {
    await using world = new Simulation({ script: () => ({ stubborn: true }) });
    const { agent, launch, kill } = await start(world, true);
    launch();
    await world.advance('1s');
    for (let count = 0; count < 3; count++) kill();
    await world.advance('5s');
    expect(agent.states).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED']);
  });

  it('reports TASK_KILLED even if the command exits with 0 after TERM', async () => {
    await using world = new Simulation({ script: () => ({ stubborn: true, duration: '2s' }) });
    const { agent, launch, kill } = await start(world);
    launch();
    await world.advance('1s');
    kill();
    await world.advance('5s');
    expect(agent.updates.at(-1)).to.include({ state: 'TASK_KILLED', message: 'Command exited with status 0' });
  });

  for (const [what, later, expected] of [
    ['shortens the time that is left', 1000, 2000],
    ['never makes it longer', 60_000, 10_000],
  ] as const) {
    it(`when it is told to kill again ${what}`, async () => {
      await using world = new Simulation({ script: () => ({ stubborn: true }) });
      const { launch, kill, children } = await start(world);
      launch();
      await world.advance('1s');
      kill(10_000);
      await world.advance('1s');
      kill(later);
      await world.advance(expected - 1000 - 10);
      expect(children.running).to.have.length(1);
      await world.advance(20);
      expect(children.running).to.deep.equal([]);
    });
  }

  it('AGENT-18 kills a task that takes longer than it may, with its grace period, and says that it failed', async () => {
    await using world = new Simulation({ script: () => ({ stubborn: true }) });
    const { agent, launch, lives, children } = await start(world, true, {
      maxCompletionTime: 10_000,
      killGracePeriod: 1000,
    });
    launch();
    await world.advance(10_990);
    expect(children.running).to.have.length(1);
    await world.advance(100);
    expect(children.running).to.deep.equal([]);
    expect(agent.states).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_FAILED']);
    expect(agent.updates.at(-1)).to.include({
      source: 'SOURCE_EXECUTOR',
      reason: 'REASON_MAX_COMPLETION_TIME_REACHED',
      message: 'Command terminated with signal SIGKILL',
    });
    expect(lives()).to.equal(false);
  });

  it('lets a task that ends in time, or is killed, be', async () => {
    for (const [run, states] of [
      [{ duration: '5s' }, ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']],
      [{ stubborn: true }, ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']],
    ] as const) {
      await using world = new Simulation({ script: () => run });
      const { agent, launch, kill } = await start(world, false, { maxCompletionTime: 6000, killGracePeriod: 10_000 });
      launch();
      await world.advance('5500ms');
      kill();
      await world.advance('20s');
      expect(agent.states).to.deep.equal(states);
      expect(agent.updates.at(-1)).to.not.have.property('reason');
    }
  });

  it('does not kill what has ended', async () => {
    await using world = new Simulation();
    const { agent, launch, kill } = await start(world, true);
    agent.acknowledges = false;
    launch();
    await world.advance('5s');
    kill();
    await world.advance('1s');
    expect(agent.states).to.not.include('TASK_KILLING');
  });

  it('runs one task only: a second one fails, the first is not disturbed', async () => {
    await using world = new Simulation();
    const { agent, launch } = await start(world);
    launch();
    launch();
    await world.advance('5s');
    expect(agent.states).to.have.members(['TASK_STARTING', 'TASK_FAILED', 'TASK_RUNNING', 'TASK_FINISHED']);
  });

  it('when shut down kills its command without a word and ends', async () => {
    await using world = new Simulation({ script: () => ({ stubborn: true }) });
    const { agent, launch, shutdown, lives, children } = await start(world);
    launch();
    await world.advance('1s');
    shutdown();
    await world.advance('2s');
    expect([lives(), children.running.length], 'the grace period holds').to.deep.equal([true, 1]);
    await world.advance('2s');
    expect([lives(), children.running.length]).to.deep.equal([false, 0]);
    expect(agent.states).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING']);
  });

  it('when shut down without a task just ends', async () => {
    await using world = new Simulation();
    const { shutdown, lives } = await start(world);
    shutdown();
    await world.advance('1ms');
    expect(lives()).to.equal(false);
  });
});
