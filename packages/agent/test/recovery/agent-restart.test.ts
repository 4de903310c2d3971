import { type FrameworkInfo, type TaskInfo } from '@mezzo/protocol';
import { withExitRecords } from '@mezzo/agent/testing';
import { expect } from 'chai';
import { Cluster } from '../cluster.ts';
import { FakeExecutor } from '../fake-executor.ts';
import { agentId, customExecutor, defaultExecutor, framework, frameworkId, taskOf } from '../fake-master.ts';

const durable: FrameworkInfo = { ...framework, checkpoint: true, capabilities: ['PARTITION_AWARE'] };
const endless = { script: withExitRecords(() => ({})) };
/** The number in a command is how long it takes; without one it never ends. */
const timed = {
  script: withExitRecords(({ arguments: given }) => {
    const seconds = Number(given.at(-1));
    return Number.isNaN(seconds) ? {} : { duration: seconds * 1000, code: 3 };
  }),
};

async function withTask(
  command: string,
  more: Partial<TaskInfo> = {},
  options: Parameters<typeof Cluster.registered>[0] = {},
) {
  const cluster = await Cluster.registered({ simulation: timed, ...options });
  cluster.master.run(taskOf('t1', command, more), durable);
  await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
  await cluster.world.advance('100ms');
  return cluster;
}

function tasksOf(cluster: Cluster): unknown {
  return cluster.master.reregistrations.at(-1)?.tasks.map(({ taskId, state }) => [taskId, state]);
}

describe('an agent that is started again', () => {
  it('AGENT-14 has its id and its tasks, which run on and are not launched again', async () => {
    await using cluster = await withTask('x');
    const pids = cluster.children.running;
    cluster.world.crash('agent-1');
    await cluster.world.advance('1mins');
    await cluster.comeBack();
    const [told] = cluster.master.reregistrations;
    expect(told?.agent.id).to.equal(agentId);
    expect(tasksOf(cluster)).to.deep.equal([['t1', 'TASK_RUNNING']]);
    expect(told?.frameworks).to.deep.equal([durable]);
    expect(cluster.children.running).to.deep.equal(pids);
    expect(cluster.master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING']);
    cluster.master.kill('t1');
    await cluster.until(() => cluster.master.states('t1').includes('TASK_KILLED'));
    expect(cluster.children.running).to.deep.equal([]);
  });

  it('AGENT-14 has its id and its tasks again, however often', async () => {
    await using cluster = await withTask('600');
    for (let times = 0; times < 3; times++) {
      cluster.world.crash('agent-1');
      await cluster.world.advance('10s');
      await cluster.comeBack();
    }
    expect(tasksOf(cluster)).to.deep.equal([['t1', 'TASK_RUNNING']]);
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'), '11mins');
    expect(cluster.master.last('t1')?.status.message).to.equal('Command exited with status 3');
  });

  it('AGENT-14b tells of what ended meanwhile with its true exit status', async () => {
    await using cluster = await withTask('30');
    cluster.world.crash('agent-1');
    await cluster.world.advance('1mins');
    await cluster.comeBack();
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'));
    expect(cluster.master.last('t1')?.status).to.deep.include({
      message: 'Command exited with status 3',
      source: 'SOURCE_EXECUTOR',
    });
    await cluster.world.advance('1s');
    expect(await cluster.state(), 'acknowledged, so nothing is left of it').to.deep.include({ frameworks: [] });
  });

  it('AGENT-14 sends again what was not acknowledged, before anything newer', async () => {
    await using cluster = await Cluster.registered({ simulation: timed });
    const { master } = cluster;
    master.acknowledges = false;
    master.run(taskOf('t1', '5'), durable);
    await cluster.until(() => master.states('t1').includes('TASK_STARTING'));
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.world.advance('10s');
    master.updates.length = 0;
    await cluster.comeBack();
    expect(tasksOf(cluster)).to.deep.equal([['t1', 'TASK_FAILED']]);
    expect(master.states('t1')).to.deep.equal(['TASK_STARTING']);
    master.acknowledges = true;
    await cluster.until(() => master.states('t1').includes('TASK_FAILED'));
    expect(master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
  });

  it('AGENT-14f has its id after a reboot, and tells that its tasks failed', async () => {
    await using cluster = await withTask('x');
    await cluster.world.advance('1mins');
    cluster.world.losePower('agent-1');
    await cluster.world.advance('10s');
    await cluster.comeBack();
    expect(cluster.master.reregistrations[0]?.agent.id).to.equal(agentId);
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'));
    expect(cluster.master.last('t1')?.status).to.include({ reason: 'REASON_EXECUTOR_TERMINATED' });
  });

  it('AGENT-14f is a new agent after a reboot that made another machine of it', async () => {
    await using cluster = await withTask('x');
    await cluster.world.advance('1mins');
    cluster.world.losePower('agent-1');
    await cluster.world.advance('10s');
    cluster.master.answers = false;
    await cluster.restart({ resources: 'cpus:2' });
    await cluster.until(() => cluster.master.registrations.length === 2);
    expect(cluster.master.registrations[1]?.agent.id).to.equal(undefined);
    // It is not the old one, whatever happens before it has a name.
    cluster.world.crash('agent-1');
    await cluster.restart({ resources: 'cpus:2' });
  });

  it('AGENT-12 refuses to be another one without a reboot, and says what to do', async () => {
    await using cluster = await withTask('x');
    cluster.world.crash('agent-1');
    const failed = await cluster.restart({ resources: 'cpus:2' }).catch((error: unknown) => error);
    expect(failed).to.include({ name: 'RecoveryError', code: 'AGENT_INCOMPATIBLE' });
    expect(String(failed)).to.include('cpus').and.include('/work-dir/meta/slaves/latest').and.include('additive');
  });

  it('AGENT-12 AGENT-14k may have become more with the additive policy, while its tasks run on', async () => {
    await using cluster = await withTask('x', {}, { reconfigurationPolicy: 'additive' });
    cluster.world.crash('agent-1');
    await cluster.comeBack({ resources: 'cpus:8;mem:1024;ports:[31000-32000]' });
    const [told] = cluster.master.reregistrations;
    expect(told?.agent.resources.find(({ name }) => name === 'cpus')).to.include({ scalar: 8 });
    expect(tasksOf(cluster)).to.deep.equal([['t1', 'TASK_RUNNING']]);
    // What it is now counts for the next one.
    cluster.world.crash('agent-1');
    const failed = await cluster.restart().catch((error: unknown) => error);
    expect(failed).to.include({ code: 'AGENT_INCOMPATIBLE' });
  });

  it('follows no master of an older reign than it has seen', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    const kept = JSON.parse(cluster.files.peek('/work-dir/meta/term') ?? '{}') as { content: unknown };
    expect(kept.content).to.deep.equal({ created: 1, revision: 1 });
    // As if it had heard of a later one.
    cluster.files.write('/work-dir/meta/term', JSON.stringify({ version: 1, content: { created: 1, revision: 2 } }));
    await cluster.restart();
    await cluster.world.advance('2mins');
    expect(cluster.master.reregistrations).to.deep.equal([]);
  });

  it('AGENT-14g answers pings while it recovers', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    await FakeExecutor.withTask(cluster, durable);
    cluster.world.crash('agent-1');
    await cluster.world.advance('1s');
    await cluster.restart({ executorReregistrationTimeout: '15secs' });
    cluster.master.pongs.length = 0;
    cluster.master.ping(true);
    await cluster.world.advance('1s');
    // The first message to a node that came back may be lost: it is the answer to the second that tells.
    cluster.master.ping(true);
    await cluster.world.advance('1s');
    expect(await cluster.state()).to.include({ state: 'recovering' });
    expect(cluster.master.pongs).to.include(agentId);
  });

  it('AGENT-10 goes on to be drained', async () => {
    const stubborn = { script: withExitRecords(() => ({ stubborn: true })) };
    await using cluster = await withTask('x', { killGracePeriod: 60_000 }, { simulation: stubborn });
    const { master } = cluster;
    master.drain({ markGone: false });
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    master.run(taskOf('t2', 'x'), durable);
    await cluster.until(() => master.states('t2').length > 0);
    expect(master.last('t2')?.status).to.include({ state: 'TASK_DROPPED', reason: 'REASON_AGENT_DRAINING' });
    await cluster.until(() => master.states('t1').includes('TASK_KILLED'), '2mins');
    expect(master.last('t1')?.status).to.include({ reason: 'REASON_AGENT_DRAINING' });
    await cluster.world.advance('1s');
    master.run(taskOf('t3', 'x'), durable);
    await cluster.until(() => master.states('t3').includes('TASK_RUNNING'));
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    expect(tasksOf(cluster), 'it is not drained any more').to.deep.equal([['t3', 'TASK_RUNNING']]);
  });

  it('AGENT-14h kills what its framework lost while it was away', async () => {
    await using cluster = await withTask('x');
    cluster.world.crash('agent-1');
    await cluster.world.advance('10s');
    await cluster.comeBack();
    cluster.master.shutdownFramework();
    await cluster.until(() => cluster.children.running.length === 0);
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.world.advance('1s');
    await cluster.comeBack();
    expect(cluster.master.reregistrations.at(-1)?.frameworks).to.deep.equal([]);
  });

  it('AGENT-14h drops tasks that the master believes here', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    cluster.master.reconcile = [{ frameworkId, taskId: taskOf('lost', '').taskId }];
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    await cluster.until(() => cluster.master.states('lost').length > 0);
    expect(cluster.master.last('lost')?.status).to.include({ state: 'TASK_LOST', reason: 'REASON_RECONCILIATION' });
  });

  it('AGENT-14d with recover=cleanup ends its executors and itself; the next one is a new agent', async () => {
    await using cluster = await withTask('x');
    cluster.world.crash('agent-1');
    await cluster.restart({ recover: 'cleanup' });
    await cluster.until(() => cluster.shutdowns.length > 0);
    expect(cluster.children.running).to.deep.equal([]);
    expect(cluster.master.reregistrations).to.deep.equal([]);
    cluster.world.crash('agent-1');
    await cluster.restart();
    await cluster.until(() => cluster.master.registrations.length === 2);
  });

  it('is a new agent if the master told it to end: its name is not welcome any more', async () => {
    await using cluster = await withTask('x');
    cluster.master.shutdownAgent('marked gone');
    await cluster.until(() => cluster.shutdowns.length > 0);
    cluster.world.crash('agent-1');
    await cluster.restart();
    await cluster.until(() => cluster.master.registrations.length === 2);
    expect(cluster.master.reregistrations).to.deep.equal([]);
  });

  it('AGENT-14c has not what had ended, and removes its folders one day', async () => {
    await using cluster = await withTask('10', {}, { gcDelay: '10mins' });
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'));
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    expect(cluster.master.reregistrations[0]?.tasks).to.deep.equal([]);
    const sandboxes = `/work-dir/slaves/${agentId}/frameworks/${frameworkId}`;
    const before = cluster.files.list(sandboxes);
    await cluster.world.advance('9mins');
    expect(before.isReady).to.equal(true);
    await cluster.world.advance('2mins');
    const after = cluster.files.list(sandboxes);
    await cluster.world.settle();
    expect(after.isFailed).to.equal(true);
  });

  it('AGENT-14c recovers the rest of what it cannot read, and keeps that aside', async () => {
    await using cluster = await withTask('x');
    cluster.master.run(taskOf('t2', 'x'), durable);
    await cluster.until(() => cluster.master.states('t2').includes('TASK_RUNNING'));
    cluster.world.crash('agent-1');
    const executors = `/work-dir/meta/slaves/${agentId}/frameworks/${frameworkId}/executors`;
    cluster.files.write(`${executors}/t2/executor.info`, '{"version":1,');
    await cluster.comeBack();
    expect(tasksOf(cluster)).to.deep.equal([['t1', 'TASK_RUNNING']]);
    expect(cluster.files.peek(`${executors}/t2/executor.info.corrupt-1`)).to.equal('{"version":1,');
    expect(cluster.children.running, 'nobody would know the other').to.have.length(1);
  });

  it('stops without its tasks if it is told so, and takes them up again', async () => {
    await using cluster = await withTask('x', {}, { killTasksOnStop: false });
    cluster.master.run(taskOf('t2', 'x'), framework);
    await cluster.until(() => cluster.master.states('t2').includes('TASK_RUNNING'));
    const [kept] = cluster.children.running;
    void cluster.world.runtime('agent-1')?.stop();
    await cluster.world.advance('10s');
    expect(cluster.master.unregistered).to.deep.equal([]);
    expect(cluster.children.running, 'nobody would know the other').to.deep.equal([kept]);
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    expect(tasksOf(cluster)).to.deep.equal([['t1', 'TASK_RUNNING']]);
  });

  it('counts the time that a task may take from its beginning', async () => {
    await using cluster = await withTask('x', { maxCompletionTime: 60_000 });
    await cluster.world.advance('50s');
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'), '20s');
    expect(cluster.master.last('t1')?.status.reason).to.equal('REASON_MAX_COMPLETION_TIME_REACHED');
  });
});

describe('a group of tasks, when its agent is started again', () => {
  it('AGENT-17 runs on, and still lives and dies together', async () => {
    await using cluster = await Cluster.registered({ simulation: timed });
    const { master } = cluster;
    master.runGroup(defaultExecutor('e1'), [taskOf('a', 'x'), taskOf('b', '60')], true, durable);
    master.runGroup(defaultExecutor('e1'), [taskOf('c', 'x')], false, durable);
    master.runGroup(defaultExecutor('e1'), [taskOf('done', '1')], false, durable);
    await cluster.until(() => ['a', 'b', 'c'].every((id) => master.states(id).includes('TASK_RUNNING')));
    await cluster.until(() => master.states('done').includes('TASK_FAILED'));
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.world.advance('5s');
    await cluster.comeBack();
    expect(tasksOf(cluster), 'not what is over and acknowledged').to.have.deep.members([
      ['a', 'TASK_RUNNING'],
      ['b', 'TASK_RUNNING'],
      ['c', 'TASK_RUNNING'],
    ]);
    await cluster.until(() => master.states('b').includes('TASK_FAILED'), '2mins');
    await cluster.until(() => master.states('a').includes('TASK_KILLED'));
    expect(master.states('c').at(-1)).to.equal('TASK_RUNNING');
    expect(cluster.children.running).to.have.length(1);
  });
});

describe('what is being killed when its agent is started again', () => {
  const stubborn = {
    script: withExitRecords(({ arguments: given }) =>
      given.at(-1) === '2' ? { duration: 2000, code: 1 } : { stubborn: true },
    ),
  };

  it('AGENT-06 is killed by force when its grace period is over, which begins anew', async () => {
    await using cluster = await Cluster.registered({ simulation: stubborn });
    const { master } = cluster;
    master.run(taskOf('t1', 'x', { killGracePeriod: 30_000 }), { ...durable, capabilities: ['TASK_KILLING_STATE'] });
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    master.kill('t1');
    await cluster.until(() => master.states('t1').includes('TASK_KILLING'));
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    await cluster.until(() => master.states('t1').includes('TASK_KILLED'), '40s');
    expect(master.states('t1').filter((state) => state === 'TASK_KILLING')).to.have.length(1);
  });

  it('AGENT-17 dies with the member of its group that failed before', async () => {
    await using cluster = await Cluster.registered({ simulation: stubborn });
    const { master } = cluster;
    master.runGroup(defaultExecutor('e1'), [taskOf('a', 'x'), taskOf('b', '2')], true, durable);
    await cluster.until(() => master.states('b').includes('TASK_FAILED'));
    await cluster.world.advance('500ms');
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    expect(tasksOf(cluster)).to.deep.equal([['a', 'TASK_RUNNING']]);
    await cluster.until(() => master.states('a').includes('TASK_KILLED'), '10s');
  });
});

describe('an executor that is a program, when its agent is started again', () => {
  async function withExecutor(options: Parameters<typeof Cluster.registered>[0] = {}) {
    const cluster = await Cluster.registered({ simulation: endless, ...options });
    const executor = await FakeExecutor.withTask(cluster, durable);
    executor.report('t1', 'TASK_RUNNING');
    await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
    await cluster.world.advance('100ms');
    return { cluster, executor };
  }

  it('AGENT-14 is asked to come back, and goes on with its tasks', async () => {
    const { cluster, executor } = await withExecutor();
    await using _ = cluster;
    cluster.world.crash('agent-1');
    await cluster.world.advance('5s');
    await cluster.restart();
    await cluster.until(() => executor.reconnects > 0);
    executor.reregister([]);
    await cluster.until(() => cluster.master.reregistrations.length > 0);
    expect(tasksOf(cluster)).to.deep.equal([['t1', 'TASK_RUNNING']]);
    await cluster.world.advance('5s');
    executor.report('t1', 'TASK_FINISHED');
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FINISHED'));
  });

  it('AGENT-14 tells what the agent had not stored', async () => {
    const { cluster, executor } = await withExecutor();
    await using _ = cluster;
    cluster.world.crash('agent-1');
    await cluster.world.advance('5s');
    await cluster.restart();
    await cluster.until(() => executor.reconnects > 0);
    executor.reregister([], ['TASK_FINISHED']);
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FINISHED'));
    expect(executor.acknowledged).to.have.length(2);
  });

  it('AGENT-14a is killed if it does not come back in time, and its tasks are gone', async () => {
    const { cluster } = await withExecutor();
    await using _ = cluster;
    cluster.world.crash('agent-1');
    await cluster.world.advance('5s');
    await cluster.comeBack();
    await cluster.until(() => cluster.master.states('t1').includes('TASK_GONE'));
    expect(cluster.master.last('t1')?.status).to.include({ reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT' });
    expect(cluster.children.running).to.deep.equal([]);
  });

  it('AGENT-14a loses tasks that were on their way to it, as nobody knows whether it had them', async () => {
    const { cluster, executor } = await withExecutor();
    await using _ = cluster;
    cluster.master.runIn(customExecutor('e1'), taskOf('t2', ''), false, durable);
    await cluster.until(() => executor.launches.length > 1);
    cluster.world.crash('agent-1');
    await cluster.world.advance('5s');
    await cluster.restart();
    await cluster.until(() => executor.reconnects > 0);
    executor.reregister([]);
    await cluster.until(() => cluster.master.states('t2').length > 0);
    expect(cluster.master.last('t2')?.status).to.include({ state: 'TASK_DROPPED', reason: 'REASON_AGENT_RESTARTED' });
    expect(cluster.master.states('t1')).to.deep.equal(['TASK_RUNNING']);
  });

  it('AGENT-14b has ended while the agent was away: its tasks fail', async () => {
    const { cluster } = await withExecutor();
    await using _ = cluster;
    cluster.world.crash('agent-1');
    for (const pid of cluster.children.running) cluster.children.signalGroup(pid, 'SIGKILL');
    await cluster.world.advance('5s');
    await cluster.comeBack();
    await cluster.until(() => cluster.master.states('t1').includes('TASK_FAILED'));
    expect(cluster.master.last('t1')?.status).to.include({ reason: 'REASON_EXECUTOR_TERMINATED' });
    await cluster.until(() => cluster.master.exits.length > 0);
  });

  it('AGENT-14a AGENT-14b is shut down if it had not registered before', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const executor = await FakeExecutor.start(cluster, 'e1');
    cluster.master.runIn(customExecutor('e1'), taskOf('t1', ''), true, durable);
    await cluster.until(() => cluster.children.running.length > 0);
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.restart();
    executor.register();
    await cluster.world.advance('100ms');
    executor.register();
    await cluster.until(() => executor.shutdowns > 0);
    expect(executor.launches).to.deep.equal([]);
    await cluster.until(() => cluster.master.states('t1').length > 0);
    expect(cluster.master.last('t1')?.status).to.include({ state: 'TASK_DROPPED', reason: 'REASON_AGENT_RESTARTED' });
  });
});
