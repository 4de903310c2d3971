import { dispatch, Process } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import {
  AgentID,
  type AgentOperation,
  FrameworkID,
  OperationUUID,
  type OperationStatus,
  type Resource,
  Resources,
  UpdateUUID,
} from '@mezzo/protocol';
import { expect } from 'chai';
import { CheckpointReader } from '../../src/recovery/checkpoint-reader.ts';
import { RecoveryError } from '../../src/recovery/recovery-error.ts';
import { AgentResources, OperationUpdateDue, ResourcesChanged } from '../../src/resources/agent-resources.ts';
import { readResources } from '../../src/resources/resources-checkpoint.ts';
import { WorkDirectory } from '../../src/work-directory.ts';

const folders = new WorkDirectory('/work');
const agentId = AgentID('a1');
const frameworkId = FrameworkID('f1');
const reservations = [{ type: 'DYNAMIC' as const, role: 'eng/web' }];
const volumeFolder = '/work/volumes/roles/eng web/v1';

const reserved: Resource = { name: 'disk', type: 'SCALAR', scalar: 100, reservations };
const volume: Resource = {
  ...reserved,
  disk: { persistence: { id: 'v1' }, volume: { containerPath: 'data', mode: 'RW' } },
};
const reserve: AgentOperation = { type: 'RESERVE', id: 'op', resources: [reserved] };
const create: AgentOperation = { type: 'CREATE', volumes: [volume] };
const destroy: AgentOperation = { type: 'DESTROY', volumes: [volume] };

function operationUuid(number: number): OperationUUID {
  return OperationUUID(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);
}

class Receiver extends Process {
  readonly due: { readonly at: number; readonly number: number; readonly status: OperationStatus }[] = [];
  total = Resources.empty;
  operations: readonly string[] = [];

  protected override initialize(): void {
    this.install(OperationUpdateDue, ({ update: { operationUuid: uuid, status } }) => {
      this.due.push({ at: this.clock.now(), number: Number(uuid.slice(-12)), status });
    });
    this.install(ResourcesChanged, ({ total, operations }) => {
      this.total = total;
      this.operations = operations.map(({ operationUuid: uuid }) => uuid);
    });
  }
}

async function begin(world: Simulation, text = 'cpus:4;disk:1000') {
  const runtime = await world.start('agent-1');
  const receiver = new Receiver('receiver');
  const manager = runtime.spawn(new AgentResources(runtime.spawn(receiver), folders, Resources.parse(text)));
  const recovered = readResources(new CheckpointReader(runtime.files, false), folders).andThen((state) =>
    dispatch(manager, (p) => p.recover(state)),
  );
  await world.settle();
  const apply = async (number: number, operation: AgentOperation) => {
    const applied = dispatch(manager, (p) =>
      p.apply(agentId, { frameworkId, operationUuid: operationUuid(number), operation }),
    );
    await world.settle();
    return { applied };
  };
  const resume = () => dispatch(manager, (p) => p.resume());
  const total = async () => {
    const asked = dispatch(manager, (p) => p.total);
    await world.settle();
    return asked.get();
  };
  const { files } = world.machine('agent-1');
  return { runtime, manager, receiver, recovered, apply, resume, total, files, disk: files.disk };
}

const states = ({ due }: Receiver) => due.map(({ number, status }) => [number, status.state]);

describe('the resources of an agent', () => {
  it('PV-01 RESV-04 survive a restart: reservations and volumes, with the folders of volumes', async () => {
    await using world = new Simulation();
    const before = await begin(world);
    await before.apply(1, reserve);
    const { applied } = await before.apply(2, create);
    expect(applied.isReady).to.equal(true);
    expect(before.files.disk.stat(volumeFolder)?.directory).to.equal(true);
    const expected = Resources.of([...Resources.parse('cpus:4;disk:900'), volume]);
    expect((await before.total()).equals(expected)).to.equal(true);
    expect(before.receiver.total.equals(expected), 'the agent is told').to.equal(true);
    before.files.write(`${volumeFolder}/kept`, 'x');
    await world.advance('1mins');
    world.losePower('agent-1');
    const after = await begin(world);
    expect(after.recovered.isReady).to.equal(true);
    expect((await after.total()).equals(expected)).to.equal(true);
    expect(after.receiver.total.equals(expected), 'the agent is told').to.equal(true);
    expect(after.files.peek(`${volumeFolder}/kept`)).to.equal('x');
    await after.apply(3, destroy);
    expect(after.files.disk.stat(volumeFolder)).to.equal(undefined);
    expect((await after.total()).equals(Resources.of([...Resources.parse('cpus:4;disk:900'), reserved]))).to.equal(
      true,
    );
  });

  it('finish at the next start what was begun when the agent was killed, at whatever moment', async () => {
    let interrupted = 0;
    for (let at = 0; at < 60; at += 2) {
      await using world = new Simulation({ seed: at });
      const before = await begin(world);
      await before.apply(1, reserve);
      await before.apply(2, create);
      const oldState = await before.total();
      before.files.write(`${volumeFolder}/secret`, 'x');
      before.disk.latency = [10, 10];
      const { applied } = await before.apply(3, destroy);
      await world.advance(`${at}ms`);
      if (applied.isPending) interrupted++;
      world.crash('agent-1');
      before.disk.latency = [0, 0];
      const after = await begin(world);
      expect(after.recovered.isReady).to.equal(true);
      const isOld = (await after.total()).equals(oldState);
      expect(after.files.peek(`${volumeFolder}/secret`), `killed after ${at} ms`).to.equal(isOld ? 'x' : undefined);
      expect(after.files.disk.stat(volumeFolder) !== undefined, `folder after ${at} ms`).to.equal(isOld);
      expect(after.files.peek(folders.resourcesTarget)).to.equal(undefined);
      if (applied.isReady) expect(isOld).to.equal(false);
    }
    expect(interrupted).to.be.greaterThan(5).and.lessThan(30);
  });

  it('tell how an operation ended until that is acknowledged, after 10 s, doubling up to 10 min', async () => {
    await using world = new Simulation();
    const { receiver, apply, resume, manager } = await begin(world);
    await apply(1, reserve);
    await world.advance('1hrs');
    expect(receiver.due, 'paused in the beginning').to.deep.equal([]);
    void resume();
    await world.advance('1hrs');
    const times = receiver.due.map(({ at }) => at);
    const seconds = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1000);
    expect(seconds.slice(0, 8)).to.deep.equal([10, 20, 40, 80, 160, 320, 600, 600]);
    const { uuid, ...status } = receiver.due[0]?.status ?? { uuid: undefined };
    expect(status).to.deep.equal({
      state: 'OPERATION_FINISHED',
      operationId: 'op',
      agentId,
      convertedResources: [reserved],
    });
    if (uuid === undefined) throw new Error('It has no uuid');
    const acknowledge = async (given: UpdateUUID) => {
      const outcome = dispatch(manager, (p) => p.acknowledge(operationUuid(1), given));
      await world.settle();
      return outcome.get();
    };
    expect(await acknowledge(UpdateUUID('00000000-0000-4000-8000-00000000ffff'))).to.equal(false);
    expect(receiver.operations).to.deep.equal([operationUuid(1)]);
    expect(await acknowledge(uuid)).to.equal(true);
    expect(await acknowledge(uuid), 'again').to.equal(false);
    expect(receiver.operations).to.deep.equal([]);
    const told = receiver.due.length;
    await world.advance('1hrs');
    expect(receiver.due).to.have.length(told);
  });

  it('tell after a restart too, but not what was acknowledged', async () => {
    await using world = new Simulation();
    const before = await begin(world);
    void before.resume();
    await before.apply(1, reserve);
    await before.apply(2, create);
    const uuid = before.receiver.due[0]?.status.uuid;
    if (uuid === undefined) throw new Error('It has no uuid');
    void dispatch(before.manager, (p) => p.acknowledge(operationUuid(1), uuid));
    await world.settle();
    world.crash('agent-1');
    const { receiver, resume } = await begin(world);
    await world.advance('1mins');
    expect(receiver.due).to.deep.equal([]);
    void resume();
    await world.advance('11s');
    expect(receiver.due.map(({ number, status }) => [number, status.uuid])).to.deep.equal(
      [0, 1].map(() => [2, before.receiver.due[1]?.status.uuid]),
    );
  });

  it('say OPERATION_ERROR to what they do not admit, and stay as they are', async () => {
    await using world = new Simulation();
    const { receiver, apply, resume, total } = await begin(world, 'cpus:4;disk:1000;mem(eng):5');
    void resume();
    const tooMuch: AgentOperation = { type: 'RESERVE', id: 'x', resources: [{ ...reserved, scalar: 5000 }] };
    const escaping = { ...reserved, disk: { persistence: { id: '../../etc' } } };
    await apply(1, tooMuch);
    await apply(2, destroy);
    await apply(3, reserve);
    await apply(4, { type: 'CREATE', volumes: [escaping] });
    await apply(5, { type: 'UNRESERVE', resources: [reserved] });
    const memory = { name: 'mem', type: 'SCALAR' as const, scalar: 5 };
    const fixed: Resource = { ...memory, reservations: [{ type: 'STATIC', role: 'eng' }] };
    // A restart would not find what it was made of.
    await apply(6, { type: 'RESERVE', source: [fixed], resources: [{ ...memory, reservations }] });
    expect(states(receiver)).to.deep.equal([
      [1, 'OPERATION_ERROR'],
      [2, 'OPERATION_ERROR'],
      [3, 'OPERATION_FINISHED'],
      [4, 'OPERATION_ERROR'],
      [5, 'OPERATION_FINISHED'],
      [6, 'OPERATION_ERROR'],
    ]);
    expect(receiver.due[0]?.status).to.deep.include({ operationId: 'x' });
    expect(receiver.due[0]?.status.message).to.include('is missing');
    expect(receiver.due[3]?.status.message).to.include('it contains "/"');
    expect((await total()).equals(Resources.parse('cpus:4;disk:1000;mem(eng):5'))).to.equal(true);
  });

  it('take an operation once, and resources that are allocated for what they are', async () => {
    await using world = new Simulation();
    const { receiver, apply, resume, total } = await begin(world);
    void resume();
    const allocated: AgentOperation = { ...reserve, resources: [{ ...reserved, allocationRole: 'eng/web' }] };
    await apply(1, allocated);
    const { applied } = await apply(1, allocated);
    expect(applied.isReady).to.equal(true);
    expect(states(receiver)).to.deep.equal([[1, 'OPERATION_FINISHED']]);
    expect((await total()).equals(Resources.of([...Resources.parse('cpus:4;disk:900'), reserved]))).to.equal(true);
  });

  it('answer OPERATION_DROPPED for operations that they do not know, once and without a uuid', async () => {
    await using world = new Simulation();
    const { receiver, apply, manager } = await begin(world);
    await apply(1, reserve);
    const asked = [1, 2].map((number) => ({ operationUuid: operationUuid(number), frameworkId }));
    void dispatch(manager, (p) => p.reconcile(agentId, asked));
    await world.advance('1hrs');
    expect(states(receiver)).to.deep.equal([[2, 'OPERATION_DROPPED']]);
    expect(receiver.due[0]?.status).to.not.have.property('uuid');
  });

  it('wait for a disk that is full, count at once, and tell only what is stored', async () => {
    await using world = new Simulation();
    const { receiver, apply, resume, total, files, disk, manager } = await begin(world);
    void resume();
    files.failWrites = 'ENOSPC';
    disk.latency = [5, 5];
    const applied = [(await apply(1, reserve)).applied, (await apply(2, create)).applied];
    const mounts = dispatch(manager, (p) => p.volumesOf(Resources.of([volume])));
    await world.advance('25s');
    void resume();
    await world.settle();
    expect(receiver.due).to.deep.equal([]);
    expect([...applied, mounts].every(({ isPending }) => isPending)).to.equal(true);
    expect((await total()).contains(Resources.of([volume]))).to.equal(true);
    files.failWrites = undefined;
    await world.advance('6s');
    expect(states(receiver)).to.deep.equal([
      [1, 'OPERATION_FINISHED'],
      [2, 'OPERATION_FINISHED'],
    ]);
    expect(applied.every(({ isReady }) => isReady)).to.equal(true);
    expect(mounts.get()).to.deep.equal([{ hostPath: volumeFolder, containerPath: 'data', mode: 'RW' }]);
  });

  it('PV-03 tell where tasks find their volumes, and which they do not know', async () => {
    await using world = new Simulation();
    const { apply, manager } = await begin(world);
    await apply(1, reserve);
    await apply(2, create);
    const ask = async (resources: Resources) => {
      const asked = dispatch(manager, (p) => p.volumesOf(resources));
      await world.settle();
      return { asked };
    };
    const { asked } = await ask(Resources.of([volume]).allocate('eng/web').plus(Resources.parse('cpus:1')));
    expect(asked.get()).to.deep.equal([{ hostPath: volumeFolder, containerPath: 'data', mode: 'RW' }]);
    const other: Resource = { ...volume, disk: { persistence: { id: 'v2' } } };
    expect(String((await ask(Resources.of([other]))).asked.failure())).to.include('The agent has no');
    expect((await ask(Resources.parse('cpus:1'))).asked.get()).to.deep.equal([]);
  });

  it('PV-05 RESV-04 refuse a start without what was reserved, with advice, and take one with more', async () => {
    await using world = new Simulation();
    const before = await begin(world);
    await before.apply(1, reserve);
    await before.apply(2, create);
    const content = before.files.peek(folders.resources);
    world.crash('agent-1');
    const refused = await begin(world, 'cpus:4;disk:50');
    const error = refused.recovered.failure();
    if (!(error instanceof RecoveryError)) throw error;
    expect(error.code).to.equal('RESOURCES_INCOMPATIBLE');
    expect(error.message).to.include('start it with the resources it had').and.to.include(folders.resources);
    expect(refused.files.peek(folders.resources)).to.equal(content);
    expect(refused.files.disk.stat(volumeFolder)?.directory).to.equal(true);
    world.crash('agent-1');
    const more = await begin(world, 'cpus:8;disk:2000');
    expect((await more.total()).equals(Resources.of([...Resources.parse('cpus:8;disk:1900'), volume]))).to.equal(true);
  });

  it('keep volumes of PATH disks below their root, and of MOUNT disks in the root, which stays', async () => {
    await using world = new Simulation();
    const on = (type: 'PATH' | 'MOUNT', root: string): Resource => ({
      ...volume,
      disk: { ...volume.disk, source: { type, root } },
    });
    const disks = [on('PATH', 'disks/1'), on('PATH', '/disks/2/'), on('MOUNT', '/mnt')];
    const plain = disks.map(({ disk: info, ...rest }) => ({ ...rest, disk: { source: info?.source } })) as Resource[];
    const given = plain.map((resource) => ({ ...resource, reservations: [] }));
    const runtime = await world.start('agent-1');
    const manager = runtime.spawn(
      new AgentResources(runtime.spawn(new Receiver('receiver')), folders, Resources.of(given)),
    );
    const { disk } = world.machine('agent-1');
    const run = async (number: number, operation: AgentOperation) => {
      const applied = dispatch(manager, (p) => p.apply(agentId, { operationUuid: operationUuid(number), operation }));
      await world.settle();
      expect(applied.isReady).to.equal(true);
    };
    await run(1, { type: 'RESERVE', resources: plain });
    await run(2, { type: 'CREATE', volumes: disks });
    const paths = ['/work/disks/1/volumes/roles/eng web/v1', '/disks/2/volumes/roles/eng web/v1', '/mnt'];
    for (const path of paths) expect(disk.stat(path)?.directory, path).to.equal(true);
    for (const path of paths) disk.replace(`${path}/file`, new Uint8Array(1), 0, true);
    await run(3, { type: 'DESTROY', volumes: disks });
    expect(paths.map((path) => disk.stat(path) !== undefined)).to.deep.equal([false, false, true]);
    expect(disk.list('/mnt')).to.deep.equal([]);
  });
});
