import { dispatch } from '@mezzo/process';
import { expect } from 'chai';
import { agentMessages, type AgentOperation, AgentID, type Resource, Resources } from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { FakeAgent, type FakeScheduler, taskInfo } from '../peers.ts';

const dynamic = (text: string, role = 'r', principal?: string): Resource[] => [
  ...Resources.parse(text).pushReservation({
    type: 'DYNAMIC',
    role,
    ...(principal === undefined ? undefined : { principal }),
  }),
];

const volume = (size: number): Resource => ({
  name: 'disk',
  type: 'SCALAR',
  scalar: size,
  reservations: [{ type: 'DYNAMIC', role: 'r' }],
  disk: { persistence: { id: 'v' }, volume: { containerPath: 'data', mode: 'RW' } },
});

const text = (resources: Iterable<Resource>): string =>
  String(Resources.of(resources).unallocate()).split(';').toSorted().join(';');

describe('operations of operators', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  beforeEach(async () => {
    cluster = await TestCluster.start();
    agent = await cluster.agent('agent-1', 'cpus:4;mem:4096;disk:1000');
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  /** What is against it, or `done`. */
  const perform = async (operation: AgentOperation, principal?: string, agentId = agent.id): Promise<string> => {
    const options = principal === undefined ? {} : { principal };
    const outcome = dispatch(cluster.leader, (master) => master.operator.performOperation(agentId, operation, options));
    await cluster.advance('1s');
    if (outcome.isReady) return 'done';
    const error = outcome.failure() as Error & { readonly kind: string };
    return `${error.kind}: ${error.message}`;
  };
  const applied = (): string[] => agent.got(agentMessages.ApplyOperation).map(({ operation }) => operation.type);
  const reserve = (what: string, role?: string): AgentOperation => ({
    type: 'RESERVE',
    resources: dynamic(what, role),
  });
  const scheduler = async (): Promise<FakeScheduler> => {
    const one = await cluster.scheduler('framework-1', { roles: ['r'] });
    await cluster.advance('1s');
    return one;
  };

  it('RESV-09 what is free is reserved and unreserved, with labels, and offered as such', async () => {
    const labels = [{ key: 'a', value: 'b' }];
    const resources = [...Resources.parse('cpus:1').pushReservation({ type: 'DYNAMIC', role: 'r', labels })];
    expect(await perform({ type: 'RESERVE', resources })).to.equal('done');
    expect(applied()).to.deep.equal(['RESERVE']);
    const one = await scheduler();
    expect(text(one.lastOffer.resources)).to.equal(
      text([...resources, ...Resources.parse('cpus:3;mem:4096;disk:1000')]),
    );
    one.decline(one.lastOffer, 3600);
    expect(await perform({ type: 'UNRESERVE', resources })).to.equal('done');
    expect(applied()).to.deep.equal(['RESERVE', 'UNRESERVE']);
  });

  it('RESV-09 offers that hold what is wanted are rescinded, and no others', async () => {
    const one = await scheduler();
    await cluster.agent('agent-2', 'cpus:4;mem:4096;disk:1000');
    await cluster.advance('1s');
    const [first, second] = one.offers.toSorted((a, b) => (a.hostname < b.hostname ? -1 : 1));
    expect(await perform(reserve('cpus:1'))).to.equal('done');
    expect(one.offers.map(({ id }) => id)).to.not.include(first?.id);
    expect(one.offers.map(({ id }) => id)).to.include(second?.id);
    expect(text(one.lastOffer.resources)).to.equal(
      text([...dynamic('cpus:1'), ...Resources.parse('cpus:3;mem:4096;disk:1000')]),
    );
  });

  it('RESV-09 what is used cannot be reserved, what is invalid is refused, an agent must be there', async () => {
    const one = await scheduler();
    one.launch(one.lastOffer, [taskInfo('t', agent.id, 'cpus:3;mem:64')]);
    await cluster.advance('1s');
    expect(await perform(reserve('cpus:2'))).to.match(/^CONFLICT: Agent .* has not .*cpus/);
    expect(await perform({ type: 'RESERVE', resources: [...Resources.parse('cpus:1')] })).to.match(
      /^INVALID: Invalid RESERVE operation: resource 'cpus' is not dynamically reserved/,
    );
    expect(await perform({ type: 'RESERVE', resources: dynamic('cpus:1', 'r', 'p') }, 'q')).to.match(
      /^INVALID: .*principal/,
    );
    expect(await perform(reserve('cpus:1'), undefined, AgentID('nobody'))).to.match(/^INVALID: No agent found/);
    expect(
      await perform({
        type: 'RESERVE',
        resources: dynamic('cpus:1').map((resource) => ({ ...resource, allocationRole: 'r' })),
      }),
    ).to.match(/^INVALID: .*allocated to role r/);
    expect(applied()).to.deep.equal([]);
    expect(await perform(reserve('cpus:1'))).to.equal('done');
  });

  it('an agent that does not carry out operations is asked for none', async () => {
    const old = await cluster.peer('agent-2', new FakeAgent('cpus:4', { hostname: 'agent-2' }));
    old.capabilities = ['MULTI_ROLE'];
    old.register();
    await cluster.advance('1s');
    expect(await perform(reserve('cpus:1'), undefined, old.id)).to.match(/^INVALID: .*does not carry out operations/);
    expect(old.got(agentMessages.ApplyOperation)).to.deep.equal([]);
  });

  it('PV-07 volumes are made of reserved disk and destroyed, and not while a task uses them', async () => {
    expect(await perform({ type: 'CREATE', volumes: [volume(100)] })).to.match(/^CONFLICT/);
    expect(await perform(reserve('disk:500'))).to.equal('done');
    expect(await perform({ type: 'CREATE', volumes: [volume(600)] })).to.match(/^CONFLICT/);
    expect(await perform({ type: 'CREATE', volumes: [volume(100)] })).to.equal('done');
    expect(await perform({ type: 'CREATE', volumes: [volume(100)] })).to.match(
      /^INVALID: .*'v' is used more than once/,
    );
    expect(await perform({ type: 'UNRESERVE', resources: [volume(100)] })).to.match(/^INVALID: .*destroy it first/);
    const one = await scheduler();
    const task = taskInfo('t', agent.id, 'cpus:1;mem:64');
    one.launch(one.lastOffer, [{ ...task, resources: [...task.resources, volume(100)] }]);
    await cluster.advance('1s');
    expect(await perform({ type: 'DESTROY', volumes: [volume(100)] })).to.match(/^INVALID: .*in use/);
    agent.update(one.id, 't', 'TASK_FINISHED');
    await cluster.advance('1s');
    expect(await perform({ type: 'DESTROY', volumes: [volume(100)] })).to.equal('done');
    expect(await perform({ type: 'UNRESERVE', resources: dynamic('disk:500') })).to.equal('done');
    expect(applied()).to.deep.equal(['RESERVE', 'CREATE', 'DESTROY', 'UNRESERVE']);
    const [entry] = (await cluster.state()).slaves;
    expect(entry?.resources['disk']).to.equal(1000);
  });

  it('PV-07 a destroyed volume is rescinded from who had it on offer', async () => {
    expect(await perform(reserve('disk:500'))).to.equal('done');
    expect(await perform({ type: 'CREATE', volumes: [volume(100)] })).to.equal('done');
    const one = await scheduler();
    const before = one.lastOffer;
    expect(text(before.resources)).to.include('[v:data:rw]');
    expect(await perform({ type: 'DESTROY', volumes: [volume(100)] })).to.equal('done');
    expect(one.offers.map(({ id }) => id)).to.not.include(before.id);
  });
});
