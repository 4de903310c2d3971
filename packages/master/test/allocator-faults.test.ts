import { expect } from 'chai';
import { dispatch, type Logger, type Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { AgentID, allocatorMessages, FrameworkID, Resources, schedulerMessages } from '@mezzo/protocol';
import { type AllocatorFactory, HierarchicalAllocator, startMaster } from '@mezzo/master';
import { FakeAgent, FakeAllocator, FakeScheduler, taskInfo } from './peers.ts';

/** A real master with an allocator that is not. */
class FaultyCluster implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly crashes: string[] = [];
  readonly world = new Simulation({ onError: (error) => void this.crashes.push(String(error)) });
  #master: Runtime | undefined;

  /** @param elsewhere it runs on a node of its own */
  static async start(allocator: AllocatorFactory, elsewhere = false): Promise<FaultyCluster> {
    const cluster = new FaultyCluster();
    const log = new Proxy({} as Logger, {
      get: (_, level) => (_fields: unknown, line: unknown) => cluster.lines.push(`${String(level)} ${String(line)}`),
    });
    cluster.#master = await cluster.world.start('master', { log });
    if (elsewhere) (await cluster.world.start('elsewhere')).spawn(allocator({}));
    startMaster(cluster.#master, {
      allocator: elsewhere ? cluster.#master.pid('allocator@elsewhere') : allocator,
    });
    await cluster.world.settle();
    return cluster;
  }

  get master(): Runtime {
    if (this.#master === undefined) throw new Error('no master');
    return this.#master;
  }

  get errors(): readonly string[] {
    return this.lines.filter((line) => line.startsWith('error'));
  }

  async agent(name: string, resources = 'cpus:4;mem:4096'): Promise<FakeAgent> {
    const agent = await this.#peer(name, new FakeAgent(resources, { hostname: name }));
    agent.register();
    await this.world.settle();
    return agent;
  }

  async scheduler(name: string): Promise<FakeScheduler> {
    const scheduler = await this.#peer(name, new FakeScheduler());
    scheduler.subscribe({ failoverTimeout: 3_600_000 });
    await this.world.settle();
    return scheduler;
  }

  async metric(name: string): Promise<number | undefined> {
    const answer = this.master.metrics.snapshot();
    await this.world.settle();
    return answer.get().get(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }

  async #peer<P extends Process>(node: string, peer: P): Promise<P> {
    const runtime = await this.world.start(node);
    runtime.spawn(peer);
    await this.world.settle();
    return peer;
  }
}

/** The shipping one, but it crashes when the test says so. */
class FragileAllocator extends HierarchicalAllocator {
  crash(): void {
    throw new Error('a bug of its author');
  }
}

const cpus = (scalar: number, more: object = {}): object => ({
  ...{ name: 'cpus', type: 'SCALAR', scalar, allocationRole: '*' },
  ...more,
});

describe('an allocator that crashes', () => {
  it('is started again, and offers and tasks stay as they are', async () => {
    const made: FragileAllocator[] = [];
    await using cluster = await FaultyCluster.start((options) => {
      const allocator = new FragileAllocator(options);
      made.push(allocator);
      return allocator;
    });
    const { world } = cluster;
    const [one, two] = [await cluster.agent('one'), await cluster.agent('two')];
    const scheduler = await cluster.scheduler('scheduler');
    await world.advance('2s');
    const [first, second] = [one, two].map(({ id }) => scheduler.offers.find(({ agentId }) => agentId === id));
    if (first === undefined || second === undefined) throw new Error('no offers');
    scheduler.launch(first, [taskInfo('before', one.id, 'cpus:1;mem:32')], 3600);
    await world.advance('1s');

    const [allocator] = made;
    if (allocator === undefined) throw new Error('no allocator');
    const crashed = dispatch(allocator.self, (it) => it.crash());
    await world.settle();
    expect(String(crashed.failure())).to.contain('a bug of its author');
    expect(cluster.errors.join()).to.match(/the allocator 'allocator@master' crashed: .*a bug of its author/);
    // While it is away: the offer that is out is good, and a task ends.
    scheduler.launch(second, [taskInfo('meanwhile', two.id, 'cpus:2;mem:32')], 3600);
    await world.settle();
    expect(two.runs.map(({ name }) => name)).to.deep.equal(['meanwhile']);
    await world.advance('5s');

    expect(made).to.have.length(2);
    expect(scheduler.got(schedulerMessages.Rescind)).to.deep.equal([]);
    // Filters are forgotten: what is free of both is offered, and no more than that.
    const now = scheduler.offers.slice(2).map(({ resources }) => Resources.of(resources).scalar('cpus'));
    expect(now).to.have.members([2, 3]);
    expect(await cluster.metric('allocator/mesos/resources/cpus/offered_or_allocated')).to.equal(8);
    expect(await cluster.metric('master/invalid_allocations')).to.equal(0);
    const three = await cluster.agent('three');
    await world.advance('1s');
    expect(scheduler.lastOffer.agentId).to.equal(three.id);
  });

  it('comes back more and more slowly as long as it crashes at once, while the master goes on', async () => {
    let made = 0;
    class Hopeless extends HierarchicalAllocator {
      protected override initialize(): void {
        throw new Error('it never works');
      }
    }
    await using cluster = await FaultyCluster.start((options) => {
      made++;
      return new Hopeless(options);
    });
    await cluster.world.advance('5mins');
    expect(made).to.be.within(5, 25);
    const agent = await cluster.agent('agent');
    const scheduler = await cluster.scheduler('scheduler');
    expect(scheduler.id).to.contain('-0000');
    expect(await cluster.metric('master/slaves_active')).to.equal(1);
    expect(agent.id).to.be.a('string');
  });

  it('is started again under an id of its own, also when it just ends', async () => {
    const made: HierarchicalAllocator[] = [];
    await using cluster = await FaultyCluster.start((options) => {
      const allocator = new HierarchicalAllocator({ ...options, id: 'mine' });
      made.push(allocator);
      return allocator;
    });
    const scheduler = await cluster.scheduler('scheduler');
    cluster.master.terminate(cluster.master.pid('mine@master'));
    await cluster.world.advance('5s');
    expect(made).to.have.length(2);
    const agent = await cluster.agent('agent');
    await cluster.world.advance('1s');
    expect(scheduler.lastOffer.agentId).to.equal(agent.id);
  });

  it('before there is one is told to whoever starts the master', async () => {
    await using world = new Simulation();
    const runtime = await world.start('master');
    const allocator = (): Process => {
      throw new RangeError('no such policy');
    };
    expect(() => startMaster(runtime, { allocator })).to.throw(RangeError, 'no such policy');
    expect(() => startMaster(runtime, { roleSorter: 'clever' })).to.throw(RangeError, "Unknown sorter 'clever'");
    const sorted = { allocator: runtime.pid('allocator@elsewhere'), frameworkSorter: 'random' };
    expect(() => startMaster(runtime, sorted)).to.throw(RangeError, 'allocator@elsewhere runs elsewhere');
    expect(runtime.processes).to.deep.equal([]);
  });
});

describe('an allocator that is wrong', () => {
  /** An allocator that says what the test says, by a name as `resolveAllocator` gives it. */
  async function startLiar(): Promise<{ cluster: FaultyCluster; liar: FakeAllocator }> {
    const liar = new FakeAllocator();
    const factory = Object.defineProperty((): Process => liar, 'name', { value: './liar.js' });
    return { cluster: await FaultyCluster.start(factory), liar };
  }

  const invalid: Readonly<Record<string, (frameworkId: FrameworkID, agentId: AgentID) => unknown>> = {
    'over-allocates': (frameworkId, agentId) => one(frameworkId, agentId, [cpus(5)]),
    'allocates what the agent does not have': (frameworkId, agentId) =>
      one(frameworkId, agentId, [cpus(1, { name: 'gpus' })]),
    'allocates a negative amount': (frameworkId, agentId) => one(frameworkId, agentId, [cpus(-1), cpus(2)]),
    'allocates no number': (frameworkId, agentId) => one(frameworkId, agentId, [cpus(Number.NaN)]),
    'allocates beyond all numbers': (frameworkId, agentId) => one(frameworkId, agentId, [cpus(2 ** 53)]),
    'allocates nothing': (frameworkId, agentId) => one(frameworkId, agentId, []),
    'allocates ranges that overlap or end before they begin': (frameworkId, agentId) =>
      one(frameworkId, agentId, [
        { name: 'ports', type: 'RANGES', ranges: [{ begin: 9, end: 1 }], allocationRole: '*' },
      ]),
    'does not say for which role': (frameworkId, agentId) =>
      one(frameworkId, agentId, [cpus(1, { allocationRole: undefined })]),
    'says another role of the resources': (frameworkId, agentId) =>
      one(frameworkId, agentId, [cpus(1, { allocationRole: 'ads' })]),
    'gives away what is reserved to another role': (frameworkId, agentId) =>
      one(frameworkId, agentId, [cpus(1, { reservations: [{ type: 'STATIC', role: 'ads' }] })]),
    'sends no allocations': (frameworkId) => ({ frameworkId }),
    'sends nothing at all': () => undefined,
    'sends resources that are none': (frameworkId, agentId) => one(frameworkId, agentId, [null]),
    'sends ids that are none': () => one(7, {}, [cpus(1)]),
  };
  const one = (frameworkId: unknown, agentId: unknown, resources: unknown): unknown => ({
    frameworkId,
    allocations: [{ role: '*', agentId, resources }],
  });

  for (const [what, body] of Object.entries(invalid)) {
    it(`and ${what} is refused, counted and named`, async () => {
      const { cluster, liar } = await startLiar();
      await using _end = cluster;
      const agent = await cluster.agent('agent', 'cpus:4;cpus(ads):2');
      const scheduler = await cluster.scheduler('scheduler');
      // What it is not allowed to send.
      liar.tell(allocatorMessages.Allocated, body(scheduler.id, agent.id) as never);
      await cluster.world.settle();
      expect(scheduler.offers).to.deep.equal([]);
      expect(await cluster.metric('master/invalid_allocations')).to.equal(1);
      expect(cluster.errors).to.have.length(1);
      expect(cluster.errors[0]).to.contain("the allocator './liar.js'");
      expect(cluster.crashes).to.deep.equal([]);
      // And the master goes on with it.
      liar.allocate(scheduler.id, agent.id, 'cpus:4');
      await cluster.world.settle();
      expect(scheduler.offers).to.have.length(1);
    });
  }

  it('does not spoil what is right in the same message', async () => {
    const { cluster, liar } = await startLiar();
    await using _end = cluster;
    const [first, second] = [await cluster.agent('first'), await cluster.agent('second')];
    const scheduler = await cluster.scheduler('scheduler');
    const allocations = [first, second, first].map(({ id }) => ({
      ...{ role: '*', agentId: id },
      resources: [...Resources.parse('cpus:3').allocate('*')],
    }));
    liar.tell(allocatorMessages.Allocated, { frameworkId: scheduler.id, allocations });
    await cluster.world.settle();
    expect(scheduler.offers.map(({ agentId }) => agentId)).to.deep.equal([first.id, second.id]);
    expect(await cluster.metric('master/invalid_allocations')).to.equal(1);
    // What it did not know it is told: all about that agent.
    const told = liar.got(allocatorMessages.AddAgent).slice(2);
    expect(told.map(({ agentId, used }) => [agentId, used.length])).to.deep.equal([[first.id, 1]]);
  });

  it('about who is there is told who is not, and nobody is offered anything', async () => {
    const { cluster, liar } = await startLiar();
    await using _end = cluster;
    const agent = await cluster.agent('agent');
    const scheduler = await cluster.scheduler('scheduler');
    const [noFramework, noAgent] = [FrameworkID('nobody'), AgentID('nowhere')];
    liar.allocate(noFramework, agent.id, 'cpus:1');
    liar.allocate(scheduler.id, noAgent, 'cpus:1');
    const resources = [...Resources.parse('cpus:1').allocate('ads')];
    const allocation = { role: 'ads', agentId: agent.id, resources };
    liar.tell(allocatorMessages.Allocated, { frameworkId: scheduler.id, allocations: [allocation] });
    await cluster.world.settle();
    expect(scheduler.offers).to.deep.equal([]);
    expect(await cluster.metric('master/stale_allocations')).to.equal(3);
    expect(await cluster.metric('master/invalid_allocations')).to.equal(0);
    expect(liar.got(allocatorMessages.RemoveFramework)).to.deep.equal([{ frameworkId: noFramework }]);
    expect(liar.got(allocatorMessages.RemoveAgent)).to.deep.equal([{ agentId: noAgent }]);
    const [back] = liar.got(allocatorMessages.RecoverResources);
    expect(back).to.deep.equal({ frameworkId: scheduler.id, agentId: agent.id, resources, isAllocated: false });
    expect(cluster.lines.filter((line) => line.includes('./liar.js') || line.includes('nobody gets'))).to.have.length(
      3,
    );
  });

  it('many times at once floods neither the log nor itself, and keeps nobody from being served', async () => {
    const { cluster, liar } = await startLiar();
    await using _end = cluster;
    const agent = await cluster.agent('agent');
    const scheduler = await cluster.scheduler('scheduler');
    for (let time = 0; time < 20_000; time++) {
      liar.allocate(scheduler.id, agent.id, 'cpus:5');
      liar.allocate(FrameworkID(`nobody-${time}`), agent.id, 'cpus:1');
    }
    const other = await cluster.agent('other');
    await cluster.world.settle();
    expect(other.id).to.be.a('string');
    expect(await cluster.metric('master/invalid_allocations')).to.equal(20_000);
    expect(await cluster.metric('master/stale_allocations')).to.equal(20_000);
    expect(cluster.errors).to.have.length(1);
    expect(liar.got(allocatorMessages.RemoveFramework).length).to.be.at.most(1000);
    const told = (): number =>
      liar.got(allocatorMessages.AddAgent).filter(({ agentId }) => agentId === agent.id).length;
    expect(told()).to.equal(2);
    // What it did wrong after it was told it is told once more.
    await cluster.world.advance('1s');
    expect(told()).to.equal(3);
    await cluster.world.advance('10s');
    expect(told()).to.equal(3);
    liar.allocate(scheduler.id, agent.id, 'cpus:5');
    await cluster.world.settle();
    expect(cluster.errors).to.have.length(2);
    expect(cluster.errors[1]).to.contain('19999 more');
  });

  it('as often as it is put right is put right once a second', async () => {
    class Stubborn extends FakeAllocator {
      frameworkId: FrameworkID | undefined;

      protected override heard(kind: string, body?: unknown): void {
        super.heard(kind);
        if (kind !== allocatorMessages.AddAgent.name || this.frameworkId === undefined) return;
        this.allocate(this.frameworkId, (body as { readonly agentId: AgentID }).agentId, 'cpus:5');
      }
    }
    const stubborn = new Stubborn();
    await using cluster = await FaultyCluster.start(() => stubborn);
    const scheduler = await cluster.scheduler('scheduler');
    stubborn.frameworkId = scheduler.id;
    await cluster.agent('agent');
    await cluster.world.advance('10s');
    expect(await cluster.metric('master/invalid_allocations')).to.be.within(9, 13);
    expect(scheduler.offers).to.deep.equal([]);
  });

  it('on a node of its own is refused the same, by its address, and what is malformed never arrives', async () => {
    const liar = new FakeAllocator();
    await using cluster = await FaultyCluster.start(() => liar, true);
    await cluster.world.advance('5s');
    const agent = await cluster.agent('agent');
    const scheduler = await cluster.scheduler('scheduler');
    await cluster.world.advance('1s');
    liar.allocate(scheduler.id, agent.id, 'cpus:5');
    liar.tell(allocatorMessages.Allocated, one(7, {}, [null]) as never);
    await cluster.world.settle();
    expect(scheduler.offers).to.deep.equal([]);
    expect(await cluster.metric('master/invalid_allocations')).to.equal(1);
    expect(cluster.errors.join()).to.contain("the allocator 'allocator@elsewhere'");
    liar.allocate(scheduler.id, agent.id, 'cpus:4');
    await cluster.world.settle();
    expect(scheduler.offers).to.have.length(1);
  });

  it('and says that it listens without being asked is not told everything again', async () => {
    const { cluster, liar } = await startLiar();
    await using _end = cluster;
    await cluster.agent('agent');
    for (let time = 0; time < 3; time++) liar.tell(allocatorMessages.AllocatorInitialized, {});
    await cluster.world.settle();
    expect(liar.got(allocatorMessages.AddAgent)).to.have.length(1);
  });
});
