import {
  agentMessages,
  type AgentOperation,
  OperationUUID,
  type OperationStatus,
  type Resource,
  type TaskInfo,
} from '@mezzo/protocol';
import { withExitRecords } from '@mezzo/agent/testing';
import type { BodyOf, Command } from '@mezzo/process';
import { expect } from 'chai';
import { Cluster } from '../cluster.ts';
import { customExecutor, defaultExecutor, FakeMaster, framework, frameworkId, taskOf } from '../fake-master.ts';

const { AcknowledgeOperationStatus, ApplyOperation, ReconcileOperations, UpdateAgent, UpdateOperationStatus } =
  agentMessages;

const durable = { ...framework, checkpoint: true, capabilities: ['PARTITION_AWARE'] };
const resources = 'cpus:4;mem:1024;disk:1000';
const reserved: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: 100,
  reservations: [{ type: 'DYNAMIC', role: 'eng' }],
};
const volume: Resource = {
  ...reserved,
  disk: { persistence: { id: 'v1' }, volume: { containerPath: 'data', mode: 'RW' } },
};
const reserve: AgentOperation = { type: 'RESERVE', id: 'op', resources: [reserved] };
const create: AgentOperation = { type: 'CREATE', volumes: [volume] };

const uuid = (number: number): OperationUUID =>
  OperationUUID(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);

/** A master that also decides operations. */
class OperatingMaster extends FakeMaster {
  readonly statuses: { readonly number: number; readonly status: OperationStatus }[] = [];
  readonly told: BodyOf<typeof UpdateAgent>[] = [];
  acknowledgesOperations = true;

  protected override initialize(): void {
    super.initialize();
    this.install(UpdateAgent, (body) => void this.told.push(body));
    this.install(UpdateOperationStatus, ({ operationUuid, status }, from) => {
      this.statuses.push({ number: Number(operationUuid.slice(-12)), status });
      if (this.acknowledgesOperations && status.uuid !== undefined)
        this.send(from, AcknowledgeOperationStatus, { term: this.term, operationUuid, uuid: status.uuid });
    });
  }

  apply(number: number, operation: AgentOperation): void {
    const body = { term: this.term, frameworkId, operationUuid: uuid(number), operation };
    if (this.agent !== undefined) this.send(this.agent, ApplyOperation, body);
  }

  reconcileOperations(...numbers: number[]): void {
    const operations = numbers.map((number) => ({ operationUuid: uuid(number), frameworkId }));
    if (this.agent !== undefined) this.send(this.agent, ReconcileOperations, { term: this.term, operations });
  }

  get outcomes(): unknown {
    return this.statuses.map(({ number, status }) => [number, status.state]);
  }
}

async function start() {
  const commands: Command[] = [];
  const script = withExitRecords((command) => {
    commands.push(command);
    return {};
  });
  const master = new OperatingMaster();
  const cluster = await Cluster.registered({ resources, simulation: { script }, master });
  return { cluster, master, commands };
}

const onVolume = (id: string, more: Partial<TaskInfo> = {}): TaskInfo =>
  taskOf(id, 'x', { resources: [{ ...volume, allocationRole: 'eng' }], ...more });

describe('operations on the resources of an agent', () => {
  it('RESV-04 PV-01 are carried out, told until acknowledged, and there again after a restart', async () => {
    const { cluster, master } = await start();
    await using _ = cluster;
    master.apply(1, reserve);
    master.apply(2, create);
    await cluster.until(() => master.statuses.length === 2);
    expect(master.outcomes).to.deep.equal([
      [1, 'OPERATION_FINISHED'],
      [2, 'OPERATION_FINISHED'],
    ]);
    expect((await cluster.state())['reserved_resources']).to.deep.equal({
      eng: { cpus: 0, mem: 0, disk: 100, gpus: 0 },
    });
    await cluster.world.advance('1mins');
    cluster.world.losePower('agent-1');
    await cluster.comeBack();
    expect(master.reregistrations[0]?.checkpointedResources).to.deep.equal([volume]);
    expect(master.reregistrations[0]?.agent.resources.find(({ name }) => name === 'disk')).to.include({ scalar: 1000 });
    expect(cluster.files.disk.stat('/work-dir/volumes/roles/eng/v1')?.directory).to.equal(true);
    expect(master.statuses).to.have.length(2);
  });

  it('are told after every registration, and their end again until it is acknowledged', async () => {
    const { cluster, master } = await start();
    await using _ = cluster;
    master.acknowledgesOperations = false;
    master.apply(1, reserve);
    await cluster.until(() => master.statuses.length === 1);
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.world.advance('1s');
    await cluster.comeBack();
    expect(master.told.at(-1)?.operations.map(({ operationUuid }) => operationUuid)).to.deep.equal([uuid(1)]);
    await cluster.until(() => master.statuses.length > 1);
    master.acknowledgesOperations = true;
    await cluster.world.advance('11s');
    const told = master.statuses.length;
    await cluster.world.advance('20mins');
    expect(master.statuses).to.have.length(told);
  });

  it('that the agent does not know are dropped when the master asks', async () => {
    const { cluster, master } = await start();
    await using _ = cluster;
    master.reconcileOperations(7);
    await cluster.until(() => master.statuses.length > 0);
    expect(master.outcomes).to.deep.equal([[7, 'OPERATION_DROPPED']]);
  });

  it('that do not go with what there is change nothing', async () => {
    const { cluster, master } = await start();
    await using _ = cluster;
    master.apply(1, create);
    await cluster.until(() => master.statuses.length > 0);
    expect(master.outcomes).to.deep.equal([[1, 'OPERATION_ERROR']]);
    expect((await cluster.state())['reserved_resources']).to.deep.equal({});
  });

  it('of a master that does not lead are ignored', async () => {
    const { cluster, master } = await start();
    await using _ = cluster;
    const agent = master.agent;
    const body = { term: { created: 0, revision: 0 }, frameworkId, operationUuid: uuid(1), operation: reserve };
    if (agent !== undefined) cluster.masterRuntime.send(agent, ApplyOperation, body);
    await cluster.world.advance('1s');
    expect(master.statuses).to.deep.equal([]);
  });

  it('PV-03 give volumes to tasks: a link in the sandbox of a command, of a member of a group, of an executor', async () => {
    const { cluster, master, commands } = await start();
    await using _ = cluster;
    master.apply(1, reserve);
    master.apply(2, create);
    master.run(onVolume('t1'), durable);
    master.runGroup(defaultExecutor('e1'), [onVolume('t2')], true, durable);
    master.runIn(
      customExecutor('e2', { resources: [{ ...volume, allocationRole: 'eng' }] }),
      taskOf('t3', '', { resources: [] }),
      true,
      durable,
    );
    await cluster.until(() => commands.length === 3);
    for (const { arguments: given } of commands)
      expect(given.join(' ')).to.include('./data /work-dir/volumes/roles/eng/v1 --');
  });

  it('AGENT-11 tasks that name what the agent has not are dropped, and never begin', async () => {
    const { cluster, master, commands } = await start();
    await using _ = cluster;
    master.run(onVolume('t1'), durable);
    await cluster.until(() => master.states('t1').length > 0);
    expect(master.last('t1')?.status).to.include({ state: 'TASK_DROPPED', reason: 'REASON_RESOURCES_UNKNOWN' });
    expect(master.last('t1')?.status.message).to.include('The agent has no');
    expect(commands).to.deep.equal([]);
  });

  it('AGENT-10 keep an agent draining until their end is acknowledged', async () => {
    const { cluster, master } = await start();
    await using _ = cluster;
    master.acknowledgesOperations = false;
    master.apply(1, reserve);
    await cluster.until(() => master.statuses.length === 1);
    master.drain({ markGone: false });
    await cluster.world.advance('1s');
    master.run(taskOf('t1', 'x'), durable);
    await cluster.until(() => master.states('t1').length > 0);
    expect(master.last('t1')?.status).to.include({ reason: 'REASON_AGENT_DRAINING' });
    master.acknowledgesOperations = true;
    await cluster.world.advance('30s');
    master.run(taskOf('t2', 'x'), durable);
    await cluster.until(() => master.states('t2').includes('TASK_RUNNING'));
  });
});
