import { dispatch } from '@mezzo/process';
import { expect } from 'chai';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { agentMessages, type FrameworkInfo, type Offer, Resources, schedulerMessages } from '@mezzo/protocol';
import { type ClusterOptions, TestCluster } from './cluster.ts';
import { type FakeScheduler, reported, taskInfo } from './peers.ts';

const amounts = (offers: Iterable<Offer>): string =>
  String(Resources.sum([...offers].map(({ resources }) => Resources.of(resources).unallocate())));

for (const allocator of ['HierarchicalDRF', 'HierarchicalRandom']) {
  describe(`the master with the allocator ${allocator}`, () => {
    let cluster: TestCluster;
    const start = async (options: ClusterOptions = {}): Promise<void> => {
      const registry = memoryLog(new MemoryLogStore());
      cluster = await TestCluster.start({ exploded: false, allocator, registry, ...options });
    };
    afterEach(() => cluster[Symbol.asyncDispose]());

    /** Offers that stand, of those made since the last call. */
    const news = (scheduler: FakeScheduler): readonly Offer[] => {
      const seen = before.get(scheduler) ?? 0;
      before.set(scheduler, scheduler.offers.length);
      return scheduler.offers.slice(seen);
    };
    const before = new Map<FakeScheduler, number>();
    const launch = async (scheduler: FakeScheduler, resources: string, id = 't', refuse = 0): Promise<void> => {
      const offer = scheduler.lastOffer;
      scheduler.launch(offer, [taskInfo(id, offer.agentId, resources)], refuse);
      await cluster.advance('2s');
    };

    it('MASTER-30 offers one framework all there is, and what it leaves unused again', async () => {
      await start();
      await cluster.agent('agent-1', 'cpus:2;mem:1024');
      const scheduler = await cluster.scheduler();
      expect(amounts(news(scheduler))).to.equal('cpus:2;mem:1024');
      await launch(scheduler, 'cpus:1;mem:512');
      expect(amounts(news(scheduler))).to.equal('cpus:1;mem:512');
      const [used] = (await cluster.state()).slaves.map((slave) => slave.used_resources);
      expect(used).to.include({ cpus: 1, mem: 512 });
    });

    it('MASTER-30 offers what an end or a loss frees: of a task, an agent, a framework', async () => {
      await start();
      const agent = await cluster.agent('agent-1', 'cpus:2;mem:1024');
      const scheduler = await cluster.scheduler('one');
      await launch(scheduler, 'cpus:2;mem:1024');
      expect(news(scheduler).slice(1)).to.deep.equal([]);
      agent.update(scheduler.id, 't', 'TASK_FINISHED');
      await cluster.advance('2s');
      expect(amounts(news(scheduler))).to.equal('cpus:2;mem:1024');
      await launch(scheduler, 'cpus:2;mem:1024', 'next');
      const second = await cluster.scheduler('two');
      await cluster.advance('2s');
      expect(news(second)).to.deep.equal([]);
      // It ends with its tasks.
      scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
      await cluster.advance('2s');
      expect(amounts(news(second))).to.equal('cpus:2;mem:1024');
      agent.tell(agentMessages.UnregisterAgent, { agentId: agent.id });
      await cluster.advance('2s');
      expect(second.offers).to.deep.equal([]);
      before.set(second, 0);
      await cluster.agent('agent-2', 'cpus:3;mem:512');
      await cluster.advance('2s');
      expect(amounts(news(second))).to.equal('cpus:3;mem:512');
    });

    it('MASTER-30 is not confused by news out of their order', async () => {
      await start();
      const agent = await cluster.agent('agent-1', 'cpus:2;mem:1024');
      const scheduler = await cluster.scheduler('one');
      const offer = scheduler.lastOffer;
      // The offer is used, declined and given up at once, and its framework is gone before its agent's news arrive.
      scheduler.launch(offer, [taskInfo('t', agent.id, 'cpus:1;mem:512')]);
      scheduler.decline(offer, 0);
      scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
      agent.update(scheduler.id, 't', 'TASK_FINISHED');
      const second = await cluster.scheduler('two');
      agent.update(scheduler.id, 't', 'TASK_FINISHED');
      await cluster.advance('5s');
      expect(amounts(second.offers)).to.equal('cpus:2;mem:1024');
      await launch(second, 'cpus:2;mem:1024');
      expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 2, mem: 1024 });
    });

    it('MASTER-30 offers a scheduler that takes over what its predecessor had on offer', async () => {
      await start();
      await cluster.agent('agent-1', 'cpus:2;mem:1024');
      const first = await cluster.scheduler('first', { failoverTimeout: 1e9 });
      await launch(first, 'cpus:1;mem:512');
      const second = await cluster.scheduler('second', { failoverTimeout: 1e9, id: first.id });
      await cluster.advance('2s');
      expect(amounts(news(second))).to.equal('cpus:1;mem:512');
      const used = (await cluster.state()).slaves[0]?.used_resources;
      expect(used).to.include({ cpus: 1, mem: 512 });
      await launch(second, 'cpus:1;mem:512', 'next');
      expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 2 });
    });

    it('MASTER-30 offers memory without a processor and a processor without memory, but not crumbs', async () => {
      await start();
      const agent = await cluster.agent('memory', 'mem:512');
      await cluster.agent('processor', 'cpus:2');
      await cluster.agent('crumbs', 'cpus:0.001;mem:16');
      const scheduler = await cluster.scheduler();
      await cluster.advance('5s');
      expect(scheduler.offers.map(({ hostname }) => hostname).toSorted()).to.deep.equal(['memory', 'processor']);
      const offer = scheduler.offers.find(({ agentId }) => agentId === agent.id);
      if (offer === undefined) throw new Error('no offer');
      scheduler.launch(offer, [taskInfo('t', agent.id, 'mem:500')], 0);
      const count = scheduler.offers.length;
      await cluster.advance('5s');
      expect(agent.runs).to.have.length(1);
      expect(scheduler.offers, 'mem:12 is left').to.have.length(count);
    });

    it('MASTER-30 offers what is worth it by min_allocatable_resources, on the hosts of the whitelist', async () => {
      await start({ minAllocatableResources: 'cpus:1;mem:100|disk:10' });
      dispatch(cluster.leader, (master) => master.operator.setWhitelist(['both', 'disk', 'processor']));
      await cluster.agent('both', 'cpus:1;mem:100');
      await cluster.agent('disk', 'disk:10');
      await cluster.agent('processor', 'cpus:8;mem:99');
      await cluster.agent('unlisted', 'cpus:8;mem:800');
      const scheduler = await cluster.scheduler();
      await cluster.advance('5s');
      expect(scheduler.offers.map(({ hostname }) => hostname).toSorted()).to.deep.equal(['both', 'disk']);
    });

    it('MASTER-30 offers what is reserved for a role to that role, and to none beside it', async () => {
      await start();
      await cluster.agent('agent-1', 'cpus(r1):1;mem(r1):100;cpus(r2):2;mem(r2):200;cpus:4;mem:400');
      const second = await cluster.scheduler('two', { roles: ['r2'] });
      await cluster.advance('2s');
      const held = Resources.sum(second.offers.map(({ resources }) => Resources.of(resources).unallocate()));
      expect([held.scalar('cpus'), held.reserved('r1').isEmpty]).to.deep.equal([6, true]);
      const first = await cluster.scheduler('one', { roles: ['r1'] });
      await cluster.advance('2s');
      expect(amounts(news(first))).to.match(/^cpus.*r1.*:1;mem.*r1.*:100$/);
    });

    it('MASTER-30 counts what runs whichever of agent and framework registers first after a failover', async () => {
      for (const isAgentFirst of [true, false]) {
        await start();
        const info: Partial<FrameworkInfo> = { failoverTimeout: 1e9, checkpoint: true };
        const agent = await cluster.agent('agent-1', 'cpus:2;mem:1024');
        const scheduler = await cluster.scheduler('one', info);
        await launch(scheduler, 'cpus:1;mem:512');
        await cluster.failOver();
        const { id } = scheduler;
        const subscribe = (): void => scheduler.subscribe({ ...info, id });
        const register = (): void => {
          const framework = {
            name: 'test',
            roles: ['*'],
            failoverTimeout: 1e9,
            checkpoint: true,
            capabilities: [],
            id,
          };
          agent.reregister([reported(id, agent.id, 't', 'cpus:1;mem:512')], [framework], agent.id);
        };
        const steps = isAgentFirst ? [register, subscribe] : [subscribe, register];
        before.set(scheduler, scheduler.offers.length);
        for (const step of steps) {
          step();
          await cluster.advance('5s');
        }
        expect(amounts(news(scheduler)), String(isAgentFirst)).to.equal('cpus:1;mem:512');
        expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 1, mem: 512 });
        if (isAgentFirst) await cluster[Symbol.asyncDispose]();
      }
    });

    it('MASTER-30 shares anew when weights change', async () => {
      await start();
      const [one, two] = [
        await cluster.scheduler('one', { roles: ['r1'] }),
        await cluster.scheduler('two', { roles: ['r2'] }),
      ];
      for (let n = 0; n < 6; n++) await cluster.agent(`agent-${n}`, 'cpus:2;mem:1024');
      await cluster.advance('2s');
      const outcome = dispatch(cluster.leader, (master) =>
        master.operator.setWeights({ r2: allocator === 'HierarchicalDRF' ? 2 : 1e6 }),
      );
      await cluster.advance('1s');
      expect(outcome.isReady).to.equal(true);
      expect(one.offers.length + two.offers.length, 'all were taken back and made anew').to.equal(6);
      expect(one.got(schedulerMessages.Rescind).length + two.got(schedulerMessages.Rescind).length).to.equal(6);
      const expected = allocator === 'HierarchicalDRF' ? [2, 4] : [0, 6];
      expect([one.offers.length, two.offers.length]).to.deep.equal(expected);
    });

    it('MASTER-30 offers frameworks in roles below others what is theirs', async () => {
      await start();
      const one = await cluster.scheduler('one', { roles: ['a/b'] });
      const two = await cluster.scheduler('two', { roles: ['a/c'] });
      await cluster.agent('agent-1', 'cpus:2;mem:1024');
      await cluster.agent('agent-2', 'cpus(a/b):1;mem(a/b):512');
      await cluster.advance('2s');
      expect(one.offers.map(({ hostname }) => hostname)).to.include('agent-2');
      expect(two.offers.map(({ hostname }) => hostname)).to.not.include('agent-2');
      expect([...one.offers, ...two.offers].filter(({ hostname }) => hostname === 'agent-1')).to.have.length(1);
      for (const { role } of one.offers) expect(role).to.equal('a/b');
    });
  });
}
