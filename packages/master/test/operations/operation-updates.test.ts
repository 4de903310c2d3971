import { dispatch } from '@mezzo/process';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { expect } from 'chai';
import {
  AgentID,
  agentMessages,
  FrameworkID,
  type FrameworkInfo,
  type OperationState,
  OperationUUID,
  type Resource,
  Resources,
  schedulerMessages,
  UpdateUUID,
} from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { FakeAgent, type FakeScheduler } from '../peers.ts';

const info: Partial<FrameworkInfo> = { roles: ['r'], failoverTimeout: 3_600_000, checkpoint: true };
const reserved = (text: string): Resource[] => [
  ...Resources.parse(text).pushReservation({ type: 'DYNAMIC', role: 'r' }),
];

describe('what becomes of operations', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    cluster = await TestCluster.start({ registry: memoryLog(new MemoryLogStore()) });
    scheduler = await cluster.scheduler('framework-1', info);
    agent = await cluster.agent('agent-1', 'cpus:4;mem:4096;disk:1024');
    await cluster.advance('1s');
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const request = async (...ids: string[]): Promise<void> => {
    const operations = ids.map((id) => ({ type: 'RESERVE' as const, id, resources: reserved('cpus:0.5') }));
    scheduler.accept(scheduler.lastOffer, operations, 0);
    await cluster.advance('2s');
  };
  /** The agent tells how an operation stands; once more if it is not the first time. */
  const report = async (id: string, state: OperationState = 'OPERATION_FINISHED'): Promise<UpdateUUID> => {
    const orders = agent.got(agentMessages.ApplyOperation);
    const order = orders.find(({ operation }) => operation.id === id);
    if (order === undefined) throw new Error(`no operation ${id}`);
    const { operationUuid, frameworkId } = order;
    const uuid = UpdateUUID(`01234567-89ab-4cde-8f01-00000000000${orders.indexOf(order)}`);
    const status = { state, operationId: id, uuid, agentId: agent.id };
    agent.tell(agentMessages.UpdateOperationStatus, {
      agentId: agent.id,
      operationUuid,
      status,
      ...(frameworkId === undefined ? undefined : { frameworkId }),
    });
    await cluster.advance('1s');
    return uuid;
  };
  const told = (from: FakeScheduler = scheduler): readonly string[] =>
    from.operationStatuses.map(({ operationId, state }) => `${operationId} ${state}`);
  const acknowledged = (): readonly string[] =>
    agent.got(agentMessages.AcknowledgeOperationStatus).map(({ uuid }) => uuid);
  const asked = async (ids: readonly string[], agentId?: AgentID): Promise<readonly string[]> => {
    const before = told().length;
    scheduler.reconcileOperations(ids, agentId);
    await cluster.advance('1s');
    return told().slice(before);
  };

  it('RECON-09 are told as they are, one by one or all: those that go on, and those whose end is not acknowledged', async () => {
    await request('pending', 'finished', 'acknowledged');
    await report('finished');
    const uuid = await report('acknowledged');
    scheduler.acknowledgeOperation('acknowledged', agent.id, uuid);
    await cluster.advance('1s');
    const standing = ['pending OPERATION_PENDING', 'finished OPERATION_FINISHED'];
    expect(await asked([])).to.deep.equal(standing);
    expect(await asked(['pending', 'finished'])).to.deep.equal(standing);
    expect(await asked(['pending', 'finished'], agent.id)).to.deep.equal(standing);
    for (const status of scheduler.operationStatuses.slice(-2)) expect(status).to.not.have.property('uuid');
    expect(await asked(['acknowledged'], agent.id)).to.deep.equal(['acknowledged OPERATION_UNKNOWN']);
  });

  it('RECON-09 that nobody knows are told by what is known of their agent', async () => {
    const gone = await cluster.agent('agent-2');
    const unreachable = await cluster.agent('agent-3');
    const recovered = await cluster.agent('agent-4');
    const marked = dispatch(cluster.leader, (master) => master.operator.markAgentGone(gone.id));
    cluster.world.network.partition(['agent-3'], ['master']);
    await cluster.advance('2mins');
    expect(marked.isReady).to.equal(true);
    await cluster.failOver();
    scheduler.subscribe({ ...info, id: scheduler.id });
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect(await asked(['o'], recovered.id)).to.deep.equal(['o OPERATION_RECOVERING']);
    expect(await asked(['o'], agent.id)).to.deep.equal(['o OPERATION_UNKNOWN']);
    expect(await asked(['o'], unreachable.id)).to.deep.equal(['o OPERATION_UNREACHABLE']);
    expect(await asked(['o'], gone.id)).to.deep.equal(['o OPERATION_GONE_BY_OPERATOR']);
    expect(await asked(['o'], AgentID('nobody'))).to.deep.equal(['o OPERATION_UNKNOWN']);
    expect(await asked(['o'])).to.deep.equal(['o OPERATION_UNKNOWN']);
  });

  it('RECON-09 that did not reach the agent are asked for when it tells what it has, and their end is told', async () => {
    await request('lost', 'kept');
    const [lost, kept] = agent.got(agentMessages.ApplyOperation);
    if (lost === undefined || kept === undefined) throw new Error('too few operations');
    const latestStatus = { state: 'OPERATION_PENDING' as const, operationId: 'kept', agentId: agent.id };
    const { operationUuid, operation } = kept;
    const record = { operationUuid, frameworkId: scheduler.id, agentId: agent.id, info: operation, latestStatus };
    agent.tell(agentMessages.UpdateAgent, { agentId: agent.id, operations: [{ ...record, statuses: [] }] });
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ReconcileOperations).map(({ operations }) => operations)).to.deep.equal([
      [{ operationUuid: lost.operationUuid, frameworkId: scheduler.id }],
    ]);
    const uuid = await report('lost', 'OPERATION_DROPPED');
    expect(told()).to.deep.equal(['lost OPERATION_DROPPED']);
    scheduler.acknowledgeOperation('lost', agent.id, uuid);
    await cluster.advance('1s');
    expect(await asked([])).to.deep.equal(['kept OPERATION_PENDING']);
  });

  it('MASTER-24 is told to the scheduler that takes over, once the agent repeats it', async () => {
    await request('during', 'after');
    cluster.world.crash('framework-1');
    await cluster.advance('1mins');
    const uuid = await report('during');
    expect(acknowledged()).to.deep.equal([]);
    const next = await cluster.scheduler('framework-2', { ...info, id: scheduler.id });
    expect(told(next)).to.deep.equal([]);
    await report('during');
    const other = await report('after');
    expect(told(next)).to.deep.equal(['during OPERATION_FINISHED', 'after OPERATION_FINISHED']);
    next.acknowledgeOperation('during', agent.id, uuid);
    next.acknowledgeOperation('after', agent.id, other);
    await cluster.advance('1s');
    expect(acknowledged()).to.deep.equal([uuid, other]);
  });

  it('MASTER-24 is acknowledged by the master where its framework is over', async () => {
    await request('one');
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('1s');
    const uuid = await report('one');
    expect(acknowledged()).to.deep.equal([uuid]);
    expect(told()).to.deep.equal([]);
    // One that ended while another master led.
    const stranger = UpdateUUID('01234567-89ab-4cde-8f01-23456789abcd');
    agent.tell(agentMessages.UpdateOperationStatus, {
      agentId: agent.id,
      frameworkId: scheduler.id,
      operationUuid: OperationUUID('01234567-89ab-4cde-8f01-23456789abce'),
      status: { state: 'OPERATION_FINISHED', operationId: 'other', uuid: stranger },
    });
    await cluster.advance('1s');
    expect(acknowledged()).to.deep.equal([uuid, stranger]);
  });

  it('MASTER-24 waits for a framework that may come back after a failover of the master, for ten minutes', async () => {
    await cluster.failOver();
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    const operationUuid = OperationUUID('01234567-89ab-4cde-8f01-23456789abce');
    const uuid = UpdateUUID('01234567-89ab-4cde-8f01-23456789abcd');
    const frameworkId = FrameworkID('from-before');
    const operation = { type: 'RESERVE' as const, id: 'o', resources: reserved('cpus:1') };
    const status = { state: 'OPERATION_FINISHED' as const, operationId: 'o', agentId: agent.id, uuid };
    const record = { operationUuid, frameworkId, agentId: agent.id, info: operation, latestStatus: status };
    agent.tell(agentMessages.UpdateAgent, { agentId: agent.id, operations: [{ ...record, statuses: [status] }] });
    const repeat = async (): Promise<void> => {
      agent.tell(agentMessages.UpdateOperationStatus, { agentId: agent.id, frameworkId, operationUuid, status });
      await cluster.advance('1s');
    };
    await repeat();
    expect(acknowledged()).to.deep.equal([]);
    await cluster.advance('11mins');
    await repeat();
    expect(acknowledged()).to.deep.equal([uuid]);
  });

  it('MASTER-24 is forgotten of an agent that comes back without the capability for operations', async () => {
    await request('one');
    expect(await asked([])).to.deep.equal(['one OPERATION_PENDING']);
    const { capabilities } = agent;
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect(await asked([])).to.deep.equal(['one OPERATION_PENDING']);
    agent.capabilities = capabilities.filter((capability) => capability !== 'AGENT_OPERATION_FEEDBACK');
    agent.reregister([], [], agent.id);
    await cluster.advance('1s');
    expect(await asked([])).to.deep.equal([]);
    expect(await asked(['one'])).to.deep.equal(['one OPERATION_UNKNOWN']);
  });

  it('SCHED-09 that have an id are refused where the agent would not tell what became of them', async () => {
    const old = new FakeAgent('cpus:2;mem:64', { hostname: 'old' });
    old.capabilities = ['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT'];
    await cluster.peer('old', old);
    old.register();
    await cluster.advance('2s');
    const offer = scheduler.offers.find(({ hostname }) => hostname === 'old');
    if (offer === undefined) throw new Error('no offer');
    scheduler.accept(offer, [{ type: 'RESERVE', id: 'o', resources: reserved('cpus:1') }], 0);
    await cluster.advance('2s');
    expect(told()).to.deep.equal(['o OPERATION_ERROR']);
    expect(scheduler.operationStatuses[0]).to.include({ agentId: old.id });
    expect(old.got(agentMessages.ApplyOperation)).to.deep.equal([]);
    // What was offered comes back as it was.
    expect(String(Resources.of(scheduler.lastOffer.resources))).to.equal('cpus:2;mem:64');
    const able = scheduler.offers.find(({ hostname }) => hostname === 'agent-1');
    if (able === undefined) throw new Error('no offer');
    scheduler.accept(able, [{ type: 'RESERVE', id: 'o', resources: reserved('cpus:1') }], 0);
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ApplyOperation)).to.have.length(1);
  });

  it('on their way to an agent that registers again count as before, and are taken back if they got lost', async () => {
    const reservedNow = async (): Promise<unknown> => (await cluster.state()).slaves[0]?.reserved_resources;
    const uuidOf = (id: string) =>
      agent.got(agentMessages.ApplyOperation).find(({ operation }) => operation.id === id)?.operationUuid;
    await request('lost');
    agent.reregister([], [], agent.id, { operations: [] });
    await cluster.advance('1s');
    expect(await reservedNow(), 'it may come yet').to.have.nested.property('r.cpus', 0.5);
    await report('lost', 'OPERATION_DROPPED');
    expect(await reservedNow()).to.deep.equal({});
    const disk = reserved('disk:64');
    const volumes = disk.map((one) => ({
      ...one,
      disk: { persistence: { id: 'v' }, volume: { containerPath: 'data', mode: 'RW' as const } },
    }));
    scheduler.accept(
      scheduler.lastOffer,
      [
        { type: 'RESERVE', id: 'ground', resources: disk },
        { type: 'CREATE', id: 'volume', volumes },
      ],
      0,
    );
    await cluster.advance('2s');
    expect(await reservedNow()).to.have.nested.property('r.disk', 64);
    agent.reregister([], [], agent.id, { operations: [] });
    await cluster.advance('1s');
    await report('ground', 'OPERATION_DROPPED');
    await report('volume', 'OPERATION_DROPPED');
    expect(await reservedNow(), 'the volume first, though it is heard of last').to.deep.equal({});
    await request('taken');
    const uuid = uuidOf('taken');
    agent.reregister([], [], agent.id, {
      checkpointedResources: reserved('cpus:0.5'),
      operations: uuid === undefined ? [] : [uuid],
    });
    await cluster.advance('1s');
    expect(await reservedNow(), 'once').to.have.nested.property('r.cpus', 0.5);
    await report('taken');
    expect(await reservedNow()).to.have.nested.property('r.cpus', 0.5);
  });
});
