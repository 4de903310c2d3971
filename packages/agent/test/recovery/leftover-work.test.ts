import { dispatch } from '@mezzo/process';
import { agentMessages, type FrameworkInfo, OperationUUID, type Resource } from '@mezzo/protocol';
import { withExitRecords } from '@mezzo/agent/testing';
import { expect } from 'chai';
import { Cluster } from '../cluster.ts';
import { FakeExecutor } from '../fake-executor.ts';
import { agentId, FakeMaster, framework, frameworkId, taskOf } from '../fake-master.ts';

const durable: FrameworkInfo = { ...framework, checkpoint: true, capabilities: ['PARTITION_AWARE'] };
const endless = { script: withExitRecords(() => ({})) };
/** The number in a command is how many seconds it takes. */
const timed = {
  script: withExitRecords(({ arguments: given }) => {
    const seconds = Number(given.at(-1));
    return Number.isNaN(seconds) ? {} : { duration: seconds * 1000 };
  }),
};
const sandboxes = `/work-dir/slaves/${agentId}/frameworks/${frameworkId}/executors`;

/** What is in a folder; nothing if it is not there. */
async function listed(cluster: Cluster, folder: string): Promise<readonly string[]> {
  const names = cluster.files.list(folder);
  await cluster.world.settle();
  return names.isReady ? names.get() : [];
}

/** A master that also reserves resources. */
class ReservingMaster extends FakeMaster {
  reserve(...resources: readonly Resource[]): void {
    if (this.agent === undefined) throw new Error('no agent');
    this.send(this.agent, agentMessages.ApplyOperation, {
      term: this.term,
      frameworkId,
      operationUuid: OperationUUID('00000000-0000-4000-8000-000000000001'),
      operation: { type: 'RESERVE', resources: [...resources] },
    });
  }
}

describe('an executor that has nothing left to do when its agent is back', () => {
  it('AGENT-06 is shut down, with what it never got told as dropped', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const executor = await FakeExecutor.withTask(cluster, durable);
    cluster.world.crash('agent-1');
    await cluster.world.advance('5s');
    await cluster.restart();
    await cluster.until(() => executor.reconnects > 0);
    executor.reregister([]);
    await cluster.until(() => executor.shutdowns > 0);
    await cluster.until(() => cluster.master.states('t1').includes('TASK_DROPPED'));
    await cluster.until(() => cluster.children.running.length === 0, '10s');
    await cluster.until(() => cluster.master.exits.length > 0);
  });

  it('AGENT-06 stays while one of its tasks runs', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const executor = await FakeExecutor.withTask(cluster, durable);
    executor.report('t1', 'TASK_RUNNING');
    await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.restart();
    await cluster.until(() => executor.reconnects > 0);
    executor.reregister([]);
    await cluster.world.advance('1mins');
    expect(executor.shutdowns).to.equal(0);
    expect(cluster.children.running).to.have.length(1);
  });
});

describe('an agent that ended in order', () => {
  it('AGENT-14i has its id when it is started again, and none of the tasks that it killed', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    cluster.master.run(taskOf('t1', 'x'), durable);
    await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
    const ended = dispatch(cluster.agent, (agent) => agent.shutdown());
    await cluster.until(() => !ended.isPending);
    await cluster.world.advance('1s');
    expect(cluster.master.unregistered).to.deep.equal([agentId]);
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    const [told] = cluster.master.reregistrations;
    expect(told?.agent.id).to.equal(agentId);
    expect(told?.tasks).to.deep.equal([]);
    expect(cluster.master.registrations).to.have.length(1);
  });
});

describe('a launch that the end of its agent interrupts', () => {
  it('AGENT-14b has failed if the agent knew of it, and never runs', async () => {
    let failed = 0;
    for (let moment = 1; moment < 20; moment += 0.5) {
      await using cluster = await Cluster.registered({ simulation: { ...endless, latency: [1, 1] } });
      const { master, children, files } = cluster;
      master.run(taskOf('t1', 'x'), durable);
      files.disk.latency = [1, 1];
      await cluster.world.advance(moment);
      if (children.running.length > 0) break;
      cluster.world.crash('agent-1');
      files.disk.latency = [0, 0];
      await cluster.comeBack();
      await cluster.world.advance('5s');
      expect(children.running).to.deep.equal([]);
      // Without a checkpoint the agent has never heard of it, and says so when the master asks.
      if (master.reregistrations[0]?.tasks.length === 0) continue;
      failed += 1;
      expect(master.states('t1')).to.deep.equal(['TASK_FAILED']);
      expect(master.last('t1')?.status).to.include({ reason: 'REASON_EXECUTOR_TERMINATED' });
    }
    expect(failed).to.be.above(0);
  });
});

describe('an agent that has become more', () => {
  it('AGENT-12 is refused, unless the policy is additive', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    const more = { resources: 'cpus:8;mem:1024;ports:[31000-32000]' };
    const failed = await cluster.restart(more).catch((error: unknown) => error);
    expect(failed).to.include({ name: 'RecoveryError', code: 'AGENT_INCOMPATIBLE' });
    cluster.world.crash('agent-1');
    await cluster.comeBack({ ...more, reconfigurationPolicy: 'additive' });
    expect(await cluster.state()).to.have.nested.property('resources.cpus', 8);
  });

  it('AGENT-14k has what was reserved before, of the more that it has, while its task runs', async () => {
    const master = new ReservingMaster();
    await using cluster = await Cluster.registered({ simulation: endless, reconfigurationPolicy: 'additive', master });
    const reserved: Resource = {
      name: 'cpus',
      type: 'SCALAR',
      scalar: 2,
      reservations: [{ type: 'DYNAMIC', role: 'eng' }],
    };
    master.reserve(reserved);
    master.run(taskOf('t1', 'x', { resources: [{ ...reserved, allocationRole: 'eng' }] }), durable);
    await cluster.until(() => master.states('t1').includes('TASK_RUNNING'));
    await cluster.world.advance('1s');
    cluster.world.crash('agent-1');
    await cluster.comeBack({ resources: 'cpus:8;mem:1024;ports:[31000-32000]' });
    const told = master.reregistrations.at(-1);
    expect(told?.checkpointedResources).to.deep.equal([reserved]);
    expect(told?.tasks.map(({ taskId, state }) => [taskId, state])).to.deep.equal([['t1', 'TASK_RUNNING']]);
    expect(await cluster.state()).to.have.nested.property('resources.cpus', 8);
    expect(await cluster.state()).to.have.nested.property('reserved_resources.eng.cpus', 2);
    expect(await cluster.state()).to.have.nested.property('used_resources.cpus', 2);
  });
});

describe('what an agent no longer needs', () => {
  it('AGENT-15 goes gc_delay after an executor, or its framework, has ended', async () => {
    await using cluster = await Cluster.registered({ simulation: timed, gcDelay: '7hrs' });
    const { master } = cluster;
    master.run(taskOf('t1', '1'), durable);
    master.run(taskOf('t2', 'x'), durable);
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    await cluster.world.advance('6hrs');
    expect(await listed(cluster, sandboxes)).to.have.members(['t1', 't2']);
    await cluster.world.advance('65mins');
    expect(await listed(cluster, sandboxes)).to.deep.equal(['t2']);
    master.kill('t2');
    await cluster.until(() => master.states('t2').includes('TASK_KILLED'));
    await cluster.world.advance('8hrs');
    expect(await listed(cluster, `/work-dir/slaves/${agentId}/frameworks`)).to.deep.equal([]);
    expect(await listed(cluster, `/work-dir/meta/slaves/${agentId}/frameworks`)).to.deep.equal([]);
  });

  it('AGENT-14c AGENT-15 goes gc_delay after its end, though the agent was started again meanwhile', async () => {
    await using cluster = await Cluster.registered({ simulation: timed, gcDelay: '7hrs' });
    const { master } = cluster;
    master.run(taskOf('t1', '1'), durable);
    master.run(taskOf('t2', 'x'), durable);
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    await cluster.world.advance('6hrs');
    cluster.world.crash('agent-1');
    await cluster.comeBack();
    expect(master.reregistrations[0]?.tasks.map(({ taskId }) => taskId)).to.deep.equal(['t2']);
    expect(await listed(cluster, sandboxes)).to.have.members(['t1', 't2']);
    await cluster.world.advance('65mins');
    expect(await listed(cluster, sandboxes)).to.deep.equal(['t2']);
  });

  it('AGENT-15 stays if it is needed again', async () => {
    await using cluster = await Cluster.registered({ simulation: timed, gcDelay: '7hrs' });
    const { master } = cluster;
    master.run(taskOf('t1', '1'), durable);
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    await cluster.world.advance('6hrs');
    master.run(taskOf('t2', 'x'), durable);
    await cluster.until(() => master.states('t2').includes('TASK_RUNNING'));
    await cluster.world.advance('3hrs');
    expect(await listed(cluster, sandboxes)).to.deep.equal(['t2']);
    expect(cluster.children.running).to.have.length(1);
  });

  it('AGENT-15 goes at once where the disk is full', async () => {
    const capacity = 1_000_000;
    await using cluster = await Cluster.registered({ simulation: timed });
    const { master, files } = cluster;
    master.run(taskOf('t1', '1'), durable);
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    await cluster.world.advance('10mins');
    expect(await listed(cluster, sandboxes)).to.deep.equal(['t1']);
    files.disk.capacity = capacity;
    files.write('/elsewhere', 'x'.repeat(capacity * 0.95));
    await cluster.world.advance('2mins');
    expect(await listed(cluster, sandboxes)).to.deep.equal([]);
  });
});
