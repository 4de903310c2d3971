import type { FrameworkInfo } from '@mezzo/protocol';
import { expect } from 'chai';
import { Cluster } from './cluster.ts';
import { agentId, customExecutor, framework, frameworkId, taskOf } from './fake-master.ts';

const killingAware: FrameworkInfo = { ...framework, capabilities: ['TASK_KILLING_STATE'] };
const aware: FrameworkInfo = { ...framework, capabilities: ['TASK_KILLING_STATE', 'PARTITION_AWARE'] };
const stubborn = { script: () => ({ stubborn: true }) };
const executor = customExecutor('e1');

/** A cluster in which one task runs that ignores TERM. */
async function running(info: FrameworkInfo, killGracePeriod?: number): Promise<Cluster> {
  const cluster = await Cluster.registered({ simulation: stubborn });
  cluster.master.run(taskOf('t1', 'x', killGracePeriod === undefined ? {} : { killGracePeriod }), info);
  await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
  return cluster;
}

describe('draining', () => {
  for (const [info, markGone, last] of [
    [killingAware, false, 'TASK_KILLED'],
    [killingAware, true, 'TASK_KILLED'],
    [aware, false, 'TASK_KILLED'],
    [aware, true, 'TASK_GONE_BY_OPERATOR'],
  ] as const) {
    const which = info === aware ? 'PARTITION_AWARE' : 'other';
    it(`AGENT-10 kills tasks of ${which} frameworks, ${markGone ? 'also' : 'not'} to be gone: ${last}`, async () => {
      await using cluster = await running(info);
      const { master } = cluster;
      master.drain({ markGone });
      await cluster.until(() => master.states('t1').includes(last));
      expect(master.states('t1')).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', last]);
      const reasons = master.updates.map(({ status }) => status.reason);
      expect(reasons.slice(-2)).to.deep.equal(['REASON_AGENT_DRAINING', 'REASON_AGENT_DRAINING']);
      expect(reasons.slice(0, 2)).to.deep.equal([undefined, undefined]);
    });
  }

  for (const [what, own, most, expected] of [
    ["the task's own if it is shorter", 2000, 10_000, 2000],
    ['the longest allowed if the task has a longer one', 10_000, 2000, 2000],
    ['the longest allowed if the task has none', undefined, 7000, 7000],
    ["the task's own if any is allowed", 10_000, undefined, 10_000],
  ] as const) {
    it(`gives tasks time: ${what}`, async () => {
      await using cluster = await running(framework, own);
      const { master, world, children } = cluster;
      master.drain({ markGone: false, ...(most === undefined ? {} : { maxGracePeriod: most }) });
      await world.advance(expected - 100);
      expect(children.running).to.have.length(1);
      await world.advance(200);
      expect(children.running).to.deep.equal([]);
    });
  }

  for (const [info, state] of [
    [framework, 'TASK_LOST'],
    [aware, 'TASK_DROPPED'],
  ] as const) {
    it(`AGENT-10 refuses launches with ${state}, and tells that no executor was started`, async () => {
      await using cluster = await running(info);
      const { master } = cluster;
      master.drain({ markGone: false });
      master.run(taskOf('t2', 'x'), info);
      master.runGroup(executor, [taskOf('t3', 'x'), taskOf('t4', 'x')], true, info);
      await cluster.until(() => ['t2', 't3', 't4'].every((id) => master.states(id).length > 0));
      for (const id of ['t2', 't3', 't4']) {
        expect(master.last(id)?.status).to.include({ state, source: 'SOURCE_AGENT', reason: 'REASON_AGENT_DRAINING' });
      }
      expect(master.exits).to.deep.equal([{ agentId, frameworkId, executorId: 'e1', status: -1 }]);
    });
  }

  it('AGENT-10 kills what no executor has got yet', async () => {
    await using cluster = await Cluster.registered({ simulation: stubborn });
    const { master } = cluster;
    master.runIn(executor, taskOf('t1', ''), true, aware);
    master.runGroup(executor, [taskOf('t2', ''), taskOf('t3', '')], false, aware);
    await cluster.until(() => cluster.children.running.length > 0);
    master.drain({ markGone: true });
    await cluster.until(() => ['t1', 't2', 't3'].every((id) => master.states(id).length > 0));
    for (const id of ['t1', 't2', 't3']) {
      expect(master.last(id)?.status).to.include({ state: 'TASK_GONE_BY_OPERATOR', reason: 'REASON_AGENT_DRAINING' });
    }
  });

  it('is over when nothing is left: then launches are taken again', async () => {
    await using cluster = await running(framework);
    const { master } = cluster;
    master.drain({ markGone: false });
    await cluster.until(() => master.states('t1').includes('TASK_KILLED'));
    await cluster.world.advance('1s');
    master.run(taskOf('t2', 'x'));
    await cluster.until(() => master.states('t2').includes('TASK_RUNNING'));
    master.kill('t2');
    await cluster.until(() => master.states('t2').includes('TASK_KILLED'));
    expect(master.last('t2')?.status).to.not.have.property('reason');
  });

  it('is nothing to an agent that has nothing', async () => {
    await using cluster = await Cluster.registered({ simulation: stubborn });
    cluster.master.drain({ markGone: true });
    cluster.master.run(taskOf('t1', 'x'));
    await cluster.until(() => cluster.master.states('t1').includes('TASK_RUNNING'));
  });
});
