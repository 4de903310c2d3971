import { Simulation } from '@mezzo/process/testing';
import {
  AgentID,
  type AgentInfo,
  ContainerID,
  ExecutorID,
  type ExecutorInfo,
  FrameworkID,
  type FrameworkInfo,
  parseAgentResources,
  type StatusUpdate,
  TaskID,
  type TaskInfo,
  UpdateUUID,
} from '@mezzo/protocol';
import { expect } from 'chai';
import { Checkpoint } from '../../src/recovery/checkpoint.ts';
import { encodeCheckpoint } from '../../src/recovery/checkpoint-format.ts';
import { recoverState, type RecoveryOptions } from '../../src/recovery/recover-state.ts';
import { latestRuns, type RecoveredState } from '../../src/recovery/recovered-state.ts';
import { RecoveryError } from '../../src/recovery/recovery-error.ts';
import { encodeUpdateRecord } from '../../src/status-updates/update-record.ts';
import { WorkDirectory } from '../../src/work-directory.ts';

const agentId = AgentID('a1');
const frameworkId = FrameworkID('f1');
const executorId = ExecutorID('e1');
const run = { agentId, frameworkId, executorId, containerId: ContainerID('c1') };
const folders = new WorkDirectory('/work');
const resources = parseAgentResources('cpus:4;mem:1024');
const agent: AgentInfo = { hostname: 'h1', resources, attributes: { rack: 'r1' }, url: '' };
const framework: FrameworkInfo = {
  name: 'n',
  roles: ['*'],
  failoverTimeout: 5,
  checkpoint: true,
  capabilities: ['PARTITION_AWARE'],
};
const executor: ExecutorInfo = { executorId, type: 'CUSTOM', resources, data: new Uint8Array([0, 255]) };

function taskOf(id: string): TaskInfo {
  return { taskId: TaskID(id), name: 't', agentId, resources, limits: { mem: 4096 } };
}

function updateOf(id: string): StatusUpdate {
  const uuid = UpdateUUID('00000000-0000-4000-8000-000000000001');
  const status = {
    taskId: TaskID(id),
    state: 'TASK_RUNNING' as const,
    source: 'SOURCE_EXECUTOR' as const,
    timestamp: 1,
    uuid,
  };
  return { frameworkId, agentId, status, latestState: 'TASK_RUNNING' };
}

/** A machine whose agent checkpointed two tasks of one executor, one with an update. */
async function filled(world: Simulation) {
  const { files } = await world.start('agent-1');
  const machine = world.machine('agent-1');
  const checkpoint = new Checkpoint(files, folders);
  const written = [
    checkpoint.agent(agentId, agent, 'c'),
    checkpoint.framework(agentId, frameworkId, framework),
    checkpoint.executor(run, executor, false),
    checkpoint.run(run),
    checkpoint.task(run, taskOf('t1')),
    checkpoint.task(run, taskOf('t2')),
    files.append(
      folders.taskUpdates(run, TaskID('t1')),
      encodeUpdateRecord({ type: 'UPDATE', update: updateOf('t1') }),
    ),
    checkpoint.bootId('boot-1'),
  ];
  await world.settle();
  expect(written.every(({ isReady }) => isReady)).to.equal(true);
  const recover = async (options: Partial<RecoveryOptions> = {}): Promise<RecoveredState> => {
    const recovered = recoverState(machine.files, folders, { cluster: 'c', ...options });
    await world.settle();
    return recovered.get();
  };
  const refuse = async (options: Partial<RecoveryOptions> = {}): Promise<RecoveryError> => {
    const recovered = recoverState(machine.files, folders, { cluster: 'c', ...options });
    await world.settle();
    if (recovered.isFailed) {
      const error = recovered.failure();
      if (error instanceof RecoveryError) return error;
    }
    throw new Error('Expected a RecoveryError');
  };
  return { checkpoint, recover, refuse, files: machine.files, disk: machine.disk };
}

const tasksOf = (state: RecoveredState) => latestRuns(state.agent).flatMap(({ tasks }) => tasks.map(({ id }) => id));

describe('the checkpoints of an agent', () => {
  it('AGENT-14 tell all that was written, also after a loss of power', async () => {
    await using world = new Simulation();
    const { checkpoint, recover } = await filled(world);
    void checkpoint.drain(agentId, { markGone: true, maxGracePeriod: 5 });
    void checkpoint.term({ created: 3, revision: 4 });
    void checkpoint.executorAddress(run, 'executor@node#1');
    await world.advance('1mins');
    world.losePower('agent-1');
    const state = await recover();
    expect(state).to.deep.include({
      bootId: 'boot-1',
      term: { created: 3, revision: 4 },
      faults: [],
      resources: undefined,
    });
    expect(state.agent).to.deep.include({
      id: agentId,
      info: { ...agent, id: agentId },
      drainConfig: { markGone: true, maxGracePeriod: 5 },
    });
    const [recovered] = state.agent?.frameworks ?? [];
    expect(recovered).to.deep.include({ id: frameworkId, info: { ...framework, id: frameworkId } });
    const [one] = recovered?.executors ?? [];
    expect(one).to.deep.include({ id: executorId, info: executor, isGenerated: false });
    expect(one?.latest).to.deep.include({ run, endedAt: undefined, address: 'executor@node#1' });
    expect(one?.latest?.tasks.map(({ info }) => info)).to.deep.equal([taskOf('t1'), taskOf('t2')]);
    expect(one?.latest?.tasks.map(({ updates }) => updates.updates)).to.deep.equal([[updateOf('t1')], []]);
  });

  it('are none in a new work directory', async () => {
    await using world = new Simulation();
    const { files } = await world.start('agent-1');
    const recovered = recoverState(files, folders, { cluster: 'c', strict: true });
    await world.settle();
    expect(recovered.get()).to.deep.equal({
      bootId: undefined,
      term: undefined,
      agent: undefined,
      resources: undefined,
      faults: [],
    });
  });

  it('are written in the order of the calls, and forgotten when that is asked', async () => {
    await using world = new Simulation();
    const { checkpoint, recover, disk } = await filled(world);
    disk.latency = [1, 1000];
    for (let index = 0; index < 20; index++) void checkpoint.drain(agentId, { markGone: false, maxGracePeriod: index });
    await world.advance('1mins');
    disk.latency = [0, 0];
    expect((await recover()).agent?.drainConfig).to.deep.equal({ markGone: false, maxGracePeriod: 19 });
    void checkpoint.drain(agentId, undefined);
    void checkpoint.ended(run, 77);
    await world.settle();
    const state = await recover();
    expect(state.agent?.drainConfig).to.equal(undefined);
    expect(state.agent?.frameworks[0]?.executors[0]?.runs.map(({ endedAt }) => endedAt)).to.deep.equal([77]);
    void checkpoint.forgetAgent();
    await world.settle();
    expect((await recover()).agent).to.equal(undefined);
  });

  it('go on after a write that failed', async () => {
    await using world = new Simulation();
    const { checkpoint, recover, files, disk } = await filled(world);
    files.failWrites = 'ENOSPC';
    disk.latency = [10, 10];
    const failed = checkpoint.drain(agentId, { markGone: false });
    const next = checkpoint.drain(agentId, { markGone: true });
    await world.advance('15ms');
    expect(String(failed.failure())).to.include('ENOSPC');
    files.failWrites = undefined;
    await world.advance('5ms');
    expect(next.isReady).to.equal(true);
    disk.latency = [0, 0];
    expect((await recover()).agent?.drainConfig).to.deep.equal({ markGone: true });
  });

  it('that are corrupt are moved aside and named, and the rest is recovered', async () => {
    await using world = new Simulation();
    const { recover, files } = await filled(world);
    const path = folders.taskInfo(run, TaskID('t1'));
    for (const [index, content] of [
      '{"torn',
      encodeCheckpoint({ taskId: 't1' }),
      encodeCheckpoint(taskOf('t9')),
    ].entries()) {
      files.write(path, content);
      const state = await recover();
      const movedTo = `${path}.corrupt-${index + 1}`;
      expect(tasksOf(state)).to.deep.equal([TaskID('t2')]);
      expect(state.faults).to.have.length(1);
      expect(state.faults[0]).to.deep.include({ path, movedTo });
      expect(files.peek(movedTo)).to.equal(content);
      expect(files.peek(path)).to.equal(undefined);
      expect((await recover()).faults, 'told once').to.deep.equal([]);
    }
  });

  it('that are corrupt make a strict recovery fail, which touches nothing', async () => {
    await using world = new Simulation();
    const { refuse, files } = await filled(world);
    const path = folders.taskInfo(run, TaskID('t1'));
    files.write(path, '{"torn');
    const error = await refuse({ strict: true });
    expect(error.code).to.equal('CHECKPOINT_CORRUPT');
    expect(error.message).to.include(path).and.to.include('without strict');
    expect(files.peek(path)).to.equal('{"torn');
  });

  it('of each kind may be corrupt but that of the agent itself and its resources', async () => {
    const kinds = {
      framework: folders.frameworkInfo(agentId, frameworkId),
      executor: folders.executorInfo(agentId, frameworkId, executorId),
      sentinel: folders.executorSentinel(run),
      latest: folders.latestRun(agentId, frameworkId, executorId),
      drain: folders.drainConfig(agentId),
      term: folders.term,
      address: folders.executorAddress(run),
    };
    for (const [kind, path] of Object.entries(kinds)) {
      await using world = new Simulation();
      const { recover, files } = await filled(world);
      files.write(path, '\0\0\0');
      const { faults, agent: recovered } = await recover();
      expect(
        faults.map((fault) => fault.path),
        kind,
      ).to.deep.equal([path]);
      expect(recovered?.id, kind).to.equal(agentId);
    }
    const vital = [folders.latestAgent, folders.agentInfo(agentId), folders.resources, folders.resourcesTarget];
    for (const path of vital) {
      await using world = new Simulation();
      const { refuse, files } = await filled(world);
      files.write(path, '\0\0\0');
      const error = await refuse();
      expect(error.code, path).to.equal('CHECKPOINT_CORRUPT');
      expect(error.message)
        .to.include(`'${path}' is corrupt`)
        .and.to.match(/remove '/);
      expect(files.peek(path), 'left as it is').to.equal('\0\0\0');
    }
  });

  it('are recovered when a full disk keeps no copy of what is corrupt', async () => {
    await using world = new Simulation();
    const { recover, files } = await filled(world);
    const path = folders.taskInfo(run, TaskID('t1'));
    files.write(path, '{"torn');
    files.failWrites = 'ENOSPC';
    const { faults } = await recover();
    expect(faults).to.have.length(1);
    expect(faults[0]?.message).to.include('ENOSPC');
    expect(files.peek(path)).to.equal('{"torn');
  });

  it('of a newer version are refused, strict or not, and left alone', async () => {
    for (const path of [folders.taskInfo(run, TaskID('t1')), folders.agentInfo(agentId), folders.resources]) {
      await using world = new Simulation();
      const { refuse, files } = await filled(world);
      const content = encodeCheckpoint({}).replace('"version":1', '"version":7');
      files.write(path, content);
      const error = await refuse();
      expect(error.code).to.equal('CHECKPOINT_NEWER');
      expect(error.message).to.include(path).and.to.include('version 7');
      expect(files.peek(path)).to.equal(content);
    }
  });

  it('of an agent of another cluster are refused', async () => {
    await using world = new Simulation();
    const { refuse } = await filled(world);
    const error = await refuse({ cluster: 'other' });
    expect(error.code).to.equal('OTHER_CLUSTER');
    expect(error.message)
      .to.include('an agent id from another cluster')
      .and.to.include("'c'")
      .and.to.include("'other'");
  });

  it('AGENT-14c tolerate a latest run that is gone, missing or corrupt', async () => {
    await using world = new Simulation();
    const { recover, files, checkpoint } = await filled(world);
    const path = folders.latestRun(agentId, frameworkId, executorId);
    files.write(path, encodeCheckpoint({ containerId: 'gone' }));
    expect(tasksOf(await recover()), 'the one that has not ended').to.have.length(2);
    void checkpoint.ended(run, 5);
    await world.settle();
    const { agent: recovered, faults } = await recover();
    expect(recovered?.frameworks[0]?.executors[0]).to.deep.include({ latest: undefined });
    expect(faults).to.deep.equal([]);
  });

  it('leave out what was just begun, and what is none of ours', async () => {
    await using world = new Simulation();
    const { recover, files } = await filled(world);
    files.disk.createFolder(`${folders.checkpointsOfRun(run)}/tasks/t3`);
    files.disk.createFolder(folders.checkpointsOf(agentId, FrameworkID('f2')));
    files.write(`${folders.frameworks(agentId)}/stray.tmp`, 'x');
    const state = await recover({ strict: true });
    expect(tasksOf(state)).to.deep.equal([TaskID('t1'), TaskID('t2')]);
    expect(state.agent?.frameworks).to.have.length(1);
  });

  it('keep a copy of updates with lines that cannot be read, and write the file anew without them', async () => {
    await using world = new Simulation();
    const { recover, files } = await filled(world);
    const path = folders.taskUpdates(run, TaskID('t1'));
    const good = encodeUpdateRecord({ type: 'UPDATE', update: updateOf('t1') });
    const bad = `{"type":"UPD\n${good}{"torn`;
    files.write(path, bad);
    const { faults, agent: recovered } = await recover();
    expect(faults).to.deep.equal([{ path, message: 'line 1 cannot be read', movedTo: `${path}.corrupt-1` }]);
    expect(latestRuns(recovered)[0]?.tasks[0]?.updates).to.deep.include({ updates: [updateOf('t1')], isTorn: false });
    expect(files.peek(path)).to.equal(good);
    expect(files.peek(`${path}.corrupt-1`)).to.equal(bad);
  });
});
