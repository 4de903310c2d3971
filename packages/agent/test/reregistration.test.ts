import { FrameworkID, type FrameworkInfo } from '@mezzo/protocol';
import { expect } from 'chai';
import { Cluster } from './cluster.ts';
import { FakeExecutor } from './fake-executor.ts';
import { customExecutor, defaultExecutor, framework, frameworkId, taskOf } from './fake-master.ts';

const endless = { script: () => ({}) };
const capabilities = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
];
const executor = customExecutor('e1');

describe('an agent that registers', () => {
  it('tells what it can', async () => {
    await using cluster = await Cluster.registered();
    expect(cluster.master.registrations[0]?.capabilities).to.deep.equal(capabilities);
    expect(await cluster.state()).to.deep.include({ capabilities });
  });

  it('again tells what it has: tasks, the executors that were given, and their frameworks', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const { master } = cluster;
    master.acknowledges = false;
    master.run(taskOf('command', 'x'));
    master.runIn(executor, taskOf('custom', ''), true);
    master.runGroup(defaultExecutor('e2'), [taskOf('grouped', 'x')], true);
    await cluster.until(() => ['command', 'grouped'].every((id) => master.states(id).includes('TASK_STARTING')));
    await cluster.world.advance('1s');
    master.ping(false);
    await cluster.until(() => master.reregistrations.length > 0);
    const [told] = master.reregistrations;
    expect(told?.capabilities).to.deep.equal(capabilities);
    expect(told?.executors).to.deep.equal([
      { frameworkId, executor },
      { frameworkId, executor: defaultExecutor('e2') },
    ]);
    expect(told?.frameworks).to.deep.equal([framework]);
    expect(told?.completedFrameworks).to.deep.equal([]);
    const tasks = told?.tasks.map(({ taskId, state, executorId }) => [taskId, state, executorId]);
    expect(tasks).to.deep.equal([
      ['command', 'TASK_RUNNING', undefined],
      ['custom', 'TASK_STAGING', 'e1'],
      ['grouped', 'TASK_RUNNING', 'e2'],
    ]);
  });

  it('again tells which update of a task it sent last: its framework may know nothing newer', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const { master } = cluster;
    master.acknowledges = false;
    master.run(taskOf('t1', 'x'));
    await cluster.until(() => master.states('t1').includes('TASK_STARTING'));
    await cluster.world.advance('1s');
    master.ping(false);
    await cluster.until(() => master.reregistrations.length > 0);
    const [task] = master.reregistrations[0]?.tasks ?? [];
    expect(task).to.include({ state: 'TASK_RUNNING', statusUpdateState: 'TASK_STARTING' });
    expect(task?.statusUpdateUuid).to.equal(master.last('t1')?.status.uuid);
  });

  it('again tells of an executor that is ending, but not of one that has ended', async () => {
    await using cluster = await Cluster.registered({ simulation: { script: () => ({ stubborn: true }) } });
    const { master } = cluster;
    master.acknowledges = false;
    master.runIn(executor, taskOf('t1', ''), true);
    await cluster.until(() => cluster.children.running.length > 0);
    const program = await FakeExecutor.start(cluster, 'e1');
    program.register();
    await cluster.until(() => program.launches.length > 0);
    master.shutdownExecutor('e1');
    await cluster.until(() => program.shutdowns > 0);
    master.ping(false);
    await cluster.until(() => master.reregistrations.length === 1);
    expect(master.reregistrations[0]?.executors).to.have.length(1);
    await cluster.until(() => master.states('t1').includes('TASK_FAILED'));
    master.ping(false);
    await cluster.until(() => master.reregistrations.length === 2);
    expect(master.reregistrations[1]?.executors).to.deep.equal([]);
    expect(master.reregistrations[1]?.tasks).to.have.nested.property('[0].state', 'TASK_FAILED');
    expect(master.reregistrations[1]?.frameworks).to.have.length(1);
  });

  it('again tells of frameworks that it had, with their tasks', async () => {
    await using cluster = await Cluster.registered();
    const { master } = cluster;
    master.run(taskOf('t1', 'true'));
    await cluster.until(() => master.states('t1').includes('TASK_FINISHED'));
    await cluster.world.advance('1s');
    master.ping(false);
    await cluster.until(() => master.reregistrations.length > 0);
    const [told] = master.reregistrations;
    expect([told?.tasks, told?.executors, told?.frameworks]).to.deep.equal([[], [], []]);
    expect(told?.completedFrameworks).to.have.length(1);
    expect(told?.completedFrameworks?.[0]?.framework).to.deep.equal(framework);
    const tasks = told?.completedFrameworks?.[0]?.tasks.map(({ taskId, state }) => [taskId, state]);
    expect(tasks).to.deep.equal([['t1', 'TASK_FINISHED']]);
  });
});

describe('a framework that has subscribed again', () => {
  const changed: FrameworkInfo = { ...framework, name: 'changed', capabilities: ['PARTITION_AWARE'] };

  it('is known as it is now, and gets at once what waits for it', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    const { master } = cluster;
    master.acknowledges = false;
    master.run(taskOf('t1', 'x'));
    await cluster.until(() => master.updates.length > 0);
    // The next time would be after 640 s.
    await cluster.world.advance('12mins');
    const told = master.updates.length;
    master.updateFramework(changed);
    await cluster.until(() => master.updates.length === told + 1, '1s');
    master.kill('unknown');
    await cluster.until(() => master.states('unknown').length > 0);
    expect(master.last('unknown')?.status.state, 'it is partition aware by now').to.equal('TASK_DROPPED');
    master.ping(false);
    await cluster.until(() => master.reregistrations.length > 0);
    expect(master.reregistrations[0]?.frameworks).to.deep.equal([changed]);
  });

  it('changes nothing if it has nothing here', async () => {
    await using cluster = await Cluster.registered({ simulation: endless });
    cluster.master.updateFramework({ ...changed, id: FrameworkID('another') });
    await cluster.world.advance('1s');
    expect(await cluster.state()).to.deep.include({ frameworks: [], completed_frameworks: [] });
  });
});
