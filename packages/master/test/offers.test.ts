import { dispatch } from '@mezzo/process';
import { expect } from 'chai';
import { agentMessages, OfferID, Resources, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';
import { taskInfo } from './peers.ts';

const amounts = (offer: {
  readonly resources: Iterable<Parameters<typeof Resources.of>[0] extends Iterable<infer R> ? R : never>;
}): string => String(Resources.of(offer.resources));

describe('offers', () => {
  it('are one for each agent, numbered by the master, all of a run in one message', async () => {
    await using cluster = await TestCluster.start();
    await cluster.agent('agent-1', 'cpus:1;mem:64;ports:[1-9]', {
      url: 'http://127.0.0.1:1',
      attributes: { rack: 'r' },
    });
    await cluster.agent('agent-2');
    const scheduler = await cluster.scheduler();
    const { id } = await cluster.state();
    expect(scheduler.got(schedulerMessages.Offers)).to.have.length(1);
    expect(scheduler.offers.map((offer) => offer.id).toSorted()).to.deep.equal([`${id}-O0`, `${id}-O1`]);
    const offer = scheduler.offers.find(({ hostname }) => hostname === 'agent-1');
    expect(offer).to.deep.include({ url: 'http://127.0.0.1:1', attributes: { rack: 'r' } });
    expect(amounts(offer ?? { resources: [] })).to.equal('cpus:1;mem:64;ports:[1-9]');
  });

  it('ALLOC-05 declined ones come back after refuse_seconds, 5 s if nothing is said', async () => {
    await using cluster = await TestCluster.start();
    await cluster.agent();
    const scheduler = await cluster.scheduler();
    scheduler.decline(scheduler.lastOffer);
    await cluster.advance('4900ms');
    expect(scheduler.offers).to.have.length(1);
    await cluster.advance('1200ms');
    expect(scheduler.offers).to.have.length(2);
    scheduler.decline(scheduler.lastOffer, 0);
    await cluster.advance('1100ms');
    expect(scheduler.offers).to.have.length(3);
  });

  it('passes over the decline of offers that are gone or belong to others', async () => {
    await using cluster = await TestCluster.start();
    await cluster.agent();
    const owner = await cluster.scheduler('owner');
    const other = await cluster.scheduler('other');
    other.decline(owner.lastOffer);
    other.decline({ ...owner.lastOffer, id: OfferID('nonsense') });
    await cluster.advance('3s');
    expect((await cluster.state()).frameworks[0]?.offers).to.have.length(1);
    expect(other.offers).to.deep.equal([]);
  });

  it('MASTER-07 unused ones are rescinded after offer_timeout, used and declined ones are not', async () => {
    await using cluster = await TestCluster.start({ offerTimeout: '10s' });
    const agents = [await cluster.agent('agent-1'), await cluster.agent('agent-2'), await cluster.agent('agent-3')];
    const scheduler = await cluster.scheduler();
    const [used, declined, left] = scheduler.offers;
    if (used === undefined || declined === undefined || left === undefined) throw new Error('too few offers');
    expect(agents).to.have.length(3);
    scheduler.launch(used, [taskInfo('t', used.agentId, 'cpus:4;mem:4096')]);
    scheduler.decline(declined, 3600);
    await cluster.advance('10500ms');
    expect(scheduler.got(schedulerMessages.Rescind).map(({ offerId }) => offerId)).to.deep.equal([left.id]);
    // Without a filter: it is offered again in the next run.
    await cluster.advance('1s');
    expect(scheduler.lastOffer.agentId).to.equal(left.agentId);
    expect(scheduler.lastOffer.id).not.to.equal(left.id);
  });

  it('MASTER-06 several of one agent can be used together, and the rest comes back', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent('agent-1', 'cpus:4;mem:4096');
    const scheduler = await cluster.scheduler();
    scheduler.launch(scheduler.lastOffer, [taskInfo('first', agent.id, 'cpus:3;mem:3072')], 0);
    await cluster.advance('2s');
    const rest = scheduler.lastOffer;
    expect(amounts(rest)).to.equal('cpus:1;mem:1024');
    agent.update(scheduler.id, 'first', 'TASK_FINISHED');
    await cluster.advance('2s');
    const freed = scheduler.lastOffer;
    expect(amounts(freed)).to.equal('cpus:3;mem:3072');
    scheduler.launch([rest, freed], [taskInfo('second', agent.id, 'cpus:4;mem:4096')]);
    await cluster.advance('20ms');
    expect(agent.runs.map(({ taskId }) => taskId)).to.deep.equal(['first', 'second']);
    expect((await cluster.state()).slaves[0]?.used_resources).to.include({ cpus: 4, mem: 4096 });
  });

  it('MASTER-05 refuses tasks on offers that do not go together, and takes those offers back', async () => {
    for (const [capabilities, state] of [
      [[], 'TASK_LOST'],
      [['PARTITION_AWARE'], 'TASK_DROPPED'],
    ] as const) {
      await using cluster = await TestCluster.start();
      const first = await cluster.agent('agent-1');
      await cluster.agent('agent-2');
      const scheduler = await cluster.scheduler('one', { capabilities: [...capabilities] });
      const [a, b] = scheduler.offers;
      if (a === undefined || b === undefined) throw new Error('too few offers');
      const task = taskInfo('t', first.id, 'cpus:1;mem:32');
      scheduler.launch([a, b], [task]);
      scheduler.launch([a], [task]);
      await cluster.advance('2s');
      const [c] = scheduler.offers.slice(2);
      if (c === undefined) throw new Error('not offered again');
      scheduler.launch([c, c], [task]);
      scheduler.launch([], [task]);
      await cluster.advance('20ms');
      expect(scheduler.told).to.deep.equal(
        Array.from({ length: 4 }, () => `t ${state} SOURCE_MASTER REASON_INVALID_OFFERS`),
      );
      const prefix = 'Task launched with invalid offers: ';
      expect(scheduler.statuses.map(({ message }) => message)).to.deep.equal([
        `${prefix}Aggregated offers must belong to one single agent. Offer ${a.id} uses agent ${a.agentId} and offer ${b.id} uses agent ${b.agentId}`,
        `${prefix}Offer ${a.id} is no longer valid`,
        `${prefix}Duplicate offer ${c.id} in offer list`,
        `${prefix}No offers specified`,
      ]);
      expect(first.runs).to.deep.equal([]);
      await cluster.advance('2s');
      expect((await cluster.state()).frameworks[0]?.offers).to.have.length(2);
    }
  });

  it('MASTER-05 refuses offers of different roles, and those of another framework', async () => {
    await using cluster = await TestCluster.start();
    await cluster.agent('agent-1');
    await cluster.agent('agent-2');
    const scheduler = await cluster.scheduler('one', { roles: ['r1', 'r2'], capabilities: ['MULTI_ROLE'] });
    const [a, b] = scheduler.offers;
    if (a === undefined || b === undefined) throw new Error('too few offers');
    scheduler.launch([a, b], [taskInfo('t', a.agentId, 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    expect(scheduler.told).to.deep.equal(['t TASK_LOST SOURCE_MASTER REASON_INVALID_OFFERS']);
    expect(scheduler.statuses[0]?.message).to.contain('Aggregated offers must be allocated to the same role');
    await cluster.advance('2s');
    const other = await cluster.scheduler('two');
    const mine = scheduler.lastOffer;
    other.launch(mine, [taskInfo('t', mine.agentId, 'cpus:1;mem:32')]);
    await cluster.advance('20ms');
    expect(other.statuses[0]?.message).to.equal(
      `Task launched with invalid offers: Offer ${mine.id} has invalid framework ${scheduler.id} while framework ${other.id} is expected`,
    );
    expect((await cluster.state()).frameworks[0]?.offers.some(({ id }) => id === mine.id)).to.equal(true);
  });

  it('MASTER-29 what a refused task asked for is offered again', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:9')], 0);
    await cluster.advance('2s');
    expect(scheduler.told).to.deep.equal(['t TASK_ERROR SOURCE_MASTER REASON_TASK_INVALID']);
    expect(amounts(scheduler.lastOffer)).to.equal('cpus:4;mem:4096');
    expect(scheduler.offers).to.have.length(2);
    expect(agent.got(agentMessages.RunTask)).to.deep.equal([]);
  });

  it('MASTER-29 what a framework left unused, or had when it stopped, is offered again, also to others', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const first = await cluster.scheduler('first');
    first.launch(first.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:1024')], 0);
    await cluster.advance('2s');
    expect(amounts(first.lastOffer)).to.equal('cpus:3;mem:3072');
    first.decline(first.lastOffer, 3600);
    const second = await cluster.scheduler('second');
    await cluster.advance('2s');
    expect(amounts(second.lastOffer)).to.equal('cpus:3;mem:3072');
    second.decline(second.lastOffer, 0);
    first.tell(schedulerMessages.Teardown, { frameworkId: first.id });
    await cluster.advance('2s');
    expect(amounts(second.lastOffer)).to.equal('cpus:4;mem:4096');
    second.tell(schedulerMessages.Teardown, { frameworkId: second.id });
    const third = await cluster.scheduler('third');
    await cluster.advance('2s');
    expect(amounts(third.lastOffer)).to.equal('cpus:4;mem:4096');
  });

  it('MASTER-08 only agents on the hosts of the whitelist are offered, as long as there is one', async () => {
    await using cluster = await TestCluster.start();
    const whitelist = async (hostnames: readonly string[] | undefined): Promise<void> => {
      dispatch(cluster.leader, (master) => master.operator.setWhitelist(hostnames));
      await cluster.advance('2s');
    };
    await whitelist(['agent-2']);
    for (const name of ['agent-1', 'agent-2']) await cluster.agent(name);
    const scheduler = await cluster.scheduler();
    const hosts = (): readonly string[] => scheduler.offers.map(({ hostname }) => hostname);
    await cluster.advance('5s');
    expect(hosts()).to.deep.equal(['agent-2']);
    scheduler.decline(scheduler.lastOffer, 0);
    await whitelist([]);
    expect(hosts()).to.deep.equal(['agent-2']);
    await whitelist(['agent-1']);
    expect(hosts()).to.deep.equal(['agent-2', 'agent-1']);
    await whitelist(undefined);
    expect(hosts().toSorted()).to.deep.equal(['agent-1', 'agent-2', 'agent-2']);
  });
});
