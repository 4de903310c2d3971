import { dispatch } from '@mezzo/process';
import type { FrameworkInfo } from '@mezzo/protocol';
import { expect } from 'chai';
import { Cluster, workDirectory } from './cluster.ts';
import { agentId, framework, frameworkId, taskOf } from './fake-master.ts';

const killingAware: FrameworkInfo = { ...framework, capabilities: ['TASK_KILLING_STATE'] };
const partitionAware: FrameworkInfo = { ...framework, capabilities: ['PARTITION_AWARE'] };
const endless = { script: () => ({}) };

describe('an agent', () => {
  it('runs a task and reports what becomes of it', async () => {
    await using cluster = await Cluster.registered();
    const { master } = cluster;
    master.run(taskOf('t1', 'true'));
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    expect(master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    const last = master.last('t1');
    expect(last).to.deep.include({ frameworkId, agentId, latestState: 'TASK_FINISHED' });
    expect(last?.status).to.include({
      source: 'SOURCE_EXECUTOR',
      message: 'Command exited with status 0',
      agentId,
      executorId: 't1',
    });
    const uuids = master.updates.map(({ status }) => status.uuid);
    expect(new Set(uuids).size).to.equal(3);
    await cluster.world.advance('1s');
    expect(master.exits, 'the master does not know that it has an executor').to.deep.equal([]);
  });

  it("runs the shell line in its sandbox with Mesos's variables, and the task's own win", async () => {
    const seen: { folder: string; environment: Readonly<Record<string, string>>; line: string | undefined }[] = [];
    await using cluster = await Cluster.registered({
      simulation: {
        script: ({ folder, environment, arguments: given }) => {
          seen.push({ folder, environment, line: given.at(-1) });
          return { duration: '1s' };
        },
      },
    });
    const environment = { MESOS_TASK_ID: 'mine', OWN: 'x' };
    cluster.master.run(taskOf('t1', '', { command: { value: 'echo hi', shell: true, arguments: [], environment } }));
    await cluster.until(() => seen.length > 0);
    const [run] = seen;
    const runs = `${workDirectory}/slaves/${agentId}/frameworks/${frameworkId}/executors/t1/runs/`;
    expect(run?.folder).to.match(new RegExp(`^${runs}[0-9a-f-]{36}$`));
    expect(run?.line).to.equal('echo hi');
    expect(run?.environment).to.include({
      MESOS_SANDBOX: run?.folder,
      MESOS_DIRECTORY: run?.folder,
      MESOS_TASK_ID: 'mine',
      MESOS_FRAMEWORK_ID: frameworkId,
      MESOS_AGENT_ID: agentId,
      MESOS_SLAVE_ID: agentId,
      MESOS_EXECUTOR_ID: 't1',
      OWN: 'x',
    });
    expect(run?.environment['PATH']).to.match(/^\/usr\//);
  });

  it('fails a task whose command exits with another status than 0', async () => {
    await using cluster = await Cluster.registered({ simulation: { script: () => ({ duration: '1s', code: 4 }) } });
    cluster.master.run(taskOf('t1', 'exit 4'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'));
    expect(cluster.master.last('t1')?.status.message).to.equal('Command exited with status 4');
  });

  it('sends what the command left in status.data with the last update', async () => {
    const data = new Uint8Array([0, 1, 254, 255]);
    await using cluster = await Cluster.registered({
      simulation: {
        script: ({ folder }) => ({ duration: '1s', finish: (files) => files.write(`${folder}/status.data`, data) }),
      },
    });
    cluster.master.run(taskOf('t1', 'count'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FINISHED'));
    expect([...(cluster.master.last('t1')?.status.data ?? [])]).to.deep.equal([...data]);
  });

  it('says so when status.data is too large, and leaves it in the sandbox', async () => {
    await using cluster = await Cluster.registered({
      simulation: {
        script: ({ folder }) => ({
          duration: '1s',
          finish: (files) => files.write(`${folder}/status.data`, new Uint8Array(4 * 1024 * 1024 + 1)),
        }),
      },
    });
    cluster.master.run(taskOf('t1', 'count'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FINISHED'));
    const status = cluster.master.last('t1')?.status;
    expect(status).to.not.have.property('data');
    expect(status?.message).to.equal(
      'Command exited with status 0; status.data was not sent: it has 4194305 bytes, more than the 4194304 allowed',
    );
  });

  it('fails a task that cannot be launched, with REASON_CONTAINER_LAUNCH_FAILED', async () => {
    await using cluster = await Cluster.registered({
      simulation: {
        script: () => {
          throw new Error('spawn E2BIG');
        },
      },
    });
    cluster.master.run(taskOf('t1', 'x'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'));
    expect(cluster.master.last('t1')?.status).to.include({
      source: 'SOURCE_AGENT',
      reason: 'REASON_CONTAINER_LAUNCH_FAILED',
      message: 'Failed to launch container: spawn E2BIG',
    });
  });

  it('fails a task whose sandbox cannot be made', async () => {
    await using cluster = await Cluster.registered();
    cluster.files.failWrites = 'ENOSPC';
    cluster.master.run(taskOf('t1', 'x'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'));
    const status = cluster.master.last('t1')?.status;
    expect(status).to.include({ source: 'SOURCE_AGENT', reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
    expect(status?.message).to.include('Failed to prepare the launch: ENOSPC');
    expect(cluster.master.states('t1')).to.deep.equal(['TASK_FAILED']);
  });

  it('forgets a task when its last update is acknowledged, and its container before that', async () => {
    await using cluster = await Cluster.registered({ prepare: (master) => (master.acknowledges = false) });
    const { master } = cluster;
    master.run(taskOf('t1', 'true'));
    await cluster.until(() => master.updates.length > 0);
    await cluster.world.advance('5s');
    const [container] = executorsOf(await cluster.state());
    expect(container).to.include({ id: 't1', source: 't1' });
    expect(cluster.runtime.processes.filter((id) => id.startsWith('executor('))).to.deep.equal([]);
    const containers = cluster.files.list(`${workDirectory}/run/containers`);
    await cluster.world.settle();
    expect(containers.get()).to.deep.equal([]);
    master.acknowledges = true;
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    await cluster.world.advance('1s');
    expect(await cluster.state()).to.deep.include({ frameworks: [] });
  });

  describe('refuses', () => {
    it('a task for another agent', async () => {
      await using cluster = await Cluster.registered();
      cluster.master.run({ ...taskOf('t1', 'true'), agentId: 'other' as typeof agentId });
      await cluster.world.advance('5s');
      expect(cluster.master.updates).to.deep.equal([]);
    });

    it('AGENT-21 a second task with the id of one it has, which runs on', async () => {
      await using cluster = await Cluster.registered({ simulation: { script: () => ({ duration: '10s' }) } });
      cluster.master.run(taskOf('t1', 'first'));
      await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
      cluster.master.run(taskOf('t1', 'second'));
      await cluster.until(() => cluster.master.states('t1').includes('TASK_FINISHED'));
      expect(cluster.master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    });

    it('ids that lead out of the work directory, with TASK_ERROR', async () => {
      await using cluster = await Cluster.registered();
      for (const id of ['../../../evil', '..', 'a/b', '']) {
        cluster.master.run(taskOf(id, 'true'));
        await cluster.until(() => cluster.master.last(id) !== undefined);
        const status = cluster.master.last(id)?.status;
        expect(status).to.include({ state: 'TASK_ERROR', reason: 'REASON_TASK_INVALID' });
        expect(status, 'nobody could acknowledge it').to.not.have.property('uuid');
      }
      expect(cluster.children.running).to.deep.equal([]);
    });
  });

  describe('kills', () => {
    it('AGENT-18 a running task: TERM, and TASK_KILLED whatever its exit status is', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      cluster.master.run(taskOf('t1', 'x'));
      await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
      cluster.master.kill('t1');
      await cluster.until(() => cluster.master.states('t1').includes('TASK_KILLED'));
      expect(cluster.master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']);
      expect(cluster.master.last('t1')?.status.message).to.equal('Command terminated with signal SIGTERM');
    });

    it('AGENT-18 with TASK_KILLING only for frameworks with that capability', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      cluster.master.run(taskOf('t1', 'x'), killingAware);
      await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
      cluster.master.kill('t1');
      await cluster.until(() => cluster.master.states('t1').includes('TASK_KILLED'));
      expect(cluster.master.states('t1').slice(1)).to.deep.equal(['TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED']);
    });

    for (const [what, own, asked, expected] of [
      ['3 s by default', undefined, undefined, 3000],
      ["the task's own", 7000, undefined, 7000],
      ["that of the kill over the task's own", 7000, 500, 500],
    ] as const) {
      it(`what ignores TERM after the grace period: ${what}`, async () => {
        await using cluster = await Cluster.registered({ simulation: { script: () => ({ stubborn: true }) } });
        const { master, world, children } = cluster;
        master.run(taskOf('t1', 'x', own === undefined ? {} : { killGracePeriod: own }));
        await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
        master.kill('t1', asked);
        await world.advance('10ms');
        await world.advance(expected - 20);
        expect(children.running, 'alive until the grace period is over').to.have.length(1);
        await world.advance('20ms');
        expect(children.running).to.deep.equal([]);
        await cluster.until(() => master.states('t1').includes('TASK_KILLED'));
        expect(master.last('t1')?.status.message).to.equal('Command terminated with signal SIGKILL');
      });
    }

    it('AGENT-06 a task whose executor has not got it yet, with REASON_TASK_KILLED_DURING_LAUNCH', async () => {
      // Both orders come in one turn, before the sandbox can be there.
      await using cluster = await Cluster.registered({ simulation: { latency: [0, 0] } });
      const { master } = cluster;
      master.run(taskOf('t1', 'x'));
      master.kill('t1');
      await cluster.until(() => master.states('t1').length > 0);
      await cluster.world.advance('10s');
      expect(master.states('t1')).to.deep.equal(['TASK_KILLED']);
      expect(master.last('t1')?.status).to.include({
        source: 'SOURCE_AGENT',
        reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
      });
    });

    for (const [info, state] of [
      [framework, 'TASK_LOST'],
      [partitionAware, 'TASK_DROPPED'],
    ] as const) {
      it(`AGENT-06 what it does not have by answering ${state}`, async () => {
        await using cluster = await Cluster.registered({ simulation: endless });
        cluster.master.run(taskOf('t1', 'x'), info);
        cluster.master.kill('unknown');
        await cluster.until(() => cluster.master.last('unknown') !== undefined);
        expect(cluster.master.last('unknown')?.status).to.include({
          state,
          source: 'SOURCE_AGENT',
          reason: 'REASON_EXECUTOR_TERMINATED',
          message: 'Cannot find executor',
        });
      });
    }
  });

  describe('when a framework is shut down', () => {
    it('kills its tasks without a word, and forgets it', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      const { master } = cluster;
      master.run(taskOf('t1', 'x'));
      await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
      await cluster.world.advance('1s');
      const told = master.updates.length;
      master.shutdownFramework();
      await cluster.until(() => cluster.children.running.length === 0);
      await cluster.world.advance('30s');
      expect(master.updates).to.have.length(told);
      expect(cluster.runtime.processes.filter((id) => id.startsWith('executor('))).to.deep.equal([]);
      const state = await cluster.state();
      expect(state['frameworks']).to.deep.equal([]);
      expect(state['completed_frameworks']).to.have.length(1);
    });

    it('takes no more of its tasks while that lasts', async () => {
      await using cluster = await Cluster.registered({ simulation: { script: () => ({ stubborn: true }) } });
      const { master } = cluster;
      master.run(taskOf('t1', 'x'));
      await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
      master.shutdownFramework();
      master.run(taskOf('t2', 'x'));
      await cluster.world.advance('1s');
      expect(cluster.children.running).to.have.length(1);
      await cluster.world.advance('10s');
      expect(cluster.children.running).to.deep.equal([]);
      expect(master.states('t2')).to.deep.equal([]);
    });
  });

  it('fails the task of an executor that crashed, and kills its container', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const { master, runtime } = cluster;
    master.run(taskOf('t1', 'x'));
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    const id = runtime.processes.find((name) => name.startsWith('executor(')) ?? '';
    runtime.cell(id)?.fail(new Error('a bug'));
    await cluster.until(() => master.states('t1').includes('TASK_FAILED'));
    expect(master.last('t1')?.status).to.include({
      source: 'SOURCE_AGENT',
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Executor terminated: a bug',
    });
    expect(cluster.children.running).to.deep.equal([]);
  });

  describe('ends', () => {
    it('AGENT-01 by shutdown: tasks are killed, it unregisters and never comes back', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      const { master } = cluster;
      master.run(taskOf('t1', 'x'));
      await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
      const ended = dispatch(cluster.agent, (agent) => agent.shutdown());
      await cluster.until(() => !ended.isPending);
      expect(ended.isReady).to.equal(true);
      expect(cluster.children.running).to.deep.equal([]);
      await cluster.world.advance('5mins');
      expect(master.unregistered).to.deep.equal([agentId]);
      expect([master.registrations.length, master.reregistrations.length]).to.deep.equal([1, 0]);
      expect(cluster.shutdowns).to.deep.equal([]);
      expect(cluster.runtime.processes).to.not.include.members(['containerizer', 'status-updates', 'files']);
    });

    it('with its node: tasks are killed, and it unregisters', async () => {
      await using cluster = await Cluster.registered({ simulation: { script: () => ({ stubborn: true }) } });
      const { master } = cluster;
      master.run(taskOf('t1', 'x'));
      await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
      const stopped = cluster.runtime.stop();
      await cluster.until(() => !stopped.isPending);
      await cluster.world.advance('1s');
      expect(cluster.children.running).to.deep.equal([]);
      expect(master.unregistered).to.deep.equal([agentId]);
      expect(master.states('t1'), 'stopping is no failure of the task').to.not.include('TASK_FAILED');
    });

    it('with its node: it says nothing about the tasks of executors that end before it', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      const { master, runtime } = cluster;
      master.run(taskOf('t1', 'x'));
      await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
      // As a stopping runtime does, which ends processes in the reverse order of their start.
      runtime.terminate(runtime.pid(runtime.processes.at(-1) ?? ''));
      await cluster.world.advance('1mins');
      expect(master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING']);
    });

    it('when the master says so: it calls onShutdown, does not unregister and never comes back', async () => {
      await using cluster = await Cluster.registered({ simulation: endless });
      const { master } = cluster;
      master.run(taskOf('t1', 'x'));
      await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
      master.shutdownAgent('Agent has been marked gone');
      await cluster.until(() => cluster.shutdowns.length > 0);
      expect(cluster.shutdowns).to.deep.equal(['Agent has been marked gone']);
      await cluster.world.advance('5mins');
      expect(cluster.children.running).to.deep.equal([]);
      expect(cluster.runtime.processes).to.not.include('agent');
      expect([master.registrations.length, master.reregistrations.length]).to.deep.equal([1, 0]);
      expect(master.unregistered).to.deep.equal([]);
    });

    it('when the master gives it another id', async () => {
      await using cluster = await Cluster.registered();
      cluster.master.register('another' as typeof agentId);
      await cluster.until(() => cluster.shutdowns.length > 0);
      expect(cluster.shutdowns[0]).to.include('under another id, another');
    });

    it('when one of its processes crashes', async () => {
      await using cluster = await Cluster.registered();
      cluster.runtime.cell('status-updates')?.fail(new Error('a bug'));
      await cluster.until(() => cluster.shutdowns.length > 0);
      expect(cluster.shutdowns[0]).to.match(/status-updates.* crashed: a bug/);
    });
  });

  it('AGENT-14e kills what an agent that crashed left running of frameworks that do not checkpoint', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    cluster.master.run(taskOf('t1', 'x'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
    cluster.world.crash('agent-1');
    await cluster.world.advance('1mins');
    expect(cluster.children.running, 'kill -9 of the agent ends no task').to.have.length(1);
    await cluster.restart();
    expect(cluster.children.running).to.deep.equal([]);
  });

  it('AGENT-13 tells its state with the keys of Mesos', async () => {
    await using cluster = await Cluster.registered({ simulation: endless, attributes: { rack: 'r1' } });
    const { master } = cluster;
    expect((await cluster.get('/agent/health')).status).to.equal(200);
    master.run(taskOf('t1', 'sleep 1000 and more'));
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    const state = await cluster.state();
    expect(state).to.deep.include({
      id: agentId,
      pid: 'agent@agent-1',
      hostname: 'agent-1',
      attributes: { rack: 'r1' },
      master_hostname: 'master',
      resources: { cpus: 4, mem: 1024, disk: 0, gpus: 0, ports: '[31000-32000]' },
      used_resources: { cpus: 1, mem: 0, disk: 0, gpus: 0 },
    });
    const [executor] = executorsOf(state);
    expect(executor).to.include({ name: "Command Executor (Task: t1) (Command: sh -c 'sleep...)" });
    expect(executor?.['tasks']).to.have.nested.property('[0].state', 'TASK_RUNNING');
    expect((await cluster.get('/state')).body).to.include(agentId);
  });
});

function executorsOf(state: Record<string, unknown>): Record<string, unknown>[] {
  const frameworks = state['frameworks'] as { executors: Record<string, unknown>[] }[];
  return frameworks.flatMap(({ executors }) => executors);
}
