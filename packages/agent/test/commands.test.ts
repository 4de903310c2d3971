import type { Command } from '@mezzo/process';
import { agentMessages, type FrameworkInfo, type StatusUpdate, type Term } from '@mezzo/protocol';
import { expect } from 'chai';
import { Cluster } from './cluster.ts';
import { FakeMaster, framework, frameworkId, taskOf } from './fake-master.ts';
import { FakeExecutor } from './fake-executor.ts';

const killingAware: FrameworkInfo = { ...framework, capabilities: ['TASK_KILLING_STATE'] };

/** A master that acknowledges what was told in an earlier reign. */
class RememberingMaster extends FakeMaster {
  acknowledgeFrom(term: Term, { status: { taskId, uuid } }: StatusUpdate): void {
    if (uuid !== undefined && this.agent !== undefined)
      this.send(this.agent, agentMessages.AcknowledgeStatusUpdate, { term, frameworkId, taskId, uuid });
  }
}

describe('a task that is a command', () => {
  it('AGENT-03 runs with its arguments, or in a shell, below an executor that is made up for it', async () => {
    const commands: Command[] = [];
    const script = (command: Command) => {
      commands.push(command);
      return {};
    };
    await using cluster = await Cluster.registered({ simulation: { script } });
    const { master } = cluster;
    const environment = {};
    master.run(
      taskOf('t1', '', { command: { value: 'echo', shell: false, arguments: ['echo', 'a b', '$c'], environment } }),
    );
    master.run(taskOf('t2', 'echo $c', { killGracePeriod: 7000 }));
    await cluster.until(() => commands.length === 2);
    await cluster.until(() => master.states('t2').includes('TASK_RUNNING'));
    // After what wraps them.
    expect(commands.map(({ arguments: given }) => given.slice(5))).to.deep.equal([
      ['echo', 'a b', '$c'],
      ['/bin/sh', '-c', 'echo $c'],
    ]);
    const { frameworks } = (await cluster.state()) as {
      frameworks: readonly { readonly executors: readonly Record<string, unknown>[] }[];
    };
    const executors = frameworks.flatMap((one) => one.executors);
    expect(executors.map(({ id, source, name }) => [id, source, name])).to.deep.equal([
      ['t1', 't1', 'Command Executor (Task: t1) (Command: [echo, echo, a b, $c])'],
      ['t2', 't2', "Command Executor (Task: t2) (Command: sh -c 'echo $c')"],
    ]);
    // Nothing but what the tasks have is used.
    expect(await cluster.state()).to.have.nested.property('used_resources.cpus', 2);
  });

  it('AGENT-03 has the time that its kill policy gives it', async () => {
    await using cluster = await Cluster.registered({ simulation: { script: () => ({ stubborn: true }) } });
    const { master, world, children } = cluster;
    master.run(taskOf('t1', 'x', { killGracePeriod: 7000 }), killingAware);
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    master.kill('t1');
    await world.advance('6.9s');
    expect(children.running).to.have.length(1);
    await world.advance('0.2s');
    expect(children.running).to.deep.equal([]);
  });
});

describe('an agent', () => {
  it('AGENT-04 takes acknowledgements from the leading master only, and repeats the update', async () => {
    const master = new RememberingMaster();
    await using cluster = await Cluster.registered({ simulation: { script: () => ({}) }, master });
    master.acknowledges = false;
    master.run(taskOf('t1', 'x'));
    await cluster.until(() => master.updates.length === 1);
    const [update] = master.updates;
    if (update?.status.uuid === undefined) throw new Error('no uuid');
    const { uuid } = update.status;
    const pretender = new FakeMaster({ created: 9, revision: 9 }, 'pretender');
    pretender.agent = master.agent;
    // It sends, but never announced itself as the leader.
    pretender.announce = () => {};
    (await cluster.world.start('elsewhere')).spawn(pretender);
    pretender.acknowledge(update);
    master.acknowledgeFrom({ created: 0, revision: 5 }, update);
    await cluster.world.advance('15s');
    expect(master.updates.map(({ status }) => [status.state, status.uuid])).to.deep.equal([
      ['TASK_STARTING', uuid],
      ['TASK_STARTING', uuid],
    ]);
    master.acknowledge(update);
    await cluster.until(() => master.updates.length === 3);
    expect(master.updates[2]?.status.state).to.equal('TASK_RUNNING');
  });

  it('AGENT-13 is not healthy until it has recovered, and says in which state it is', async () => {
    const durable = { ...framework, checkpoint: true };
    await using cluster = await Cluster.registered({ simulation: { script: () => ({}) } });
    await FakeExecutor.withTask(cluster, durable);
    cluster.world.crash('agent-1');
    await cluster.world.advance('1s');
    await cluster.restart({ executorReregistrationTimeout: '10secs' });
    expect(await cluster.state()).to.include({ state: 'recovering' });
    expect((await cluster.get('/agent/health')).status).to.equal(503);
    await cluster.until(() => cluster.master.reregistrations.length > 0);
    expect(await cluster.state()).to.not.include({ state: 'recovering' });
    expect((await cluster.get('/agent/health')).status).to.equal(200);
  });
});
