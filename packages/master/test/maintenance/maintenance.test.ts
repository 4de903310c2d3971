import { dispatch, type Future } from '@mezzo/process';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { expect } from 'chai';
import { agentMessages, schedulerMessages } from '@mezzo/protocol';
import type { Operator } from '@mezzo/master';
import { TestCluster } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, taskInfo } from '../peers.ts';

describe('maintenance', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    cluster = await TestCluster.start({ registry: memoryLog(new MemoryLogStore()) });
    scheduler = await cluster.scheduler('framework-1', { checkpoint: true, failoverTimeout: 1e9 });
    agent = await cluster.agent('agent-1');
    await cluster.advance('1s');
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const decide = async <T>(call: (operator: Operator) => Future<T>): Promise<T | string> => {
    const outcome = dispatch(cluster.leader, (master) => call(master.operator));
    await cluster.advance('1s');
    if (outcome.isReady) return outcome.get() as T;
    const error = outcome.failure() as Error & { readonly kind: string };
    return `${error.kind}: ${error.message}`;
  };
  const at = (): number => cluster.world.clock.now() + 3_600_000;
  const window = (hostname = 'agent-1', unavailability = { start: at(), duration: 60_000 }) => ({
    machines: [{ hostname }],
    unavailability,
  });

  it('MASTER-33 a schedule makes offers anew that say when the machine will be away, and asks who is on it to leave', async () => {
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:64')], 0);
    await cluster.advance('2s');
    const before = scheduler.lastOffer;
    const planned = window();
    expect(await decide((operator) => operator.updateMaintenanceSchedule([planned]))).to.equal(undefined);
    await cluster.advance('2s');
    expect(scheduler.offers.map(({ id }) => id)).to.not.include(before.id);
    expect(scheduler.lastOffer.unavailability).to.deep.equal(planned.unavailability);
    const [asked] = scheduler.got(schedulerMessages.InverseOffers).flatMap(({ inverseOffers }) => inverseOffers);
    expect(asked).to.deep.include({
      agentId: agent.id,
      frameworkId: scheduler.id,
      unavailability: planned.unavailability,
    });
    if (asked === undefined) return;
    scheduler.tell(schedulerMessages.AcceptInverseOffers, { frameworkId: scheduler.id, inverseOfferIds: [asked.id] });
    // One that is not there does no harm.
    scheduler.tell(schedulerMessages.AcceptInverseOffers, { frameworkId: scheduler.id, inverseOfferIds: [before.id] });
    scheduler.tell(schedulerMessages.DeclineInverseOffers, { frameworkId: scheduler.id, inverseOfferIds: [before.id] });
    await cluster.advance('1s');
    const status = await decide((operator) => operator.maintenanceStatus());
    if (typeof status === 'string') throw new Error(status);
    expect(status.down).to.deep.equal([]);
    expect(
      status.draining.map(({ id, answers }) => [id, answers.map((answer) => `${answer.frameworkId} ${answer.status}`)]),
    ).to.deep.equal([[{ hostname: 'agent-1' }, [`${scheduler.id} ACCEPT`]]]);
  });

  it('MASTER-33 an inverse offer is rescinded when the machine will stay after all', async () => {
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:64')], 0);
    await cluster.advance('2s');
    await decide((operator) => operator.updateMaintenanceSchedule([window()]));
    await cluster.advance('2s');
    const [asked] = scheduler.got(schedulerMessages.InverseOffers).flatMap(({ inverseOffers }) => inverseOffers);
    expect(await decide((operator) => operator.updateMaintenanceSchedule([]))).to.equal(undefined);
    expect(
      scheduler.got(schedulerMessages.RescindInverseOffer).map(({ inverseOfferId }) => inverseOfferId),
    ).to.deep.equal([asked?.id]);
    await cluster.advance('2s');
    expect(scheduler.lastOffer.unavailability).to.equal(undefined);
  });

  it('MASTER-33 machines go down with their agents, which may not come back until they are up', async () => {
    expect(await decide((operator) => operator.startMaintenance([{ hostname: 'agent-1' }]))).to.match(/^INVALID: .*UP/);
    await decide((operator) => operator.updateMaintenanceSchedule([window()]));
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:64')], 0);
    await cluster.advance('1s');
    expect(await decide((operator) => operator.startMaintenance([{ hostname: 'AGENT-1' }]))).to.equal(undefined);
    expect(agent.got(agentMessages.ShutdownAgent).map(({ message }) => message)).to.deep.equal(['Machine is `DOWN`']);
    expect(scheduler.told.at(-1)).to.equal('t TASK_LOST SOURCE_MASTER REASON_AGENT_REMOVED');
    agent.register();
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ShutdownAgent)).to.have.length(2);
    expect((await cluster.state()).slaves).to.deep.equal([]);
    // Also for the next master.
    await cluster.failOver();
    agent.register();
    await cluster.advance('1s');
    expect(agent.got(agentMessages.ShutdownAgent)).to.have.length(3);
    expect(await decide((operator) => operator.updateMaintenanceSchedule([]))).to.match(
      /^INVALID: .*must stay in the schedule/,
    );
    expect(await decide((operator) => operator.stopMaintenance([{ hostname: 'agent-1' }]))).to.equal(undefined);
    expect(await decide((operator) => operator.stopMaintenance([{ hostname: 'agent-1' }]))).to.match(/^INVALID: .*UP/);
    agent.register();
    await cluster.advance('1s');
    expect((await cluster.state()).slaves).to.have.length(1);
  });

  it('MASTER-33 a schedule that makes no sense is refused whole', async () => {
    const refusals = [
      [{ machines: [], unavailability: { start: at() } }],
      [{ machines: [{}], unavailability: { start: at() } }],
      [window('agent-1', { start: Number.NaN, duration: 1 })],
      [window('agent-1', { start: at(), duration: -1 })],
      [window(), window()],
    ];
    for (const windows of refusals)
      expect(await decide((operator) => operator.updateMaintenanceSchedule(windows))).to.match(/^INVALID: /);
    expect(await decide((operator) => operator.startMaintenance([]))).to.match(/^INVALID: /);
    const schedule = dispatch(cluster.leader, (master) => master.operator.maintenanceSchedule);
    await cluster.advance('1s');
    expect(schedule.get()).to.deep.equal([]);
  });
});
