import { startAgent } from '@mezzo/agent';
import { Simulation } from '@mezzo/process/testing';
import { agentMessages, type StatusUpdate } from '@mezzo/protocol';
import { expect } from 'chai';
import { RegistrationBackoff } from '../src/registration-backoff.ts';
import { Cluster } from './cluster.ts';
import { FakeDetector } from './fake-detector.ts';
import { agentId, FakeMaster, framework, frameworkId, taskOf } from './fake-master.ts';

const endless = { script: () => ({}) };

/** Counts the messages of one kind that are served on the agent's node from now on. */
function countOf(cluster: Cluster, name: string): () => number {
  let count = 0;
  cluster.runtime.interceptor = (event) => {
    if (event.name === name) count++;
    return 'serve';
  };
  return () => count;
}

/** A master with a later term on a node of its own. */
async function newLeader(cluster: Cluster, revision = 2, prepare: (master: FakeMaster) => void = () => {}) {
  const runtime = await cluster.world.start(`master-${revision}`);
  const master = new FakeMaster({ created: 1, revision });
  prepare(master);
  runtime.spawn(master);
  return master;
}

describe('registration', () => {
  it('tells what the agent is and has', async () => {
    await using cluster = await Cluster.registered({ hostname: 'host-1', attributes: { rack: 'r1' } });
    expect(cluster.master.registrations[0]?.agent).to.deep.equal({
      hostname: 'host-1',
      attributes: { rack: 'r1' },
      url: '',
      resources: [
        { type: 'SCALAR', name: 'cpus', scalar: 4 },
        { type: 'SCALAR', name: 'mem', scalar: 1024 },
        { type: 'RANGES', name: 'ports', ranges: [{ begin: 31_000, end: 32_000 }] },
      ],
    });
  });

  it('waits at random up to the factor, then up to twice as long each time, at most a minute', () => {
    const backoff = new RegistrationBackoff(1000);
    const all = { next: () => 1, uuid: () => '', bytes: () => new Uint8Array() };
    const waits = Array.from({ length: 9 }, () => backoff.next(all));
    expect(waits).to.deep.equal([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(backoff.next({ ...all, next: () => 0.25 })).to.equal(15_000);
    backoff.reset();
    expect(backoff.next(all)).to.equal(1000);
  });

  it('waits longer each time also with a factor of 0', () => {
    const backoff = new RegistrationBackoff(0);
    const all = { next: () => 1, uuid: () => '', bytes: () => new Uint8Array() };
    expect(Array.from({ length: 4 }, () => backoff.next(all))).to.deep.equal([1, 2, 4, 8]);
  });

  it('is tried again until the master answers, and not after that', async () => {
    await using cluster = await Cluster.start({ prepare: (master) => (master.answers = false) });
    const { master } = cluster;
    await cluster.until(() => master.registrations.length >= 5, '5mins');
    master.answers = true;
    const count = master.registrations.length;
    await cluster.until(() => master.registrations.length > count, '5mins');
    await cluster.world.advance('10mins');
    expect(master.registrations).to.have.length(count + 1);
    expect(master.reregistrations).to.deep.equal([]);
  });

  it('begins with the short wait again when a new leader comes', async () => {
    await using cluster = await Cluster.start({ prepare: (master) => (master.answers = false) });
    await cluster.until(() => cluster.master.registrations.length >= 10, '1hrs');
    const leader = await newLeader(cluster);
    await cluster.until(() => leader.registrations.length > 0, '2s');
  });

  it('AGENT-04 listens to nobody but the leading master of the present reign', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const old = cluster.master;
    const pretender = new FakeMaster({ created: 9, revision: 9 }, 'pretender');
    pretender.agent = old.agent;
    const runtime = await cluster.world.start('elsewhere');
    // It sends, but never announced itself as the leader.
    pretender.announce = () => {};
    runtime.spawn(pretender);
    pretender.run(taskOf('t1', 'x'));
    old.run(taskOf('t2', 'x'), framework, { created: 0, revision: 5 });
    await cluster.world.advance('5s');
    expect(cluster.children.running).to.deep.equal([]);

    const leader = await newLeader(cluster);
    await cluster.until(() => leader.reregistrations.length > 0);
    old.run(taskOf('t3', 'x'));
    old.kill('t3');
    await cluster.world.advance('5s');
    expect(cluster.children.running, 'the former leader is not heard any more').to.deep.equal([]);
    expect([...old.updates, ...leader.updates]).to.deep.equal([]);
  });

  it('does not follow a leader of an older reign, whoever says it leads', async () => {
    await using world = new Simulation();
    const runtime = await world.start('agent-1');
    const masters = [5, 3].map((revision) => new FakeMaster({ created: 1, revision }, `master-${revision}`));
    for (const master of masters) runtime.spawn(master);
    const detector = new FakeDetector('mine');
    startAgent(runtime, {
      cluster: 'test',
      workDirectory: '/work',
      resources: 'cpus:1',
      detector: runtime.spawn(detector),
    });
    await world.advance('1s');
    for (const { self, term } of masters) {
      detector.elect({ cluster: 'test', address: self.address, term, url: '' });
      await world.advance('1mins');
    }
    expect(
      masters.map(({ registrations, reregistrations }) => registrations.length + reregistrations.length),
    ).to.deep.equal([1, 0]);
  });

  it('does not follow a master whose reign is older than one it has seen', async () => {
    await using cluster = await Cluster.registered();
    const leader = await newLeader(cluster, 5);
    await cluster.until(() => leader.reregistrations.length > 0);
    const late = await newLeader(cluster, 3);
    await cluster.world.advance('5mins');
    expect([late.registrations.length, late.reregistrations.length]).to.deep.equal([0, 0]);
  });

  it('is made again with a new leader, with the tasks and their frameworks', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    cluster.master.run(taskOf('t1', 'x'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
    await cluster.world.advance('1s');
    const leader = await newLeader(cluster);
    await cluster.until(() => leader.reregistrations.length > 0);
    const [said] = leader.reregistrations;
    expect(said?.agent.id).to.equal(agentId);
    expect(said?.frameworks).to.deep.equal([framework]);
    expect(said?.tasks).to.have.length(1);
    const [task] = said?.tasks ?? [];
    expect(task).to.deep.include({ taskId: 't1', frameworkId, agentId, state: 'TASK_RUNNING' });
    expect(task?.statuses.map(({ state }) => state)).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING']);
    expect(cluster.children.running, 'the task runs on').to.have.length(1);
    leader.run(taskOf('t2', 'x'));
    await cluster.until(() => leader.states('t2').includes('TASK_RUNNING'));
  });

  it('is made again when the link to the master breaks', async () => {
    await using cluster = await Cluster.registered();
    cluster.world.network.disconnect('master');
    await cluster.world.advance('2mins');
    cluster.world.network.reconnect('master');
    await cluster.until(() => cluster.master.reregistrations.length > 0, '5mins');
  });

  it('PART-12 is made again when no ping came for the total ping timeout', async () => {
    await using cluster = await Cluster.registered({ prepare: (master) => (master.totalPingTimeout = 40_000) });
    const { master, world } = cluster;
    await world.advance('5mins');
    expect(master.reregistrations, 'pings keep it registered').to.deep.equal([]);
    expect(master.pongs.length).to.be.greaterThan(15);
    master.pings = false;
    await world.advance('24s');
    expect(master.reregistrations).to.deep.equal([]);
    await cluster.until(() => master.reregistrations.length > 0, '20s');
  });

  it('PART-11 is made again when a ping says that the master does not have the agent', async () => {
    await using cluster = await Cluster.registered();
    cluster.master.ping(false);
    await cluster.until(() => cluster.master.reregistrations.length > 0, '5s');
    expect(cluster.master.pongs).to.include(agentId);
  });

  it("is not disturbed by the master's late second answer", async () => {
    await using cluster = await Cluster.registered();
    cluster.master.register();
    await cluster.world.advance('1mins');
    expect([cluster.master.registrations.length, cluster.master.reregistrations.length]).to.deep.equal([1, 0]);
    expect(cluster.shutdowns).to.deep.equal([]);
  });

  it('AGENT-14h RECON-07 answers for tasks that the master believes there and that are not', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    cluster.master.run(taskOf('t1', 'x'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
    await cluster.world.advance('1s');
    const leader = await newLeader(cluster, 2, (master) => {
      master.reconcile = ['t1', 'lost'].map((id) => ({ frameworkId, taskId: taskOf(id, '').taskId }));
    });
    await cluster.until(() => leader.last('lost') !== undefined);
    expect(leader.last('lost')?.status).to.include({
      state: 'TASK_LOST',
      reason: 'REASON_RECONCILIATION',
      source: 'SOURCE_AGENT',
    });
    expect(leader.last('lost')?.status.uuid).to.be.a('string');
    expect(leader.states('t1')).to.deep.equal([]);
  });
});

describe('status updates of an agent', () => {
  it('AGENT-09 are sent again after 10 s, 20 s, … until acknowledged; one at a time; with the latest state', async () => {
    const times: number[] = [];
    await using cluster = await Cluster.registered({
      prepare: (master) => (master.acknowledges = false),
      simulation: { latency: [0, 0], script: () => ({ duration: '25s' }) },
    });
    const { master, world } = cluster;
    cluster.masterRuntime.interceptor = (event) => {
      if (event.name === agentMessages.ForwardStatusUpdate.name) times.push(world.clock.now());
      return 'serve';
    };
    master.run(taskOf('t1', 'x'));
    await world.advance('75s');
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits).to.deep.equal([10_000, 20_000, 40_000]);
    expect(master.updates.map(({ status }) => status.state)).to.deep.equal(Array(4).fill('TASK_STARTING'));
    expect(new Set(master.updates.map(({ status }) => status.uuid)).size).to.equal(1);
    expect(master.updates.map(({ latestState }) => latestState).slice(1)).to.deep.equal([
      'TASK_RUNNING',
      'TASK_FINISHED',
      'TASK_FINISHED',
    ]);
    const [first] = master.updates as [StatusUpdate];
    master.acknowledge(first);
    await cluster.until(() => master.states('t1').length === 2, '1s');
    master.acknowledge(first);
    await world.advance('1s');
    expect(master.states('t1'), 'an old acknowledgement is for nothing').to.deep.equal([
      'TASK_STARTING',
      'TASK_RUNNING',
    ]);
  });

  it('wait while there is no master, and come at once with the next', async () => {
    await using cluster = await Cluster.registered({ simulation: { script: () => ({ duration: '30s' }) } });
    const { master, world } = cluster;
    master.run(taskOf('t1', 'x'));
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    await world.advance('1s');
    world.crash('master');
    await world.advance('5mins');
    const leader = await newLeader(cluster);
    await cluster.until(() => leader.reregistrations.length > 0);
    expect(leader.reregistrations[0]?.tasks[0], 'reported with its state though that is not acknowledged').to.include({
      state: 'TASK_FINISHED',
    });
    await cluster.until(() => leader.states('t1').includes('TASK_FINISHED'), '1s');
  });

  it('are stored before the executor is told so, for frameworks that checkpoint', async () => {
    await using cluster = await Cluster.registered();
    const { master, files } = cluster;
    master.run(taskOf('t1', 'x'), { ...framework, checkpoint: true });
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    await cluster.world.advance('1s');
    const state = await cluster.state();
    const completed = state['completed_frameworks'] as { completed_executors: { container: string }[] }[];
    const container = completed[0]?.completed_executors[0]?.container ?? '';
    const path = `/work-dir/meta/slaves/${agentId}/frameworks/${frameworkId}/executors/t1/runs/${container}/tasks/t1/task.updates`;
    const records = (files.peek(path) ?? '').trimEnd().split('\n');
    const kinds = records.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(kinds).to.have.length(6);
    expect(kinds.filter((kind) => kind === 'UPDATE')).to.have.length(3);
    expect(kinds.filter((kind) => kind === 'ACK')).to.have.length(3);
  });

  it('AGENT-14e are not stored for frameworks that do not checkpoint', async () => {
    await using cluster = await Cluster.registered();
    cluster.master.run(taskOf('t1', 'x'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FINISHED'));
    const listed = cluster.files.list('/work-dir/meta');
    await cluster.world.settle();
    expect(listed.get(), 'who the agent is, whatever runs there').to.deep.equal(['boot_id', 'slaves', 'term']);
    const agents = cluster.files.list(`/work-dir/meta/slaves/${agentId}`);
    await cluster.world.settle();
    expect(agents.get()).to.deep.equal(['slave.info']);
  });

  it('are not lost when the disk is full for a while', async () => {
    await using cluster = await Cluster.registered({ simulation: { script: () => ({ duration: '5s' }) } });
    const { master, files, world } = cluster;
    master.run(taskOf('t1', 'x'), { ...framework, checkpoint: true });
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    await world.advance('1s');
    files.failWrites = 'ENOSPC';
    const acknowledgements = countOf(cluster, 'executor.acknowledge');
    await world.advance('1mins');
    expect(master.states('t1')).to.not.include('TASK_FINISHED');
    expect(acknowledgements(), 'the executor keeps what is not stored').to.equal(0);
    files.failWrites = undefined;
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'), '20s');
    await world.advance('1s');
    expect(await cluster.state()).to.deep.include({ frameworks: [] });
  });
});
