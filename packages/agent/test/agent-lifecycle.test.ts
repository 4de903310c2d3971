import { dispatch, type LocalPID, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { type Agent, type AgentOptions, startAgent } from '@mezzo/agent';
import { expect } from 'chai';
import { FakeDetector } from './fake-detector.ts';
import { agentId, FakeMaster, taskOf } from './fake-master.ts';

/** An agent whose leader the test elects, with a task that takes a minute to die. */
class Bench implements AsyncDisposable {
  readonly world: Simulation;
  readonly runtime: Runtime;
  readonly detector: FakeDetector;
  readonly agent: LocalPID<Agent>;

  private constructor(world: Simulation, runtime: Runtime, detector: FakeDetector, agent: LocalPID<Agent>) {
    this.world = world;
    this.runtime = runtime;
    this.detector = detector;
    this.agent = agent;
  }

  static async start(options: Partial<AgentOptions> = {}): Promise<Bench> {
    const world = new Simulation({ script: () => ({ stubborn: true }) });
    const runtime = await world.start('agent-1');
    const detector = new FakeDetector('test-detector');
    const started = startAgent(runtime, {
      cluster: 'test',
      workDirectory: '/work',
      resources: 'cpus:1',
      detector: runtime.spawn(detector),
      ...options,
    });
    await world.advanceUntil(() => !started.isPending, '1s');
    await world.advance('1s');
    return new Bench(world, runtime, detector, started.get());
  }

  /** Registered, with the task running. */
  static async running(): Promise<{ readonly bench: Bench; readonly master: FakeMaster }> {
    const bench = await Bench.start();
    const master = bench.spawn(1);
    bench.elect(master);
    await bench.until(() => master.registrations.length > 0);
    await bench.world.advance('10ms');
    master.run(taskOf('t1', 'x', { killGracePeriod: 60_000 }));
    await bench.until(() => master.states('t1').includes('TASK_RUNNING'));
    return { bench, master };
  }

  spawn(revision: number): FakeMaster {
    const master = new FakeMaster({ created: 1, revision }, `master-${revision}`);
    this.runtime.spawn(master);
    return master;
  }

  elect(master: FakeMaster | undefined): void {
    const leader = master && { cluster: 'test', address: master.self.address, term: master.term, url: '' };
    expect(this.detector.elect(leader), 'the agent asks who leads').to.equal(true);
  }

  async until(condition: () => boolean): Promise<void> {
    expect(await this.world.advanceUntil(condition, '1mins'), condition.toString()).to.equal(true);
  }

  async state(): Promise<unknown> {
    const answer = this.runtime.http({ path: '/agent/state' });
    await this.world.settle();
    const { body } = answer.get();
    return (JSON.parse(typeof body === 'string' ? body : '{}') as { readonly state?: unknown }).state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }
}

describe('the lifecycle of an agent', () => {
  it('is disconnected until a leader is there, registering until it answers, then running', async () => {
    await using bench = await Bench.start();
    expect(await bench.state()).to.equal('disconnected');
    const master = bench.spawn(1);
    master.answers = false;
    bench.elect(master);
    await bench.until(() => master.registrations.length > 0);
    expect(await bench.state()).to.equal('registering');
    master.register();
    await bench.world.advance('10ms');
    expect(await bench.state()).to.equal('running');
  });

  it('goes on looking while nobody leads', async () => {
    await using bench = await Bench.start();
    for (let count = 0; count < 3; count++) {
      bench.elect(undefined);
      await bench.world.advance('1s');
      expect(await bench.state()).to.equal('disconnected');
    }
    const master = bench.spawn(1);
    bench.elect(master);
    await bench.until(() => master.registrations.length > 0);
  });

  it('gives up an attempt when the leader goes, and turns to the next', async () => {
    await using bench = await Bench.start();
    const [first, second] = [bench.spawn(1), bench.spawn(2)];
    first.answers = false;
    bench.elect(first);
    await bench.until(() => first.registrations.length > 0);
    bench.elect(undefined);
    await bench.world.advance('1s');
    expect(await bench.state()).to.equal('disconnected');
    const attempts = first.registrations.length;
    await bench.world.advance('5mins');
    expect(first.registrations).to.have.length(attempts);
    bench.elect(second);
    await bench.until(() => second.registrations.length > 0);
  });

  it('is disconnected again when the leader goes while it runs, keeps updates, and comes back with its id', async () => {
    const { bench, master } = await Bench.running();
    await using _ = bench;
    bench.elect(undefined);
    await bench.world.advance('1s');
    expect(await bench.state()).to.equal('disconnected');
    const told = master.updates.length;
    await bench.world.advance('5mins');
    expect(master.updates).to.have.length(told);
    bench.elect(master);
    await bench.until(() => master.reregistrations.length > 0);
    await bench.world.advance('10ms');
    expect(await bench.state()).to.equal('running');
  });

  it('leaves a leader that comes after one of a later reign, and follows the next', async () => {
    const { bench } = await Bench.running();
    await using _ = bench;
    const [late, old, next] = [bench.spawn(5), bench.spawn(3), bench.spawn(6)];
    for (const master of [late, old]) {
      bench.elect(master);
      await bench.world.advance('1mins');
    }
    expect(await bench.state()).to.equal('disconnected');
    bench.elect(next);
    await bench.until(() => next.reregistrations.length > 0);
    expect(old.reregistrations).to.deep.equal([]);
  });

  it('registers again when its link to the leader breaks, before pings or the detector tell', async () => {
    await using bench = await Bench.start();
    const { world } = bench;
    const master = new FakeMaster();
    master.totalPingTimeout = 3_600_000;
    (await world.start('elsewhere')).spawn(master);
    bench.elect(master);
    await bench.until(() => master.registrations.length > 0);
    await world.advance('1s');
    world.network.disconnect('elsewhere');
    await world.advance('2mins');
    expect(await bench.state()).to.equal('registering');
    world.network.reconnect('elsewhere');
    await bench.until(() => master.reregistrations.length > 0);
    await world.advance('1s');
    expect(await bench.state()).to.equal('running');
  });

  it('counts the time without a ping from the last answer of the master', async () => {
    await using bench = await Bench.start();
    const master = bench.spawn(1);
    master.totalPingTimeout = 40_000;
    bench.elect(master);
    await bench.until(() => master.registrations.length > 0);
    master.pings = false;
    await bench.world.advance('30s');
    master.register();
    await bench.world.advance('30s');
    expect(master.reregistrations).to.deep.equal([]);
    await bench.world.advance('15s');
    expect(master.reregistrations).to.have.length(1);
  });

  it('does not register more than once a second, though the master allows no time for a ping', async () => {
    await using bench = await Bench.start({ registrationBackoffFactor: '1ms' });
    const master = bench.spawn(1);
    master.totalPingTimeout = 0;
    master.pings = false;
    bench.elect(master);
    await bench.world.advance('1mins');
    expect(master.reregistrations.length).to.be.within(50, 60);
  });

  describe('when it shuts down while a task takes its time to die, registers with nobody', () => {
    it('if it was disconnected', async () => {
      const { bench } = await Bench.running();
      await using _ = bench;
      bench.elect(undefined);
      await bench.world.advance('1s');
      await shutDown(bench);
      await remainsAlone(bench, bench.spawn(2));
    });

    it('if it was registering', async () => {
      const { bench } = await Bench.running();
      await using _ = bench;
      const leader = bench.spawn(2);
      leader.answers = false;
      bench.elect(leader);
      await bench.until(() => leader.reregistrations.length > 0);
      await shutDown(bench);
      await remainsAlone(bench, leader);
    });

    it('if it was running', async () => {
      const { bench, master } = await Bench.running();
      await using _ = bench;
      await shutDown(bench);
      // Without pings it would register again.
      master.pings = false;
      master.totalPingTimeout = 1000;
      await remainsAlone(bench, bench.spawn(2));
      expect(master.reregistrations).to.deep.equal([]);
      expect(master.unregistered, 'it takes leave of the master it had').to.deep.equal([agentId]);
    });
  });
});

async function shutDown({ agent, world }: Bench): Promise<void> {
  void dispatch(agent, (p) => p.shutdown());
  await world.advance('1s');
}

/** The task lives, and a leader that turns up now hears nothing. */
async function remainsAlone(bench: Bench, leader: FakeMaster): Promise<void> {
  expect(await bench.state()).to.equal('terminating');
  const heard = leader.reregistrations.length;
  bench.detector.elect({ cluster: 'test', address: leader.self.address, term: leader.term, url: '' });
  await bench.world.advance('50s');
  expect(bench.runtime.processes, 'it still waits for its task').to.include('agent');
  expect(leader.reregistrations).to.have.length(heard);
  await bench.world.advance('20s');
  expect(bench.runtime.processes).to.not.include('agent');
  expect(leader.reregistrations).to.have.length(heard);
}
