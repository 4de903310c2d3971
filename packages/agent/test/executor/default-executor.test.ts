import { type Command, Deferred } from '@mezzo/process';
import type { Run } from '@mezzo/process/testing';
import { executorMessages, type FrameworkInfo } from '@mezzo/protocol';
import { expect } from 'chai';
import { Cluster } from '../cluster.ts';
import { agentId, defaultExecutor, framework, frameworkId, taskOf } from '../fake-master.ts';

const { LaunchTaskGroup } = executorMessages;
const executor = defaultExecutor('e1');
const killingAware: FrameworkInfo = { ...framework, capabilities: ['TASK_KILLING_STATE'] };

/** What a task's command line asks for, such as `2 exit 1` for one that fails after 2 s; none: it runs until it is killed. */
function script({ arguments: given }: Command): Run {
  const line = given.at(-1) ?? '';
  const [, seconds, code] = /^(\d+)(?: exit (\d+))?/.exec(line) ?? [];
  const stubborn = line.includes('stubborn');
  return seconds === undefined ? { stubborn } : { duration: `${Number(seconds)}s`, code: Number(code ?? 0), stubborn };
}

function start(options: Parameters<typeof Cluster.registered>[0] = {}): Promise<Cluster> {
  return Cluster.registered({ simulation: { script }, ...options });
}

/** Two tasks of a group that have begun, and whose sandboxes are not there until `made` is set. */
async function withoutSandboxes(cluster: Cluster) {
  const { master, runtime } = cluster;
  const { files } = runtime;
  const create = files.createFolder.bind(files);
  const made = new Deferred<void>();
  files.createFolder = (path) => (path.includes('/tasks/') ? made.future : create(path));
  master.runGroup(executor, [taskOf('t1', 'x'), taskOf('t2', 'x')], true);
  await cluster.until(() => ['t1', 't2'].every((id) => master.states(id).includes('TASK_STARTING')));
  return { master, made };
}

function isExecutor(id: string): boolean {
  return id.startsWith('executor(');
}

describe('the default executor', () => {
  it('AGENT-17 runs each task of a group in a container of its own, and ends when all have and are acknowledged', async () => {
    const started: Command[] = [];
    await using cluster = await start({
      simulation: {
        script: (command) => {
          started.push(command);
          return script(command);
        },
      },
    });
    const { master } = cluster;
    const environment = { OWN: 'x' };
    const command = { value: '20', shell: true, arguments: [], environment };
    master.runGroup(executor, [taskOf('t1', '10'), taskOf('t2', '', { command })], true);
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    expect(master.states('t2'), 'one that finishes leaves the others alone').to.deep.equal([
      'TASK_STARTING',
      'TASK_RUNNING',
    ]);
    expect(master.last('t1')?.status).to.include({ source: 'SOURCE_EXECUTOR', executorId: 'e1' });
    const folders = started.map(({ folder }) => folder);
    const runs = `/work-dir/slaves/${agentId}/frameworks/${frameworkId}/executors/e1/runs/`;
    expect(folders[0]).to.match(new RegExp(`^${runs}[0-9a-f-]{36}/tasks/t1$`));
    expect(folders[1]).to.equal(folders[0]?.replace('/t1', '/t2'));
    expect(started[1]?.environment).to.include({
      MESOS_TASK_ID: 't2',
      MESOS_EXECUTOR_ID: 'e1',
      MESOS_SANDBOX: folders[1],
      MESOS_ALLOCATION_ROLE: '*',
      OWN: 'x',
    });
    await cluster.until(() => master.states('t2').includes('TASK_FINISHED'));
    await cluster.until(() => master.exits.length > 0);
    expect(master.exits).to.deep.equal([{ agentId, frameworkId, executorId: 'e1', status: 0 }]);
    await cluster.world.advance('1s');
    expect(cluster.runtime.processes.filter(isExecutor)).to.deep.equal([]);
    expect(await cluster.state()).to.deep.include({ frameworks: [] });
    const left = cluster.files.list('/work-dir/run/containers');
    await cluster.world.settle();
    expect(left.get()).to.deep.equal([]);
  });

  it('AGENT-17 kills the rest of the group when one of its tasks fails, and leaves other groups alone', async () => {
    await using cluster = await start();
    const { master } = cluster;
    master.runGroup(executor, [taskOf('t1', '5 exit 1'), taskOf('t2', 'endless'), taskOf('t3', '1')], true);
    master.runGroup(executor, [taskOf('t4', 'endless'), taskOf('t5', 'endless')], false);
    await cluster.until(() => master.states('t2').includes('TASK_KILLED'));
    expect(master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FAILED']);
    expect(master.states('t3')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED']);
    await cluster.world.advance('1mins');
    expect(master.states('t4')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING']);
    expect(cluster.children.running).to.have.length(2);
    expect(master.exits).to.deep.equal([]);
  });

  it('AGENT-17 kills the whole group when one of its tasks is killed, each with its grace period', async () => {
    await using cluster = await start();
    const { master, world, children } = cluster;
    const slow = taskOf('t2', 'stubborn', { killGracePeriod: 10_000 });
    master.runGroup(executor, [taskOf('t1', 'stubborn'), slow], true, killingAware);
    await cluster.until(() => ['t1', 't2'].every((id) => master.states(id).includes('TASK_RUNNING')));
    master.kill('t1', 1000);
    await world.advance('900ms');
    expect(children.running).to.have.length(2);
    await world.advance('200ms');
    expect(children.running).to.have.length(1);
    await cluster.until(() => master.states('t2').includes('TASK_KILLED'));
    for (const id of ['t1', 't2'])
      expect(master.states(id)).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_KILLED']);
    await cluster.until(() => master.exits.length > 0);
  });

  it('AGENT-17 fails a task that takes longer than it may, and kills its group', async () => {
    await using cluster = await start();
    const { master } = cluster;
    master.runGroup(executor, [taskOf('t1', 'x', { maxCompletionTime: 5000 }), taskOf('t2', 'x')], true);
    await cluster.until(() => master.states('t2').includes('TASK_KILLED'));
    expect(master.last('t1')?.status).to.include({
      state: 'TASK_FAILED',
      reason: 'REASON_MAX_COMPLETION_TIME_REACHED',
    });
  });

  it('AGENT-17 kills the rest of the group when one of its tasks cannot be launched', async () => {
    await using cluster = await start({
      simulation: {
        script: (command) => {
          if (command.arguments.at(-1) === 'bad') throw new Error('spawn E2BIG');
          return script(command);
        },
      },
    });
    const { master } = cluster;
    master.runGroup(executor, [taskOf('t1', 'x'), taskOf('t2', 'bad')], true);
    await cluster.until(() => master.states('t1').includes('TASK_KILLED'));
    expect(master.last('t2')?.status).to.include({
      state: 'TASK_FAILED',
      source: 'SOURCE_AGENT',
      reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    });
  });

  it('does not start a task that is killed while its sandbox is made', async () => {
    await using cluster = await start();
    const { master, made } = await withoutSandboxes(cluster);
    master.kill('t2');
    await cluster.world.advance('1s');
    made.set();
    await cluster.until(() => ['t1', 't2'].every((id) => master.states(id).includes('TASK_KILLED')));
    expect(master.states('t2')).to.deep.equal(['TASK_STARTING', 'TASK_KILLED']);
    expect(cluster.children.running).to.deep.equal([]);
  });

  it('is destroyed though its disk does not answer', async () => {
    await using cluster = await start();
    const { master } = await withoutSandboxes(cluster);
    master.shutdownExecutor('e1');
    await cluster.until(() => master.exits.length > 0, '6s');
    expect(cluster.runtime.processes.filter(isExecutor)).to.deep.equal([]);
    await cluster.until(() => ['t1', 't2'].every((id) => master.states(id).includes('TASK_FAILED')));
  });

  it('lets a task that is being killed have its time when another of its group fails', async () => {
    await using cluster = await start();
    const { master, world, children } = cluster;
    master.runGroup(executor, [taskOf('t1', '5 exit 1'), taskOf('t2', 'stubborn')], true);
    await cluster.until(() => master.states('t2').includes('TASK_RUNNING'));
    master.kill('t2', 20_000);
    await world.advance('19s');
    expect(master.states('t1')).to.include('TASK_FAILED');
    expect(children.running).to.have.length(1);
    await world.advance('2s');
    expect(children.running).to.deep.equal([]);
  });

  it('AGENT-06 is not started when a task of its group is killed before', async () => {
    await using cluster = await start({ simulation: { script, latency: [0, 0] } });
    const { master } = cluster;
    master.runGroup(executor, [taskOf('t1', 'x'), taskOf('t2', 'x')], true);
    master.kill('t2');
    await cluster.until(() => master.exits.length > 0);
    await cluster.world.advance('1mins');
    for (const id of ['t1', 't2']) {
      expect(master.states(id)).to.deep.equal(['TASK_KILLED']);
      expect(master.last(id)?.status.reason).to.equal('REASON_TASK_KILLED_DURING_LAUNCH');
    }
    expect(master.exits[0]?.status).to.equal(-1);
    expect(cluster.children.running).to.deep.equal([]);
  });

  it('kills what it runs when it is shut down, and is destroyed when its grace period is over', async () => {
    await using cluster = await start();
    const { master, world, children } = cluster;
    const tasks = [taskOf('t1', 'x'), taskOf('t2', 'stubborn', { killGracePeriod: 60_000 })];
    master.runGroup(executor, tasks, true);
    await cluster.until(() => ['t1', 't2'].every((id) => master.states(id).includes('TASK_RUNNING')));
    master.shutdownExecutor('e1');
    await world.advance('4900ms');
    expect(children.running).to.have.length(1);
    await world.advance('200ms');
    expect(children.running).to.deep.equal([]);
    await cluster.until(() => master.exits.length > 0);
    for (const id of ['t1', 't2']) {
      expect(master.last(id)?.status).to.include({ state: 'TASK_FAILED', reason: 'REASON_EXECUTOR_TERMINATED' });
    }
    expect(cluster.runtime.processes.filter(isExecutor)).to.deep.equal([]);
  });

  it('that crashes takes its containers with it', async () => {
    await using cluster = await start();
    const { master, runtime } = cluster;
    master.runGroup(executor, [taskOf('t1', 'x'), taskOf('t2', 'x')], true);
    master.run(taskOf('alone', 'x'));
    await cluster.until(() => ['t1', 't2', 'alone'].every((id) => master.states(id).includes('TASK_RUNNING')));
    runtime.cell(runtime.processes.find((id) => id.endsWith('/e1)')) ?? '')?.fail(new Error('a bug'));
    await cluster.until(() => ['t1', 't2'].every((id) => master.states(id).includes('TASK_FAILED')));
    expect(master.last('t2')?.status).to.include({
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Executor terminated: a bug',
    });
    expect(master.exits).to.deep.equal([{ agentId, frameworkId, executorId: 'e1', status: 1 << 8 }]);
    expect(cluster.children.running, 'nothing of another executor').to.have.length(1);
  });

  it('that leaves fails what it was sent meanwhile', async () => {
    await using cluster = await start();
    const { master, runtime } = cluster;
    master.runGroup(executor, [taskOf('t1', '1')], true);
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    // What comes in the turn in which it ends is not served.
    runtime.interceptor = ({ name }) => (name === LaunchTaskGroup.name ? 'drop' : 'serve');
    master.runGroup(executor, [taskOf('t2', '1')], false);
    await cluster.until(() => master.states('t2').includes('TASK_FAILED'));
    expect(master.last('t2')?.status.reason).to.equal('REASON_EXECUTOR_TERMINATED');
    expect(master.exits).to.have.length(1);
  });

  it('AGENT-13 is shown with its tasks', async () => {
    await using cluster = await start();
    const { master } = cluster;
    master.runGroup(executor, [taskOf('t1', 'x'), taskOf('t2', '1')], true);
    await cluster.until(() => master.states('t2').includes('TASK_FINISHED'));
    await cluster.world.advance('10ms');
    const state = await cluster.state();
    expect(state['used_resources']).to.include({ cpus: 1.5 });
    expect(state).to.have.nested.property('frameworks[0].executors[0].id', 'e1');
    expect(state).to.have.nested.property('frameworks[0].executors[0].type', 'DEFAULT');
    expect(state).to.have.nested.property('frameworks[0].executors[0].tasks[0].executor_id', 'e1');
    expect(state).to.have.nested.property('frameworks[0].executors[0].completed_tasks[0].id', 't2');
    expect(state).to.have.nested.property('frameworks[0].executors[0].resources.cpus', 1.5);
  });
});
