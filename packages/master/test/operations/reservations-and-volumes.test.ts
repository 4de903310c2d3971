import { dispatch } from '@mezzo/process';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import {
  agentMessages,
  type AgentOperation,
  type FrameworkInfo,
  type Operation,
  type Resource,
  Resources,
  schedulerMessages,
} from '@mezzo/protocol';
import { expect } from 'chai';
import { type ClusterOptions, TestCluster } from '../cluster.ts';
import { HeldLog } from '../held-log.ts';
import { type FakeAgent, type FakeScheduler, taskInfo } from '../peers.ts';

const list = (text: string): Resource[] => [...Resources.parse(text)];
const reserved = (text: string, role = 'r', more: object = {}): Resource[] => [
  ...Resources.parse(text).pushReservation({ type: 'DYNAMIC', role, ...more }),
];
const volume = (size: number, id = 'v', more: Partial<Resource> = {}): Resource =>
  ({
    name: 'disk',
    type: 'SCALAR',
    scalar: size,
    reservations: [{ type: 'DYNAMIC', role: 'r' }],
    disk: { persistence: { id }, volume: { containerPath: 'data', mode: 'RW' } },
    ...more,
  }) as Resource;
const text = (...resources: readonly Iterable<Resource>[]): string =>
  String(Resources.sum(resources.map((some) => Resources.of(some).unallocate())))
    .split(';')
    .toSorted()
    .join(';');

describe('reservations and volumes', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  const start = async (resources: string, options: ClusterOptions = {}): Promise<void> => {
    cluster = await TestCluster.start({ registry: memoryLog(new MemoryLogStore()), ...options });
    agent = await cluster.agent('agent-1', resources);
  };
  afterEach(() => cluster[Symbol.asyncDispose]());

  const framework = async (node: string, info: Partial<FrameworkInfo> = {}): Promise<FakeScheduler> => {
    const one = await cluster.scheduler(node, { roles: ['r'], ...info });
    await cluster.advance('1s');
    return one;
  };
  const accept = async (scheduler: FakeScheduler, ...operations: Operation[]): Promise<void> => {
    scheduler.accept(scheduler.lastOffer, operations);
    await cluster.advance('2s');
  };
  /** What is against it, or `done`. */
  const perform = async (operation: AgentOperation, principal?: string): Promise<string> => {
    const options = principal === undefined ? {} : { principal };
    const outcome = dispatch(cluster.leader, ({ operator }) => operator.performOperation(agent.id, operation, options));
    await cluster.advance('1s');
    if (outcome.isReady) return 'done';
    const error = outcome.failure() as Error & { readonly kind: string };
    return `${error.kind}: ${error.message}`;
  };
  const applied = (): string[] => agent.got(agentMessages.ApplyOperation).map(({ operation }) => operation.type);
  const offered = ({ lastOffer }: FakeScheduler): string => text(lastOffer.resources);
  const rescinded = (scheduler: FakeScheduler): number => scheduler.got(schedulerMessages.Rescind).length;

  it('RESV-05 PV-01 survive a master: the next one offers what agents bring back as it was, and it can be taken back', async () => {
    await start('cpus:4;mem:4096;disk:1000');
    const scheduler = await framework('framework-1', { failoverTimeout: 1e9 });
    await accept(
      scheduler,
      { type: 'RESERVE', resources: reserved('cpus:1;disk:300') },
      { type: 'CREATE', volumes: [volume(100)] },
    );
    const whole = text(reserved('cpus:1;disk:200'), [volume(100)], list('cpus:3;mem:4096;disk:700'));
    expect(offered(scheduler)).to.equal(whole);
    await cluster.failOver();
    const checkpointedResources = [...reserved('cpus:1;disk:200'), volume(100)];
    agent.reregister([], [], agent.id, { checkpointedResources });
    const before = scheduler.offers.length;
    scheduler.subscribe({ roles: ['r'], failoverTimeout: 1e9, id: scheduler.id });
    await cluster.advance('2s');
    expect(scheduler.offers.length).to.be.above(before);
    expect(offered(scheduler)).to.equal(whole);
    await accept(
      scheduler,
      { type: 'DESTROY', volumes: [volume(100)] },
      { type: 'UNRESERVE', resources: reserved('cpus:1;disk:300') },
    );
    expect(applied()).to.deep.equal(['RESERVE', 'CREATE', 'DESTROY', 'UNRESERVE']);
    expect(offered(scheduler)).to.equal(text(list('cpus:4;mem:4096;disk:1000')));
  });

  it('RESV-02 RESV-07 a reservation for another of the framework’s roles is dropped, one without a principal is not', async () => {
    await start('cpus:4;mem:4096');
    const scheduler = await framework('framework-1', { roles: ['r', 's'], capabilities: ['MULTI_ROLE'] });
    const { role } = scheduler.lastOffer;
    const given = (to: string): Resource[] =>
      reserved('cpus:1', to).map((resource) => ({ ...resource, allocationRole: role }));
    await accept(scheduler, { type: 'RESERVE', resources: given(role === 'r' ? 's' : 'r') });
    expect(applied()).to.deep.equal([]);
    expect(offered(scheduler)).to.equal('cpus:4;mem:4096');
    scheduler.accept(scheduler.lastOffer, [
      { type: 'RESERVE', resources: reserved('cpus:1', scheduler.lastOffer.role) },
    ]);
    await cluster.advance('2s');
    expect(applied()).to.deep.equal(['RESERVE']);
  });

  it('RESV-09 what is partly free and partly on offer is reserved too, if it is enough', async () => {
    await start('cpus:4;mem:4096');
    const limited = dispatch(cluster.leader, ({ operator }) =>
      operator.setQuotas({ r: { limits: 'cpus:1;mem:1024' } }),
    );
    await cluster.advance('100ms');
    expect(limited.isReady).to.equal(true);
    const scheduler = await framework('framework-1');
    expect(offered(scheduler)).to.equal('cpus:1;mem:1024');
    // What is free is enough: the offer stands.
    expect(await perform({ type: 'RESERVE', resources: reserved('cpus:3', 's') })).to.equal('done');
    expect(rescinded(scheduler)).to.equal(0);
    expect(await perform({ type: 'UNRESERVE', resources: reserved('cpus:3', 's') })).to.equal('done');
    expect(await perform({ type: 'RESERVE', resources: reserved('cpus:5', 's') })).to.match(/^CONFLICT/);
    await cluster.advance('10s');
    const before = rescinded(scheduler);
    expect(await perform({ type: 'RESERVE', resources: reserved('cpus:3.5', 's') })).to.equal('done');
    expect(rescinded(scheduler)).to.equal(before + 1);
    expect(applied()).to.deep.equal(['RESERVE', 'UNRESERVE', 'RESERVE']);
  });

  it('RESV-09 an operator’s principal is that of the reservations, with their labels, and nothing that is not there is unreserved', async () => {
    await start('cpus:4;mem:4096');
    const labels = [{ key: 'a', value: 'b' }];
    const mine = reserved('cpus:1', 'r', { principal: 'p', labels });
    expect(await perform({ type: 'RESERVE', resources: reserved('cpus:1', 'r', { labels }) }, 'p')).to.match(
      /^INVALID: .*principal '' does not match the principal 'p'/,
    );
    expect(await perform({ type: 'RESERVE', resources: mine }, 'p')).to.equal('done');
    expect(await perform({ type: 'UNRESERVE', resources: reserved('cpus:1') }, 'p')).to.match(/^CONFLICT/);
    expect(await perform({ type: 'UNRESERVE', resources: mine }, 'p')).to.equal('done');
  });

  it('PV-02 a volume that grows and shrinks in one accept does the first only, and the rest of the offer is as it was', async () => {
    await start('cpus:4;mem:4096;disk:1000');
    const scheduler = await framework('framework-1');
    await accept(
      scheduler,
      { type: 'RESERVE', resources: reserved('disk:300') },
      { type: 'CREATE', volumes: [volume(100)] },
    );
    const [addition] = reserved('disk:50');
    if (addition === undefined) throw new Error('no addition');
    await accept(
      scheduler,
      { type: 'GROW_VOLUME', volume: volume(100), addition },
      { type: 'SHRINK_VOLUME', volume: volume(150), subtract: 50 },
    );
    expect(applied().slice(2)).to.deep.equal(['GROW_VOLUME']);
    await accept(
      scheduler,
      { type: 'SHRINK_VOLUME', volume: volume(150), subtract: 50 },
      { type: 'GROW_VOLUME', volume: volume(100), addition },
    );
    expect(applied().slice(2)).to.deep.equal(['GROW_VOLUME', 'SHRINK_VOLUME']);
    expect(offered(scheduler)).to.equal(text([volume(100)], reserved('disk:200'), list('cpus:4;mem:4096;disk:700')));
  });

  it('PV-04 a shared volume that one framework destroys is rescinded from the others that have it on offer', async () => {
    await start('cpus:8;mem:8192;disk:1000');
    const capabilities = ['SHARED_RESOURCES'];
    const shared = volume(100, 'v', { shared: true });
    const one = await framework('framework-1', { capabilities });
    await accept(
      one,
      { type: 'RESERVE', resources: reserved('disk:100') },
      { type: 'CREATE', volumes: [shared] },
      {
        type: 'LAUNCH',
        tasks: [using('t1', 'cpus:1;mem:64'), using('t2', 'cpus:1;mem:64'), using('t3', 'cpus:1;mem:64')],
      },
    );
    function using(id: string, more: string) {
      return { ...taskInfo(id, agent.id, more), resources: [...list(more), shared] };
    }
    expect(agent.runs.map(({ taskId }) => taskId)).to.deep.equal(['t1', 't2', 't3']);
    // As much disk as one volume has, however many copies of it are in use.
    const [entry] = (await cluster.state()).slaves;
    expect([entry?.resources['disk'], entry?.used_resources['disk']]).to.deep.equal([1000, 100]);
    // Until the last of them is over it has to be counted, but once.
    one.tell(schedulerMessages.Suppress, { frameworkId: one.id, roles: [] });
    one.decline(one.lastOffer, 0);
    agent.update(one.id, 't1', 'TASK_FINISHED');
    await cluster.advance('2s');
    expect(await cluster.metric('allocator/mesos/resources/disk/offered_or_allocated')).to.equal(100);
    one.tell(schedulerMessages.Revive, { frameworkId: one.id, roles: [] });
    await cluster.advance('2s');
    // Two frameworks have it on offer: one a copy with what is left of the agent, one with what a task gave back.
    const two = await framework('framework-2', { capabilities });
    one.decline(one.lastOffer, 3600);
    await cluster.advance('2s');
    expect(offered(two)).to.include('SHARED');
    for (const id of ['t2', 't3']) agent.update(one.id, id, 'TASK_FINISHED');
    one.tell(schedulerMessages.Revive, { frameworkId: one.id, roles: [] });
    await cluster.advance('2s');
    expect(offered(one)).to.include('SHARED');
    const before = one.lastOffer;
    await accept(two, { type: 'DESTROY', volumes: [shared] });
    expect(applied()).to.deep.equal(['RESERVE', 'CREATE', 'DESTROY']);
    expect(one.offers.map(({ id }) => id)).to.not.include(before.id);
    expect([...one.offers, ...two.offers].map(({ resources }) => text(resources)).at(-1)).to.not.include('SHARED');
  });

  it('PV-07 an operator makes volumes of what is reserved in the configuration, for that role only', async () => {
    await start('cpus:4;mem:4096;disk(r):200;disk:100');
    const fixed = volume(150, 'v', { reservations: [{ type: 'STATIC', role: 'r' }] });
    const other = volume(150, 'v', { reservations: [{ type: 'STATIC', role: 's' }] });
    expect(await perform({ type: 'CREATE', volumes: [other] })).to.match(/^CONFLICT/);
    expect(
      await perform({ type: 'CREATE', volumes: [volume(201, 'v', { reservations: [{ type: 'STATIC', role: 'r' }] })] }),
    ).to.match(/^CONFLICT/);
    expect(await perform({ type: 'CREATE', volumes: list('disk(r):1') })).to.match(/^INVALID: .*no persistent volume/);
    expect(await perform({ type: 'DESTROY', volumes: [fixed] })).to.match(/^INVALID: .*'v' does not exist/);
    expect(applied()).to.deep.equal([]);
    expect(await perform({ type: 'CREATE', volumes: [fixed] })).to.equal('done');
    expect(await perform({ type: 'UNRESERVE', resources: list('disk(r):50') })).to.match(/^INVALID/);
    const scheduler = await framework('framework-1');
    expect(offered(scheduler)).to.equal(text([fixed], list('cpus:4;mem:4096;disk:100;disk(r):50')));
    expect(await perform({ type: 'DESTROY', volumes: [fixed] })).to.equal('done');
    expect(applied()).to.deep.equal(['CREATE', 'DESTROY']);
  });

  it('PV-07 operators and frameworks go on with what the other has made', async () => {
    await start('cpus:4;mem:4096;disk:1000');
    expect(await perform({ type: 'RESERVE', resources: reserved('disk:300') })).to.equal('done');
    const scheduler = await framework('framework-1');
    await accept(scheduler, { type: 'CREATE', volumes: [volume(100)] });
    expect(await perform({ type: 'CREATE', volumes: [volume(100, 'w')] })).to.equal('done');
    await cluster.advance('10s');
    expect(offered(scheduler)).to.include('[v:data:rw]').and.include('[w:data:rw]');
    await accept(scheduler, { type: 'DESTROY', volumes: [volume(100, 'w')] });
    expect(await perform({ type: 'DESTROY', volumes: [volume(100)] })).to.equal('done');
    await cluster.advance('10s');
    const task = taskInfo('t', agent.id, '', { resources: [...list('cpus:1;mem:64'), ...reserved('disk:50')] });
    scheduler.launch(scheduler.lastOffer, [task]);
    await cluster.advance('1s');
    expect(await perform({ type: 'UNRESERVE', resources: reserved('disk:300') })).to.match(/^CONFLICT/);
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('1s');
    expect(await perform({ type: 'UNRESERVE', resources: reserved('disk:300') })).to.equal('done');
    expect(applied()).to.deep.equal(['RESERVE', 'CREATE', 'CREATE', 'DESTROY', 'DESTROY', 'UNRESERVE']);
    await cluster.advance('10s');
    expect(offered(scheduler)).to.equal(text(list('cpus:4;mem:4096;disk:1000')));
  });

  it('PV-07 an agent that leaves while an operation is decided on gets none, and nothing of it is kept', async () => {
    for (const seed of [1, 2, 3, 4]) {
      await start('cpus:4;disk:1000', { exploded: true, seed });
      agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
      expect(await perform({ type: 'RESERVE', resources: reserved('disk:300') })).to.match(
        /^CONFLICT: .*not connected/,
      );
      expect(applied()).to.deep.equal([]);
      await cluster[Symbol.asyncDispose]();
    }
    // It is still known while its leave is being stored.
    const registry = new HeldLog();
    await start('cpus:4;disk:1000', { exploded: true, registry });
    registry.hold();
    agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
    expect(await perform({ type: 'RESERVE', resources: reserved('disk:300') })).to.match(
      /^CONFLICT: .*not connected any/,
    );
    expect((await cluster.state()).slaves).to.have.length(1);
    expect(applied()).to.deep.equal([]);
    registry.release();
    await cluster[Symbol.asyncDispose]();
    await start('cpus:4;disk:1000', { exploded: true });
    cluster.world.crash('agent-1');
    await cluster.advance('30s');
    expect((await cluster.state()).slaves.map(({ active }) => active)).to.deep.equal([false]);
    expect(await perform({ type: 'RESERVE', resources: reserved('disk:300') })).to.match(/^CONFLICT: .*not connected/);
    expect((await cluster.state()).slaves[0]?.resources['disk']).to.equal(1000);
  });
});
