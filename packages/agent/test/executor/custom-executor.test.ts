import { type Command, Deferred } from '@mezzo/process';
import { ExecutorID, type FrameworkInfo } from '@mezzo/protocol';
import { expect } from 'chai';
import { Cluster } from '../cluster.ts';
import { FakeExecutor } from '../fake-executor.ts';
import { agentId, customExecutor, framework, frameworkId, taskOf } from '../fake-master.ts';

const partitionAware: FrameworkInfo = { ...framework, capabilities: ['PARTITION_AWARE'] };
const endless = { script: () => ({}) };
const stubborn = { script: () => ({ stubborn: true }) };
const executor = customExecutor('e1');

/** A cluster whose framework has an executor that runs, with one task. */
async function running(
  options: Parameters<typeof Cluster.registered>[0] = { simulation: endless },
  info = executor,
): Promise<{ readonly cluster: Cluster; readonly program: FakeExecutor }> {
  const cluster = await Cluster.registered(options);
  cluster.master.runIn(info, taskOf('t1', ''), true);
  await cluster.until(() => cluster.children.running.length === 1);
  const program = await FakeExecutor.start(cluster, 'e1');
  program.register();
  await cluster.until(() => program.launches.length > 0);
  program.report('t1', 'TASK_RUNNING');
  await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
  return { cluster, program };
}

describe('an executor that is a program of its own', () => {
  it('runs in a sandbox of its own with the variables of Mesos, and its own win', async () => {
    const started: Command[] = [];
    await using cluster = await Cluster.registered({
      simulation: {
        script: (command) => {
          started.push(command);
          return {};
        },
      },
      executorEnvironment: { MEZZO_NATS: 'nats://broker:4222', OWN: 'of the agent', MESOS_CHECKPOINT: 'no' },
      executorShutdownGracePeriod: '90secs',
      recoveryTimeout: '1.5hrs',
    });
    const environment = { OWN: 'x', MESOS_RECOVERY_TIMEOUT: 'mine' };
    const command = { value: './mine', shell: true, arguments: [], environment };
    const checkpointing = { ...framework, checkpoint: true };
    cluster.master.runIn(customExecutor('e1', { command }), taskOf('t1', ''), true, checkpointing);
    cluster.master.runIn(customExecutor('e2', { shutdownGracePeriod: 250 }), taskOf('t2', ''), true, checkpointing);
    await cluster.until(() => started.length === 2);
    const [first, second] = started;
    const runs = `/work-dir/slaves/${agentId}/frameworks/${frameworkId}/executors/e1/runs/`;
    expect(first?.folder).to.match(new RegExp(`^${runs}[0-9a-f-]{36}$`));
    expect(first?.arguments.at(-1)).to.equal('./mine');
    expect(first?.environment).to.include({
      MESOS_FRAMEWORK_ID: frameworkId,
      MESOS_EXECUTOR_ID: 'e1',
      MESOS_AGENT_ID: agentId,
      MESOS_SLAVE_ID: agentId,
      MESOS_SANDBOX: first?.folder,
      MESOS_DIRECTORY: first?.folder,
      MESOS_CHECKPOINT: '1',
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '90secs',
      MESOS_RECOVERY_TIMEOUT: 'mine',
      MEZZO_AGENT: 'agent@agent-1',
      MEZZO_NATS: 'nats://broker:4222',
      OWN: 'x',
    });
    expect(second?.environment).to.include({
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '250ms',
      MESOS_RECOVERY_TIMEOUT: '90mins',
      OWN: 'of the agent',
    });
  });

  it('is told nothing about recovery by a framework that does not checkpoint', async () => {
    const started: Command[] = [];
    await using cluster = await Cluster.registered({
      simulation: { script: (command) => (started.push(command), {}) },
    });
    cluster.master.runIn(executor, taskOf('t1', ''), true);
    await cluster.until(() => started.length === 1);
    expect(started[0]?.environment)
      .to.include({ MESOS_CHECKPOINT: '0' })
      .and.not.have.property('MESOS_RECOVERY_TIMEOUT');
  });

  it('AGENT-07 gets its tasks in the order in which they came, however they were launched, once it has registered', async () => {
    await using cluster = await Cluster.registered({ simulation: { ...endless, latency: [0, 0] } });
    const { master } = cluster;
    master.runIn(executor, taskOf('t1', ''), true);
    master.runGroup(executor, [taskOf('t2', ''), taskOf('t3', '')], false);
    master.runIn(executor, taskOf('t4', ''), false);
    await cluster.until(() => cluster.children.running.length > 0);
    const program = await FakeExecutor.start(cluster, 'e1');
    await cluster.world.advance('10s');
    expect(program.launches).to.deep.equal([]);
    program.register();
    await cluster.until(() => program.launches.length > 0);
    await cluster.world.advance('1ms');
    expect(program.launches).to.deep.equal([['t1'], ['t2', 't3'], ['t4']]);
    master.runIn(executor, taskOf('t5', ''), false);
    master.runGroup(executor, [taskOf('t6', '')], false);
    await cluster.until(() => program.launches.length === 5);
    expect(program.launches.slice(3)).to.deep.equal([['t5'], ['t6']]);
    expect(cluster.children.running, 'one program').to.have.length(1);
  });

  it('AGENT-07 gets a task whose launch takes no time after one whose launch takes long', async () => {
    const checkpointing = { ...framework, checkpoint: true };
    await using cluster = await Cluster.registered({ simulation: endless });
    const { master, files } = cluster;
    master.runIn(executor, taskOf('t1', ''), true, checkpointing);
    await cluster.until(() => cluster.children.running.length === 1);
    const program = await FakeExecutor.start(cluster, 'e1');
    program.register();
    await cluster.until(() => program.launches.length === 1);
    files.disk.latency = [500, 500];
    master.runIn(executor, taskOf('t2', ''), false, checkpointing);
    await cluster.world.advance('50ms');
    // From now on nothing of it is stored, so it is ready at once.
    master.updateFramework(framework);
    master.runIn(executor, taskOf('t3', ''), false);
    await cluster.world.advance('100ms');
    expect(program.launches).to.deep.equal([['t1']]);
    await cluster.until(() => program.launches.length === 3);
    expect(program.launches).to.deep.equal([['t1'], ['t2'], ['t3']]);
  });

  it('learns about itself, its framework and its agent when it registers', async () => {
    const { cluster, program } = await running();
    await using _ = cluster;
    const [registered] = program.registered;
    expect(registered).to.deep.include({ executor, framework, agentId });
    expect(registered?.agent).to.include({ id: agentId, hostname: 'agent-1' });
    expect(program.sandboxes[0]).to.match(new RegExp(`/executors/e1/runs/${registered?.containerId ?? 'none'}$`));
  });

  it('that registers twice, as it missed the answer, is answered again and keeps its tasks', async () => {
    const { cluster, program } = await running();
    await using _ = cluster;
    program.register();
    await cluster.until(() => program.registered.length === 2);
    expect([program.launches, program.shutdowns]).to.deep.equal([[['t1']], 0]);
  });

  it('is told to end when nobody expects it: it is unknown, there is another, or its framework is gone', async () => {
    const { cluster, program } = await running({ simulation: stubborn });
    await using _ = cluster;
    const stranger = await FakeExecutor.start(cluster, 'unknown');
    stranger.register();
    await cluster.until(() => stranger.shutdowns === 1);
    stranger.executorId = program.executorId;
    stranger.register();
    await cluster.until(() => stranger.shutdowns === 2);
    stranger.report('t1', 'TASK_FINISHED');
    await cluster.world.advance('1s');
    expect(cluster.master.states('t1'), 'it cannot speak for another').to.deep.equal(['TASK_RUNNING']);
    const { files } = cluster.runtime;
    files.createFolder = () => new Deferred<void>().future;
    cluster.master.run(taskOf('t2', 'x'));
    await cluster.world.advance('100ms');
    stranger.executorId = ExecutorID('t2');
    stranger.register();
    await cluster.until(() => stranger.shutdowns === 3);
    expect(stranger.launches).to.deep.equal([]);
    cluster.master.shutdownFramework();
    await cluster.until(() => program.shutdowns === 1);
    program.register();
    await cluster.until(() => program.shutdowns === 2);
  });

  it('reports for its tasks, which are told with its id', async () => {
    const { cluster, program } = await running();
    await using _ = cluster;
    const uuid = program.report('t1', 'TASK_FINISHED');
    await cluster.until(() => program.acknowledged.includes(uuid));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FINISHED'));
    cluster.master.runIn(executor, taskOf('t2', ''), false);
    await cluster.until(() => program.launches.length === 2);
    expect(cluster.children.running, 'it goes on without tasks').to.have.length(1);
    const late = program.report('t1', 'TASK_FINISHED');
    await cluster.until(() => program.acknowledged.includes(late));
    expect(cluster.master.states('t1')).to.deep.equal(['TASK_RUNNING', 'TASK_FINISHED']);
  });

  it('and its framework can talk', async () => {
    const { cluster, program } = await running();
    await using _ = cluster;
    cluster.master.tellExecutor('e1', new Uint8Array([1, 2]));
    await cluster.until(() => program.messages.length > 0);
    expect([...(program.messages[0] ?? [])]).to.deep.equal([1, 2]);
    program.tell(new Uint8Array([3]));
    await cluster.until(() => cluster.master.messages.length > 0);
    expect(cluster.master.messages[0]).to.deep.include({ agentId, frameworkId, executorId: 'e1' });
    expect([...(cluster.master.messages[0]?.data ?? [])]).to.deep.equal([3]);
    const stranger = await FakeExecutor.start(cluster, 'unknown');
    stranger.tell(new Uint8Array([4]));
    stranger.executorId = program.executorId;
    stranger.tell(new Uint8Array([4]));
    cluster.master.tellExecutor('unknown', new Uint8Array([5]));
    await cluster.world.advance('1s');
    expect(cluster.master.messages).to.have.length(1);
  });

  it('is asked to kill, with the grace period of the kill', async () => {
    const { cluster, program } = await running();
    await using _ = cluster;
    cluster.master.kill('t1', 700);
    cluster.master.kill('t1');
    await cluster.until(() => program.kills.length === 2);
    expect(program.kills).to.deep.equal([{ taskId: 't1', gracePeriod: 700 }, { taskId: 't1' }]);
    expect(cluster.master.states('t1')).to.deep.equal(['TASK_RUNNING']);
  });

  describe('that does not register', () => {
    for (const [limit, seconds] of [
      [undefined, 60],
      ['10secs', 10],
    ] as const) {
      it(`AGENT-02 within ${limit ?? 'a minute'} is destroyed, and its tasks fail`, async () => {
        await using cluster = await Cluster.registered({
          simulation: stubborn,
          ...(limit === undefined ? {} : { executorRegistrationTimeout: limit }),
        });
        const { master } = cluster;
        master.runIn(executor, taskOf('t1', ''), true);
        await cluster.until(() => cluster.children.running.length === 1);
        await cluster.world.advance(seconds * 1000 - 100);
        expect(cluster.children.running).to.have.length(1);
        await cluster.world.advance('200ms');
        expect(cluster.children.running).to.deep.equal([]);
        expect(master.states('t1')).to.deep.equal(['TASK_FAILED']);
        expect(master.last('t1')?.status).to.include({
          source: 'SOURCE_AGENT',
          reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
          message: `The executor did not register within ${seconds} s`,
        });
        expect(master.exits).to.deep.equal([{ agentId, frameworkId, executorId: 'e1', status: 9 }]);
      });
    }

    it('AGENT-02 because its sandbox takes too long to be made, is never started', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      const { files } = cluster.runtime;
      const made = new Deferred<void>();
      files.createFolder = () => made.future;
      cluster.master.runIn(executor, taskOf('t1', ''), true);
      await cluster.world.advance('61s');
      made.set();
      await cluster.until(() => cluster.master.states('t1').length > 0);
      expect(cluster.master.last('t1')?.status.reason).to.equal('REASON_EXECUTOR_REGISTRATION_TIMEOUT');
      expect(cluster.master.exits[0]?.status).to.equal(-1);
      await cluster.world.advance('1s');
      expect(cluster.children.running).to.deep.equal([]);
    });
  });

  describe('is dropped when its launch failed, and the master told', () => {
    it('AGENT-08 because its program cannot be started', async () => {
      await using cluster = await Cluster.registered({
        simulation: {
          script: () => {
            throw new Error('spawn E2BIG');
          },
        },
      });
      const { master } = cluster;
      master.runIn(executor, taskOf('t1', ''), true);
      await cluster.until(() => master.exits.length > 0 && master.states('t1').length > 0);
      expect(master.last('t1')?.status).to.include({
        state: 'TASK_FAILED',
        source: 'SOURCE_AGENT',
        reason: 'REASON_CONTAINER_LAUNCH_FAILED',
        message: 'Failed to launch container: spawn E2BIG',
      });
      expect(master.exits).to.deep.equal([{ agentId, frameworkId, executorId: 'e1', status: -1 }]);
      await cluster.world.advance('1s');
      expect(await cluster.state()).to.deep.include({ frameworks: [] });
    });

    it('AGENT-08 because its sandbox cannot be made', async () => {
      await using cluster = await Cluster.registered();
      cluster.files.failWrites = 'ENOSPC';
      cluster.master.runIn(executor, taskOf('t1', ''), true);
      await cluster.until(() => cluster.master.exits.length > 0 && cluster.master.states('t1').length > 0);
      expect(cluster.master.last('t1')?.status).to.include({ reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
      expect(cluster.master.exits[0]?.status).to.equal(-1);
    });

    it('AGENT-08 because its tasks were killed before', async () => {
      await using cluster = await Cluster.registered({ simulation: { ...endless, latency: [0, 0] } });
      const { master } = cluster;
      master.runIn(executor, taskOf('t1', ''), true);
      master.kill('t1');
      await cluster.until(() => master.exits.length > 0);
      expect(master.exits[0]?.status).to.equal(-1);
      expect(master.last('t1')?.status).to.include({
        state: 'TASK_KILLED',
        reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
      });
      await cluster.world.advance('5mins');
      expect(cluster.children.running).to.deep.equal([]);
    });

    it('AGENT-08 because its framework is being shut down', async () => {
      const { cluster } = await running({ simulation: stubborn });
      await using _ = cluster;
      cluster.master.shutdownFramework();
      cluster.master.runIn(customExecutor('e2'), taskOf('t2', ''), true);
      await cluster.until(() => cluster.master.exits.length > 0);
      expect(cluster.master.exits[0]).to.include({ executorId: 'e2', status: -1 });
      expect(cluster.master.states('t2')).to.deep.equal([]);
    });
  });

  describe('with which the master is not up to date', () => {
    for (const [info, state] of [
      [framework, 'TASK_LOST'],
      [partitionAware, 'TASK_DROPPED'],
    ] as const) {
      it(`drops a task that counts on an executor which has ended: ${state}`, async () => {
        await using cluster = await Cluster.registered({ simulation: endless });
        const { master } = cluster;
        master.runIn(executor, taskOf('t1', ''), false, info);
        await cluster.until(() => master.states('t1').length > 0);
        expect(master.last('t1')?.status).to.include({
          state,
          source: 'SOURCE_AGENT',
          reason: 'REASON_EXECUTOR_TERMINATED',
        });
        expect(master.exits, 'it did not ask for one').to.deep.equal([]);
        expect(await cluster.state()).to.deep.include({ frameworks: [] });
      });
    }

    it('drops a task that is to start one which runs', async () => {
      const { cluster, program } = await running();
      await using _ = cluster;
      cluster.master.runIn(executor, taskOf('t2', ''), true);
      await cluster.until(() => cluster.master.states('t2').length > 0);
      expect(cluster.master.last('t2')?.status.reason).to.equal('REASON_EXECUTOR_TERMINATED');
      expect([program.launches, cluster.master.exits]).to.deep.equal([[['t1']], []]);
    });

    it('drops a task for one that is ending, or whose last updates are not acknowledged', async () => {
      const { cluster } = await running({ simulation: stubborn });
      await using _ = cluster;
      const { master } = cluster;
      master.acknowledges = false;
      master.shutdownExecutor('e1');
      master.runIn(executor, taskOf('t2', ''), false);
      await cluster.until(() => master.states('t2').length > 0);
      expect(master.last('t2')?.status).to.include({ state: 'TASK_LOST', reason: 'REASON_EXECUTOR_TERMINATED' });
      await cluster.until(() => master.exits.length === 1);
      master.runIn(executor, taskOf('t3', ''), true);
      await cluster.until(() => master.states('t3').length > 0);
      expect(master.last('t3')?.status.reason).to.equal('REASON_EXECUTOR_TERMINATED');
      await cluster.until(() => master.exits.length === 2);
      expect(master.exits.map(({ status }) => status)).to.deep.equal([9, -1]);
    });
  });

  describe('that ends', () => {
    for (const [what, run, status] of [
      ['by itself', { duration: '10s', code: 3 }, 3 << 8],
      ['well', { duration: '10s' }, 0],
    ] as const) {
      it(`${what} fails the tasks that it has, and the master gets its wait status`, async () => {
        const { cluster, program } = await running({ simulation: { script: () => run } });
        await using _ = cluster;
        const { master } = cluster;
        master.runIn(executor, taskOf('t2', ''), false);
        await cluster.until(() => program.launches.length === 2);
        program.report('t2', 'TASK_FINISHED');
        await cluster.until(() => master.exits.length > 0);
        await cluster.world.advance('1s');
        expect(master.exits).to.deep.equal([{ agentId, frameworkId, executorId: 'e1', status }]);
        expect(master.last('t1')?.status).to.include({
          state: 'TASK_FAILED',
          source: 'SOURCE_AGENT',
          reason: 'REASON_EXECUTOR_TERMINATED',
          message: 'Executor terminated',
        });
        expect(master.states('t2')).to.deep.equal(['TASK_FINISHED']);
        expect(await cluster.state()).to.deep.include({ frameworks: [] });
        const left = cluster.files.list('/work-dir/run/containers');
        await cluster.world.settle();
        expect(left.get()).to.deep.equal([]);
      });
    }

    it('while its agent is away from the master is told once that has taken the agent back', async () => {
      const { cluster } = await running({ simulation: { script: () => ({ duration: '30s' }) } });
      await using _ = cluster;
      const { master } = cluster;
      master.answers = false;
      master.ping(false);
      await cluster.until(() => master.reregistrations.length > 0);
      expect(master.reregistrations[0]?.executors, 'it still runs').to.have.length(1);
      await cluster.until(() => cluster.children.running.length === 0);
      await cluster.world.advance('1s');
      expect(master.exits).to.deep.equal([]);
      master.answers = true;
      await cluster.until(() => master.exits.length > 0, '2mins');
      expect(master.exits).to.deep.equal([{ agentId, frameworkId, executorId: 'e1', status: 0 }]);
    });

    it('when it is told to, is destroyed if that takes longer than the grace period', async () => {
      const { cluster, program } = await running({ simulation: stubborn });
      await using _ = cluster;
      const { master, world, children } = cluster;
      master.shutdownExecutor('e1');
      await cluster.until(() => program.shutdowns > 0);
      await world.advance(4900);
      expect(children.running).to.have.length(1);
      await world.advance(200);
      expect(children.running).to.deep.equal([]);
      expect(master.exits[0]?.status).to.equal(9);
      expect(master.last('t1')?.status).to.include({ state: 'TASK_FAILED', reason: 'REASON_EXECUTOR_TERMINATED' });
    });

    it('when it is told to, has the grace period that it wanted itself', async () => {
      const { cluster, program } = await running(
        { simulation: stubborn },
        customExecutor('e1', { shutdownGracePeriod: 20_000 }),
      );
      await using _ = cluster;
      cluster.master.shutdownExecutor('e1');
      await cluster.until(() => program.shutdowns > 0);
      await cluster.world.advance(19_900);
      expect(cluster.children.running).to.have.length(1);
      await cluster.world.advance(200);
      expect(cluster.children.running).to.deep.equal([]);
    });

    it('before it has registered is destroyed at once', async () => {
      await using cluster = await Cluster.registered({ simulation: stubborn });
      cluster.master.runIn(executor, taskOf('t1', ''), true);
      await cluster.until(() => cluster.children.running.length === 1);
      cluster.master.shutdownExecutor('e1');
      await cluster.until(() => cluster.master.states('t1').length > 0);
      expect(cluster.children.running).to.deep.equal([]);
      expect(cluster.master.last('t1')?.status.reason).to.equal('REASON_EXECUTOR_TERMINATED');
    });

    it('breaking the protocol is shut down', async () => {
      const { cluster, program } = await running();
      await using _ = cluster;
      program.report('t1', 'TASK_STAGING');
      await cluster.until(() => program.shutdowns === 1);
    });

    it('with its framework says nothing about its tasks, but the master hears of its end', async () => {
      const { cluster, program } = await running({ simulation: stubborn });
      await using _ = cluster;
      const told = cluster.master.updates.length;
      cluster.master.shutdownFramework();
      await cluster.until(() => program.shutdowns === 1);
      program.report('t1', 'TASK_KILLED');
      await cluster.until(() => cluster.master.exits.length > 0);
      await cluster.world.advance('1mins');
      expect(cluster.master.updates).to.have.length(told);
      expect(cluster.children.running).to.deep.equal([]);
      const state = await cluster.state();
      expect(state['frameworks']).to.deep.equal([]);
      expect(state['completed_frameworks']).to.have.length(1);
    });
  });

  describe('for which nothing is left to do', () => {
    it('AGENT-06 when it registers is shut down', async () => {
      await using cluster = await Cluster.registered({ simulation: stubborn });
      const { master } = cluster;
      master.runIn(executor, taskOf('t1', ''), true);
      master.runGroup(executor, [taskOf('t2', ''), taskOf('t3', '')], false);
      await cluster.until(() => cluster.children.running.length === 1);
      master.kill('t1');
      master.kill('t3');
      await cluster.until(() => ['t1', 't2', 't3'].every((id) => master.states(id).length > 0));
      for (const id of ['t1', 't2', 't3']) {
        expect(master.last(id)?.status).to.include({
          state: 'TASK_KILLED',
          source: 'SOURCE_AGENT',
          reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
        });
      }
      const program = await FakeExecutor.start(cluster, 'e1');
      program.register();
      await cluster.until(() => program.shutdowns === 1);
      expect(program.launches).to.deep.equal([]);
      await cluster.until(() => master.exits.length > 0);
      expect(cluster.children.running).to.deep.equal([]);
    });

    it('AGENT-06 but for a task that came since, which it gets', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      const { master } = cluster;
      master.runIn(executor, taskOf('t1', ''), true);
      await cluster.until(() => cluster.children.running.length === 1);
      master.kill('t1');
      master.runIn(executor, taskOf('t2', ''), false);
      await cluster.until(() => master.states('t1').includes('TASK_KILLED'));
      const program = await FakeExecutor.start(cluster, 'e1');
      program.register();
      await cluster.until(() => program.launches.length > 0);
      expect([program.launches, program.shutdowns]).to.deep.equal([[['t2']], 0]);
    });
  });
});
