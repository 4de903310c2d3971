import { dispatch } from '@mezzo/process';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { expect } from 'chai';
import {
  agentMessages,
  type Operation,
  type Resource,
  Resources,
  schedulerMessages,
  type TaskInfo,
} from '@mezzo/protocol';
import { type ClusterOptions, TestCluster } from './cluster.ts';
import { type FakeScheduler, taskInfo } from './peers.ts';

const refusals = (scheduler: FakeScheduler): readonly string[] =>
  scheduler.got(schedulerMessages.FrameworkError).map(({ message }) => message);
const amounts = ({ resources }: { readonly resources: Iterable<Resource> }): string =>
  String(Resources.of(resources).unallocate());

describe('roles at the master', () => {
  it('ROLE-01 refuses a framework with a role that is invalid, or none of those that the cluster has', async () => {
    await using cluster = await TestCluster.start({ roles: ['ads', 'eng/web'] });
    await cluster.agent();
    const scheduler = await cluster.scheduler('one', { roles: ['other'] });
    scheduler.subscribe({ roles: ['eng'] });
    scheduler.subscribe({ roles: ['ads', 'other'], capabilities: ['MULTI_ROLE'] });
    await cluster.advance('20ms');
    expect(refusals(scheduler)).to.have.length(3);
    for (const refusal of refusals(scheduler)) expect(refusal).to.match(/does not admit: (other|eng)$/);
    for (const role of ['ads/', '-ads', 'a b', '.', 'ads/*']) scheduler.subscribe({ roles: [role] });
    await cluster.advance('20ms');
    expect(refusals(scheduler)).to.have.length(8);
    for (const refusal of refusals(scheduler).slice(3)) expect(refusal).to.match(/invalid role/);
    expect((await cluster.state()).frameworks).to.deep.equal([]);
    expect(scheduler.offers).to.deep.equal([]);
    const admitted = await cluster.scheduler('two', { roles: ['ads', 'eng/web', '*'], capabilities: ['MULTI_ROLE'] });
    expect(admitted.offers).to.have.length(1);
    const answer = admitted.question(schedulerMessages.UpdateFramework, {
      framework: {
        name: 'test',
        roles: ['other'],
        failoverTimeout: 0,
        checkpoint: false,
        capabilities: [],
        id: admitted.id,
      },
    });
    await cluster.advance('1s');
    expect(answer.get().fault).to.match(/does not admit: other/);
  });

  it('ROLE-02 takes a framework of any role where nothing else was said, and offers it what is reserved for that role', async () => {
    await using cluster = await TestCluster.start();
    await cluster.agent('agent-1', 'cpus(never/heard/of):1;mem(never/heard/of):512;cpus:3;mem:512');
    const other = await cluster.scheduler('other', { roles: ['another'] });
    expect(other.offers.map(amounts)).to.deep.equal(['cpus:3;mem:512']);
    other.decline(other.lastOffer, 3600);
    const scheduler = await cluster.scheduler('one', { roles: ['never/heard/of'] });
    await cluster.advance('2s');
    const total = Resources.sum(scheduler.offers.map(({ resources }) => Resources.of(resources).unallocate()));
    expect(String(total.reserved('never/heard/of'))).to.match(/:1;.*:512$/);
    expect(total.scalar('cpus')).to.equal(4);
    expect(refusals(scheduler)).to.deep.equal([]);
  });

  it('ROLE-04 a framework of several roles is one of each of them, until it is gone', async () => {
    await using cluster = await TestCluster.start();
    const metric = (role: string): Promise<number | undefined> =>
      cluster.metric(`allocator/mesos/roles/${role}/shares/dominant`);
    const roles = ['r1', 'r2'];
    const scheduler = await cluster.scheduler('one', { roles, capabilities: ['MULTI_ROLE'] });
    for (const node of ['agent-1', 'agent-2']) await cluster.agent(node);
    await cluster.advance('2s');
    expect(scheduler.offers.map(({ role }) => role).toSorted()).to.deep.equal(roles);
    for (const role of roles) expect(await metric(role), role).to.equal(0.5);
    expect((await cluster.state()).frameworks[0]).to.deep.include({ roles });
    // It is in them beside others.
    const second = await cluster.scheduler('two', { roles: ['r2'] });
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('2s');
    expect(await metric('r1')).to.equal(undefined);
    expect(await metric('r2')).to.equal(1);
    expect(second.offers).to.have.length(2);
    second.tell(schedulerMessages.Teardown, { frameworkId: second.id });
    await cluster.advance('2s');
    expect(await metric('r2')).to.equal(undefined);
  });

  it('ROLE-06 takes volumes of one name for each role of a path, and a task may use them all', async () => {
    await using cluster = await TestCluster.start();
    const roles = ['a', 'a/b', 'a/b/c'];
    const agent = await cluster.agent('agent-1', 'cpus:8;mem:4096;disk:1000');
    const volume = (role: string): Resource => ({
      name: 'disk',
      type: 'SCALAR',
      scalar: 10,
      reservations: [{ type: 'DYNAMIC', role }],
      disk: { persistence: { id: 'v' }, volume: { containerPath: 'data', mode: 'RW' } },
    });
    for (const [index, role] of roles.entries()) {
      const scheduler = await cluster.scheduler(`framework-${index}`, { roles: [role] });
      await cluster.advance('2s');
      const disk = Resources.parse('disk:10').pushReservation({ type: 'DYNAMIC', role });
      const operations: Operation[] = [
        { type: 'RESERVE', resources: [...disk] },
        { type: 'CREATE', volumes: [volume(role)] },
      ];
      scheduler.accept(scheduler.lastOffer, operations, 3600);
      await cluster.advance('2s');
      for (const offer of scheduler.offers.slice(1)) scheduler.decline(offer, 3600);
    }
    const created = agent
      .got(agentMessages.ApplyOperation)
      .flatMap(({ operation }) =>
        operation.type === 'CREATE' ? operation.volumes.map(({ reservations }) => reservations?.[0]?.role) : [],
      );
    expect(created).to.deep.equal(roles);
    // All of them are offered to who is in the deepest one.
    const deepest = await cluster.scheduler('deepest', { roles: ['a/b/c'] });
    await cluster.advance('2s');
    const all = Resources.sum(deepest.offers.map(({ resources }) => Resources.of(resources).unallocate()));
    const rolesOf = (resources: Resources): readonly unknown[] =>
      [...resources.persistentVolumes()].map(({ reservations }) => reservations?.[0]?.role);
    expect(rolesOf(all)).to.have.members(roles);
    const using = (id: string, ...volumes: Resource[]): TaskInfo =>
      taskInfo(id, agent.id, '', { resources: [...Resources.parse('cpus:0.1;mem:32'), ...volumes] });
    deepest.launch(deepest.offers, [using('each', ...roles.map(volume)), using('none-left', volume('a'))]);
    await cluster.advance('2s');
    expect(agent.runs.map(({ taskId }) => taskId)).to.deep.equal(['each']);
    expect(rolesOf(Resources.of(agent.runs[0]?.resources ?? []))).to.have.members(roles);
  });
});

describe('weights', () => {
  const start = async (options: ClusterOptions = {}) => {
    const cluster = await TestCluster.start({ registry: memoryLog(new MemoryLogStore()), ...options });
    const set = async (weights: Readonly<Record<string, number>>): Promise<unknown> => {
      const outcome = dispatch(cluster.leader, (master) => master.operator.setWeights(weights));
      await cluster.advance('1s');
      return outcome.isReady ? undefined : outcome.failure();
    };
    return { cluster, set };
  };

  it('WGT-01 are refused, all together, if one is no number above 0, or its role no role or unknown to the cluster', async () => {
    const { cluster, set } = await start({ roles: ['ads', 'eng'] });
    await using _ = cluster;
    const agents = ['agent-1', 'agent-2', 'agent-3', 'agent-4'];
    const bad: readonly Readonly<Record<string, number>>[] = [
      ...[{ eng: 0 }, { eng: -1 }, { eng: Number.NaN }, { eng: Infinity }],
      ...[{ '': 2 }, { 'a//b': 2 }, { other: 2 }],
    ];
    for (const weights of bad) expect(await set({ ads: 3, ...weights })).to.be.instanceOf(RangeError);
    expect(await set({ eng: '2' as unknown as number }), 'a text').to.be.instanceOf(RangeError);
    const [ads, eng] = [
      await cluster.scheduler('one', { roles: ['ads'] }),
      await cluster.scheduler('two', { roles: ['eng'] }),
    ];
    for (const node of agents) await cluster.agent(node);
    await cluster.advance('2s');
    expect([ads.offers.length, eng.offers.length], 'nothing was changed').to.deep.equal([2, 2]);
    expect(await set({ ads: 3 })).to.equal(undefined);
    await cluster.advance('2s');
    expect([ads.offers.length, eng.offers.length]).to.deep.equal([3, 1]);
    const { cluster: open, set: setThere } = await start();
    await using __ = open;
    for (const role of ['', 'a//b', 'a b', '..']) expect(await setThere({ [role]: 2 })).to.be.instanceOf(RangeError);
    expect(await setThere({ any: 2 })).to.equal(undefined);
  });

  it('rescind all offers when they change for a role with frameworks, and stand after a failover', async () => {
    const { cluster, set } = await start();
    await using _ = cluster;
    const agents = [await cluster.agent('agent-1'), await cluster.agent('agent-2'), await cluster.agent('agent-3')];
    agents.push(await cluster.agent('agent-4'));
    const ads = await cluster.scheduler('one', { roles: ['ads'] });
    const eng = await cluster.scheduler('two', { roles: ['eng'] });
    await cluster.advance('2s');
    expect(await set({ nobody: 7 })).to.equal(undefined);
    expect(ads.got(schedulerMessages.Rescind)).to.deep.equal([]);
    expect(await set({ eng: 3 })).to.equal(undefined);
    expect(ads.got(schedulerMessages.Rescind).length).to.be.greaterThan(0);
    await cluster.failOver();
    for (const scheduler of [ads, eng]) scheduler.received.length = 0;
    ads.subscribe({ roles: ['ads'] });
    eng.subscribe({ roles: ['eng'] });
    await cluster.advance('1s');
    for (const agent of agents) agent.reregister([], [], agent.id);
    await cluster.advance('2s');
    expect([ads.offers.length, eng.offers.length]).to.deep.equal([1, 3]);
  });
});
