import { expect } from 'chai';
import { agentMessages, FrameworkID, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { FakeScheduler, taskInfo } from './peers.ts';

const errors = (scheduler: FakeScheduler): string[] =>
  scheduler.got(schedulerMessages.FrameworkError).map(({ message }) => message);

describe('frameworks at the master', () => {
  it('SCHED-01 gives a new framework an id of the master’s, once however often it asks', async () => {
    await using cluster = await TestCluster.start();
    const first = await cluster.scheduler('one');
    const second = await cluster.scheduler('two');
    const { id } = await cluster.state();
    expect([first.id, second.id]).to.deep.equal([`${id}-0000`, `${id}-0001`]);
    first.subscribe();
    await cluster.advance('20ms');
    expect(first.got(schedulerMessages.Subscribed).map(({ frameworkId }) => frameworkId)).to.deep.equal([
      first.id,
      first.id,
    ]);
    expect((await cluster.state()).frameworks).to.have.length(2);
    expect(first.got(schedulerMessages.Subscribed)[0]?.term).to.deep.equal({ created: 1_704_067_200_000, revision: 1 });
  });

  it('refuses a framework with an invalid role, or several without MULTI_ROLE, and says why', async () => {
    await using cluster = await TestCluster.start();
    const scheduler = await cluster.scheduler('one', { roles: ['a//b'] });
    scheduler.subscribe({ roles: ['a', 'b'] });
    scheduler.subscribe({ roles: ['a', 'a'], capabilities: ['MULTI_ROLE'] });
    await cluster.advance('20ms');
    expect(errors(scheduler)).to.have.length(3);
    expect(errors(scheduler).join()).to.match(/a\/\/b.*MULTI_ROLE.*twice/s);
    expect((await cluster.state()).frameworks).to.deep.equal([]);
  });

  it('SCHED-02 lets a new scheduler take over: the old one is told, offers are made anew, tasks go on', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const old = await cluster.scheduler('old');
    old.launch(old.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 0);
    await cluster.advance('2s');
    const stale = old.lastOffer;
    const next = await cluster.peer('new', new FakeScheduler());
    next.subscribe({ id: old.id, name: 'renamed' });
    await cluster.advance('20ms');
    expect(errors(old)).to.deep.equal(['Framework failed over']);
    expect(old.got(schedulerMessages.Rescind)).to.deep.equal([]);
    expect(next.id).to.equal(old.id);
    const [framework] = (await cluster.state()).frameworks;
    expect(framework).to.include({ name: 'renamed', connected: true });
    expect(framework?.tasks.map((task) => task.id)).to.deep.equal(['t']);
    await cluster.advance('2s');
    expect(next.lastOffer.id).not.to.equal(stale.id);
    // What the old one says does not count any more, neither does its end.
    old.kill('t');
    cluster.world.crash('old');
    await cluster.advance('1mins');
    expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
    expect((await cluster.state()).frameworks[0]).to.include({ connected: true });
    agent.update(next.id, 't', 'TASK_RUNNING');
    await cluster.advance('20ms');
    expect(next.told).to.deep.equal(['t TASK_RUNNING SOURCE_EXECUTOR']);
  });

  it('keeps the tasks of a disconnected framework for its failover timeout, without offers, then removes it', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler('framework-1', { failoverTimeout: 600_000 });
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 0);
    await cluster.advance('2s');
    const { id } = scheduler;
    cluster.world.crash('framework-1');
    await cluster.advance('1mins');
    let state = await cluster.state();
    expect(state.frameworks[0]).to.include({ connected: false, active: false });
    expect(state.frameworks[0]?.offers).to.deep.equal([]);
    expect(state.frameworks[0]?.tasks).to.have.length(1);
    expect(state.slaves[0]?.offered_resources).to.include({ cpus: 0 });
    await cluster.advance('11mins');
    state = await cluster.state();
    expect(state.frameworks).to.deep.equal([]);
    expect(state.completed_frameworks[0]?.completed_tasks.map((task) => task.state)).to.deep.equal(['TASK_KILLED']);
    expect(agent.got(agentMessages.ShutdownFramework).map(({ frameworkId }) => frameworkId)).to.deep.equal([id]);
    expect(state.slaves[0]?.used_resources).to.include({ cpus: 0, mem: 0 });
    const late = await cluster.peer('late', new FakeScheduler());
    late.subscribe({ id });
    await cluster.advance('20ms');
    expect(errors(late)).to.deep.equal(['Framework has been removed']);
  });

  it('goes on with a framework that comes back within its failover timeout', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler('framework-1', { failoverTimeout: 600_000 });
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    const { id } = scheduler;
    cluster.world.crash('framework-1');
    await cluster.advance('1mins');
    const next = await cluster.peer('framework-2', new FakeScheduler());
    next.subscribe({ id, failoverTimeout: 600_000 });
    await cluster.advance('30mins');
    expect(next.id).to.equal(id);
    const [framework] = (await cluster.state()).frameworks;
    expect(framework).to.include({ id, connected: true });
    expect(framework?.tasks).to.have.length(1);
    expect(next.offers).not.to.deep.equal([]);
    expect(agent.got(agentMessages.ShutdownFramework)).to.deep.equal([]);
  });

  it('counts the failover timeout anew after each disconnection', async () => {
    await using cluster = await TestCluster.start();
    const first = await cluster.scheduler('one', { failoverTimeout: 600_000 });
    cluster.world.crash('one');
    await cluster.advance('1mins');
    await cluster.scheduler('two', { id: first.id, failoverTimeout: 600_000 });
    await cluster.advance('7mins');
    cluster.world.crash('two');
    await cluster.advance('5mins');
    expect((await cluster.state()).frameworks.map(({ id, connected }) => [id, connected])).to.deep.equal([
      [first.id, false],
    ]);
    await cluster.advance('6mins');
    expect((await cluster.state()).frameworks).to.deep.equal([]);
  });

  it('frees everything at once when a framework without failover timeout is killed', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler('framework-1');
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:3;mem:32')]);
    await cluster.advance('20ms');
    cluster.world.crash('framework-1');
    const other = await cluster.scheduler('framework-2');
    await cluster.advance('1mins');
    expect(agent.got(agentMessages.ShutdownFramework)).to.have.length(1);
    expect(other.offers.at(-1)?.resources).to.deep.include({ type: 'SCALAR', name: 'cpus', scalar: 3 });
  });

  it('SCHED-04 removes a framework on teardown and refuses its id', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')]);
    await cluster.advance('10s');
    expect(scheduler.offers).to.have.length(2);
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('20ms');
    const state = await cluster.state();
    expect(state.frameworks).to.deep.equal([]);
    expect(state.completed_frameworks.map(({ id }) => id)).to.deep.equal([scheduler.id]);
    expect(agent.got(agentMessages.ShutdownFramework)).to.have.length(1);
    expect(state.slaves[0]?.offered_resources).to.include({ cpus: 0, mem: 0 });
    expect(scheduler.told).to.deep.equal([]);
    scheduler.subscribe({ id: scheduler.id });
    await cluster.advance('20ms');
    expect(errors(scheduler)).to.deep.equal(['Framework has been removed']);
  });

  it('SCHED-10 refuses to change the principal, and keeps user and checkpoint as they were', async () => {
    await using cluster = await TestCluster.start();
    const scheduler = await cluster.scheduler('one', { principal: 'p', user: 'u' });
    scheduler.subscribe({ id: scheduler.id, principal: 'q' });
    await cluster.advance('20ms');
    expect(errors(scheduler)).to.deep.equal([`Changing framework's principal is not allowed.`]);
    scheduler.subscribe({ id: scheduler.id, principal: 'p', user: 'other', checkpoint: true, name: 'n' });
    await cluster.advance('20ms');
    expect((await cluster.state()).frameworks[0]).to.include({ user: 'u', checkpoint: false, name: 'n' });
  });

  it('calls offers back when the same scheduler subscribes again under its id', async () => {
    await using cluster = await TestCluster.start();
    await cluster.agent();
    const scheduler = await cluster.scheduler();
    const { id } = scheduler.lastOffer;
    scheduler.subscribe({ id: scheduler.id });
    await cluster.advance('20ms');
    expect(scheduler.got(schedulerMessages.Rescind).map(({ offerId }) => offerId)).to.deep.equal([id]);
    expect(errors(scheduler)).to.deep.equal([]);
    await cluster.advance('1s');
    expect(scheduler.offers).to.have.length(1);
  });

  it('SCHED-11 drops and counts the calls of anybody else than the framework’s scheduler', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    const forger = await cluster.peer('forger', new FakeScheduler());
    const frameworkId = scheduler.id;
    const [offer] = scheduler.offers;
    if (offer === undefined) throw new Error('no offer');
    forger.tell(schedulerMessages.Accept, {
      frameworkId,
      offerIds: [offer.id],
      operations: [{ type: 'LAUNCH', tasks: [taskInfo('t', agent.id, 'cpus:1;mem:32')] }],
    });
    forger.tell(schedulerMessages.Decline, { frameworkId, offerIds: [offer.id] });
    forger.tell(schedulerMessages.Teardown, { frameworkId });
    forger.tell(schedulerMessages.Reconcile, { frameworkId: FrameworkID('nobody'), tasks: [] });
    await cluster.advance('20ms');
    expect(forger.received).to.deep.equal([]);
    expect(agent.runs).to.deep.equal([]);
    const state = await cluster.state();
    expect(state.frameworks[0]?.offers.map(({ id }) => id)).to.deep.equal([offer.id]);
    expect(await cluster.metric('master/dropped_messages')).to.equal(4);
  });

  it('MASTER-15 forgets the oldest completed frameworks and tasks beyond the limits', async () => {
    await using cluster = await TestCluster.start({ maxCompletedFrameworks: 1, maxCompletedTasksPerFramework: 2 });
    const agent = await cluster.agent();
    for (const name of ['a', 'b']) {
      const scheduler = await cluster.scheduler(name, { name });
      await cluster.advance('1s');
      const tasks = ['1', '2', '3'].map((id) => taskInfo(id, agent.id, 'cpus:0.1;mem:32'));
      scheduler.launch(scheduler.lastOffer, tasks);
      await cluster.advance('20ms');
      for (const { taskId } of tasks) agent.update(scheduler.id, taskId, 'TASK_FINISHED');
      await cluster.advance('20ms');
      scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
      await cluster.advance('20ms');
    }
    const { completed_frameworks: completed } = await cluster.state();
    expect(completed.map(({ name }) => name)).to.deep.equal(['b']);
    expect(completed[0]?.completed_tasks.map(({ id }) => id)).to.deep.equal(['2', '3']);
  });

  it('MASTER-15 remembers none of them where the limits are 0', async () => {
    await using cluster = await TestCluster.start({
      maxCompletedFrameworks: 0,
      maxCompletedTasksPerFramework: 0,
      maxUnreachableTasksPerFramework: 0,
    });
    const scheduler = await cluster.scheduler('one', { checkpoint: true, capabilities: ['PARTITION_AWARE'] });
    const agent = await cluster.agent();
    const tasks = ['ends', 'is lost'].map((id) => taskInfo(id.replace(' ', '-'), agent.id, 'cpus:1;mem:32'));
    scheduler.launch(scheduler.lastOffer, tasks);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 'ends', 'TASK_FINISHED');
    agent.answersPings = false;
    await cluster.advance('90s');
    expect(scheduler.told.at(-1)).to.equal('is-lost TASK_UNREACHABLE SOURCE_MASTER REASON_AGENT_REMOVED');
    const [framework] = (await cluster.state()).frameworks;
    expect(framework).to.deep.include({ tasks: [], completed_tasks: [], unreachable_tasks: [] });
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('20ms');
    expect(await cluster.state()).to.deep.include({ frameworks: [], completed_frameworks: [] });
  });

  it('MASTER-22 refuses a failover timeout that is no length of time', async () => {
    await using cluster = await TestCluster.start();
    const scheduler = await cluster.scheduler('one', { failoverTimeout: -1 });
    for (const failoverTimeout of [Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_VALUE])
      scheduler.subscribe({ failoverTimeout });
    await cluster.advance('20ms');
    expect(errors(scheduler)).to.have.length(4);
    for (const error of errors(scheduler)) expect(error).to.contain('invalid failoverTimeout');
    expect((await cluster.state()).frameworks).to.deep.equal([]);
    scheduler.subscribe({ failoverTimeout: 1 });
    await cluster.advance('20ms');
    expect((await cluster.state()).frameworks).to.have.length(1);
  });

  it('MASTER-18 a role that a framework leaves when it subscribes again is offered no more, and its task goes on', async () => {
    await using cluster = await TestCluster.start();
    const capabilities = ['MULTI_ROLE'];
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler('one', { roles: ['r1', 'r2'], capabilities });
    const { role } = scheduler.lastOffer;
    const kept = role === 'r1' ? 'r2' : 'r1';
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:32')], 0);
    await cluster.advance('2s');
    // The other role has more by now, so the one that is left would be the next.
    expect(scheduler.lastOffer.role).to.equal(kept);
    scheduler.launch(scheduler.lastOffer, [taskInfo('u', agent.id, 'cpus:2;mem:1024')], 0);
    await cluster.advance('20ms');
    scheduler.subscribe({ id: scheduler.id, roles: [kept], capabilities });
    const before = scheduler.offers.length;
    await cluster.advance('5s');
    expect(scheduler.offers.slice(before).map((offer) => offer.role)).to.deep.equal([kept]);
    agent.update(scheduler.id, 't', 'TASK_RUNNING');
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal(['t TASK_RUNNING SOURCE_EXECUTOR']);
    const [framework] = (await cluster.state()).frameworks;
    expect(framework?.tasks.map(({ state }) => state)).to.deep.equal(['TASK_RUNNING', 'TASK_STAGING']);
    expect(agent.got(agentMessages.KillTask)).to.deep.equal([]);
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 3 });
  });

  it('MASTER-18 offers a framework of several roles each agent under one of them, and marks the resources', async () => {
    await using cluster = await TestCluster.start();
    await cluster.agent('agent-1');
    await cluster.agent('agent-2');
    const scheduler = await cluster.scheduler('one', { roles: ['r1', 'r2'], capabilities: ['MULTI_ROLE'] });
    expect(scheduler.offers.map(({ role }) => role).toSorted()).to.deep.equal(['r1', 'r2']);
    for (const { role, resources } of scheduler.offers) {
      expect(resources.map(({ allocationRole }) => allocationRole)).to.deep.equal([role, role]);
    }
  });

  it('SCHED-07 makes no offers to who suppressed them, also after it subscribed again, until revived', async () => {
    await using cluster = await TestCluster.start();
    const scheduler = await cluster.scheduler();
    scheduler.tell(schedulerMessages.Suppress, { frameworkId: scheduler.id, roles: [] });
    await cluster.agent();
    await cluster.advance('3s');
    scheduler.subscribe({ id: scheduler.id });
    await cluster.advance('3s');
    expect(scheduler.offers).to.deep.equal([]);
    scheduler.tell(schedulerMessages.Revive, { frameworkId: scheduler.id, roles: [] });
    await cluster.advance('20ms');
    expect(scheduler.offers).to.have.length(1);
  });
});
