import { expect } from 'chai';
import {
  agentMessages,
  type AgentOperation,
  type Operation,
  type Resource,
  Resources,
  UpdateUUID,
} from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, taskInfo } from '../peers.ts';

const list = (text: string): Resource[] => [...Resources.parse(text)];
const dynamic = (text: string, role = 'r', principal?: string): Resource[] => [
  ...Resources.parse(text).pushReservation({
    type: 'DYNAMIC',
    role,
    ...(principal === undefined ? undefined : { principal }),
  }),
];
const volume = (size: number, id = 'v', role = 'r', more: Partial<Resource> = {}): Resource =>
  ({
    name: 'disk',
    type: 'SCALAR',
    scalar: size,
    reservations: [{ type: 'DYNAMIC', role }],
    disk: { persistence: { id }, volume: { containerPath: 'data', mode: 'RW' } },
    ...more,
  }) as Resource;

const text = (resources: Iterable<Resource>): string =>
  String(Resources.of(resources).unallocate()).split(';').toSorted().join(';');

describe('operations of frameworks', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    cluster = await TestCluster.start();
    scheduler = await cluster.scheduler('framework-1', { roles: ['r'], capabilities: ['PARTITION_AWARE'] });
    agent = await cluster.agent('agent-1', 'cpus:4;mem:4096;disk:1000');
    await cluster.advance('1s');
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const accept = async (...operations: Operation[]): Promise<void> => {
    scheduler.accept(scheduler.lastOffer, operations);
    await cluster.advance('2s');
  };
  const applied = (): AgentOperation[] => agent.got(agentMessages.ApplyOperation).map(({ operation }) => operation);
  const offered = (): string => text(scheduler.lastOffer.resources);

  it('RESV-01 a reservation by a scheduler is told to the agent and is in the next offer, until it is taken back', async () => {
    await accept({ type: 'RESERVE', resources: dynamic('cpus:1;mem:512') });
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE']);
    expect(offered()).to.equal(text([...dynamic('cpus:1;mem:512'), ...list('cpus:3;mem:3584;disk:1000')]));
    await accept({ type: 'UNRESERVE', resources: dynamic('cpus:1;mem:512') });
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'UNRESERVE']);
    expect(offered()).to.equal(text(list('cpus:4;mem:4096;disk:1000')));
  });

  it('RESV-02 a reservation of more than was offered, or for another role, is dropped and the rest goes on', async () => {
    await accept(
      { type: 'RESERVE', resources: dynamic('cpus:8') },
      { type: 'RESERVE', resources: dynamic('cpus:1', 'other') },
      { type: 'RESERVE', resources: dynamic('cpus:3') },
      { type: 'RESERVE', resources: dynamic('cpus:3') },
    );
    expect(applied().map((operation) => (operation.type === 'RESERVE' ? text(operation.resources) : ''))).to.deep.equal(
      [text(dynamic('cpus:3'))],
    );
    expect(offered()).to.equal(text([...dynamic('cpus:3'), ...list('cpus:1;mem:4096;disk:1000')]));
  });

  it('RESV-03 what is reserved and not launched with is kept, unreserved after the task, and shared within the role', async () => {
    const task = taskInfo('t', agent.id, '', { resources: dynamic('cpus:1') });
    await accept({ type: 'RESERVE', resources: dynamic('cpus:2') }, { type: 'LAUNCH', tasks: [task] });
    expect(agent.runs.map(({ resources }) => text(resources))).to.deep.equal([text(dynamic('cpus:1'))]);
    expect(offered()).to.equal(text([...dynamic('cpus:1'), ...list('cpus:2;mem:4096;disk:1000')]));
    const peer = await cluster.scheduler('framework-2', { roles: ['r'] });
    scheduler.decline(scheduler.lastOffer, 3600);
    await cluster.advance('2s');
    expect(text(peer.lastOffer.resources)).to.equal(text([...dynamic('cpus:1'), ...list('cpus:2;mem:4096;disk:1000')]));
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('2s');
    peer.accept(peer.offers.slice(-2), [{ type: 'UNRESERVE', resources: dynamic('cpus:2') }]);
    await cluster.advance('2s');
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'UNRESERVE']);
    const [entry] = (await cluster.state()).slaves;
    expect(entry?.resources['cpus']).to.equal(4);
  });

  it('RESV-07 a principal is needed only where the framework has one, and must be the same', async () => {
    const named = await cluster.scheduler('framework-2', { roles: ['s'], principal: 'p' });
    scheduler.decline(scheduler.lastOffer, 3600);
    await cluster.advance('2s');
    const reserve = (principal?: string): Operation => ({
      type: 'RESERVE',
      resources: dynamic('cpus:1', 's', principal),
    });
    named.accept(named.lastOffer, [reserve('q'), reserve(), reserve('p')]);
    await cluster.advance('2s');
    const [only, ...others] = applied();
    expect(others).to.deep.equal([]);
    expect(only?.type === 'RESERVE' && only.resources[0]?.reservations?.[0]?.principal).to.equal('p');
  });

  it('RESV-08 what is reserved but in no offer of the framework cannot be unreserved', async () => {
    const task = taskInfo('t', agent.id, '', { resources: dynamic('cpus:2') });
    await accept({ type: 'RESERVE', resources: dynamic('cpus:2') }, { type: 'LAUNCH', tasks: [task] });
    await accept({ type: 'UNRESERVE', resources: dynamic('cpus:2') });
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE']);
  });

  it('an operation with an id hears of its end, acknowledges it, and of its refusal', async () => {
    await accept(
      { type: 'RESERVE', id: 'too-much', resources: dynamic('cpus:8') },
      { type: 'RESERVE', id: 'one', resources: dynamic('cpus:1') },
    );
    expect(scheduler.operationStatuses.map(({ operationId, state }) => `${operationId} ${state}`)).to.deep.equal([
      'too-much OPERATION_ERROR',
    ]);
    const [order] = agent.got(agentMessages.ApplyOperation);
    if (order === undefined) throw new Error('nothing was applied');
    const uuid = UpdateUUID('01234567-89ab-4cde-8f01-23456789abcd');
    const status = { state: 'OPERATION_FINISHED', operationId: 'one', uuid, agentId: agent.id } as const;
    const { operationUuid } = order;
    agent.tell(agentMessages.UpdateOperationStatus, {
      agentId: agent.id,
      frameworkId: scheduler.id,
      operationUuid,
      status,
    });
    await cluster.advance('1s');
    expect(scheduler.operationStatuses.at(-1)).to.deep.equal(status);
    scheduler.reconcileOperations(['one']);
    await cluster.advance('1s');
    expect(scheduler.operationStatuses.at(-1)).to.deep.include({ operationId: 'one', state: 'OPERATION_FINISHED' });
    scheduler.acknowledgeOperation('one', agent.id, uuid);
    await cluster.advance('1s');
    expect(agent.got(agentMessages.AcknowledgeOperationStatus)).to.deep.include.members([
      { ...agent.got(agentMessages.AcknowledgeOperationStatus)[0], operationUuid, uuid },
    ]);
    scheduler.reconcileOperations(['one']);
    await cluster.advance('1s');
    expect(scheduler.operationStatuses.at(-1)?.state).to.equal('OPERATION_UNKNOWN');
  });

  it('MASTER-26 reserves, makes a volume and launches in one accept, and destroys and unreserves after the task', async () => {
    const task = taskInfo('t', agent.id, 'cpus:1;mem:64');
    await accept(
      { type: 'RESERVE', resources: dynamic('disk:100') },
      { type: 'CREATE', volumes: [volume(100)] },
      { type: 'LAUNCH', tasks: [{ ...task, resources: [...task.resources, volume(100)] }] },
    );
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'CREATE']);
    expect(text(agent.runs[0]?.resources ?? [])).to.equal(text([...list('cpus:1;mem:64'), volume(100)]));
    // The agent hears of them in order.
    expect(agent.received.map(({ kind }) => kind).filter((kind) => /run-task|apply/.test(kind))).to.deep.equal([
      'agent.apply-operation',
      'agent.apply-operation',
      'agent.run-task',
    ]);
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('2s');
    scheduler.accept(scheduler.lastOffer, [
      { type: 'DESTROY', volumes: [volume(100)] },
      { type: 'UNRESERVE', resources: dynamic('disk:100') },
    ]);
    await cluster.advance('2s');
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'CREATE', 'DESTROY', 'UNRESERVE']);
    expect(offered()).to.equal(text(list('cpus:4;mem:4096;disk:1000')));
  });

  it('PV-02 a volume grows and shrinks, and what it becomes is for the next offer only', async () => {
    await accept({ type: 'RESERVE', resources: dynamic('disk:300') }, { type: 'CREATE', volumes: [volume(100)] });
    const [addition] = dynamic('disk:50');
    if (addition === undefined) throw new Error('no addition');
    const task = taskInfo('t', agent.id, '', { resources: [volume(150)] });
    await accept({ type: 'GROW_VOLUME', volume: volume(100), addition }, { type: 'LAUNCH', tasks: [task] });
    expect(scheduler.told.at(-1)).to.equal('t TASK_ERROR SOURCE_MASTER REASON_TASK_INVALID');
    expect(offered()).to.equal(text([volume(150), ...dynamic('disk:150'), ...list('cpus:4;mem:4096;disk:700')]));
    await accept({ type: 'SHRINK_VOLUME', volume: volume(150), subtract: 100 });
    expect(offered()).to.equal(text([volume(50), ...dynamic('disk:250'), ...list('cpus:4;mem:4096;disk:700')]));
    await accept({ type: 'SHRINK_VOLUME', volume: volume(50), subtract: 50 });
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'CREATE', 'GROW_VOLUME', 'SHRINK_VOLUME']);
  });

  it('PV-04 a shared volume serves many tasks, of several frameworks, and is destroyed only when none uses it', async () => {
    const capabilities = ['SHARED_RESOURCES', 'PARTITION_AWARE'];
    const one = await cluster.scheduler('framework-2', { roles: ['s'], capabilities });
    const two = await cluster.scheduler('framework-3', { roles: ['s'], capabilities });
    const shared = volume(100, 'v', 's', { shared: true });
    scheduler.decline(scheduler.lastOffer, 3600);
    await cluster.advance('2s');
    const [first, second] = one.offers.length > 0 ? [one, two] : [two, one];
    const using = (id: string): Operation => {
      const task = taskInfo(id, agent.id, 'cpus:1;mem:64');
      return { type: 'LAUNCH', tasks: [{ ...task, resources: [...task.resources, shared] }] };
    };
    first.accept(first.lastOffer, [
      { type: 'RESERVE', resources: dynamic('disk:100', 's') },
      { type: 'CREATE', volumes: [shared] },
      using('t1'),
      using('t2'),
    ]);
    await cluster.advance('2s');
    expect(agent.runs.map(({ taskId }) => taskId)).to.deep.equal(['t1', 't2']);
    first.decline(first.lastOffer, 3600);
    await cluster.advance('2s');
    expect(text(second.lastOffer.resources)).to.include('SHARED');
    second.accept(second.lastOffer, [using('t3')]);
    await cluster.advance('2s');
    expect(agent.runs.map(({ taskId }) => taskId)).to.deep.equal(['t1', 't2', 't3']);
    // In use.
    second.accept(second.lastOffer, [{ type: 'DESTROY', volumes: [shared] }]);
    await cluster.advance('2s');
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'CREATE']);
    for (const id of ['t1', 't2']) agent.update(first.id, id, 'TASK_FINISHED');
    agent.update(second.id, 't3', 'TASK_FINISHED');
    await cluster.advance('2s');
    second.accept(second.lastOffer, [{ type: 'DESTROY', volumes: [shared] }]);
    await cluster.advance('2s');
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'CREATE', 'DESTROY']);
  });

  it('refuses a volume whose id the role has on the agent, and takes the same id for another role', async () => {
    await accept({ type: 'RESERVE', resources: dynamic('disk:300') }, { type: 'CREATE', volumes: [volume(100)] });
    await accept({ type: 'CREATE', volumes: [volume(100)] });
    expect(applied().map(({ type }) => type)).to.deep.equal(['RESERVE', 'CREATE']);
  });

  it('RESV-05 reservations and volumes that an agent brings to a new master are offered as they are', async () => {
    agent.reregister([], [], agent.id, { checkpointedResources: [...dynamic('cpus:1'), volume(100)] });
    await cluster.advance('2s');
    expect(offered()).to.equal(text([...dynamic('cpus:1'), volume(100), ...list('cpus:3;mem:4096;disk:900')]));
  });
});
