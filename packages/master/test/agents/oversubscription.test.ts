import { expect } from 'chai';
import { agentMessages, type Offer, type Resource, Resources, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { type FakeAgent, type FakeScheduler, reported, taskInfo } from '../peers.ts';

const revocable = (text: string): Resource[] =>
  [...Resources.parse(text)].map((resource) => ({ ...resource, revocable: true as const }));
const textOf = ({ resources }: Pick<Offer, 'resources'>): string => String(Resources.of(resources).unallocate());

describe('what an agent may give away as long as nobody needs it', () => {
  let cluster: TestCluster;
  let agent: FakeAgent;
  let scheduler: FakeScheduler;
  beforeEach(async () => {
    cluster = await TestCluster.start();
    agent = await cluster.agent('agent-1', 'cpus:4;mem:4096');
    scheduler = await cluster.scheduler('one', { capabilities: ['REVOCABLE_RESOURCES'] });
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const oversubscribe = async (resources?: Resource[]): Promise<void> => {
    agent.tell(agentMessages.UpdateAgent, {
      agentId: agent.id,
      operations: [],
      ...(resources === undefined ? undefined : { oversubscribedResources: resources }),
    });
    await cluster.advance('2s');
  };
  const rescinded = (): readonly string[] => scheduler.got(schedulerMessages.Rescind).map(({ offerId }) => offerId);

  it('MASTER-23 is offered beside its own, and taken back from who had it on offer when it changes', async () => {
    const own = scheduler.lastOffer;
    await oversubscribe(revocable('cpus:2'));
    expect(rescinded()).to.deep.equal([]);
    const first = scheduler.lastOffer;
    expect(textOf(first)).to.equal('cpus{REV}:2');
    await oversubscribe(revocable('cpus:3'));
    expect(rescinded()).to.deep.equal([first.id]);
    const second = scheduler.lastOffer;
    expect(textOf(second)).to.equal('cpus{REV}:3');
    // What does not speak of it leaves it as it is.
    await oversubscribe();
    expect(rescinded()).to.deep.equal([first.id]);
    await oversubscribe([]);
    expect(rescinded()).to.deep.equal([first.id, second.id]);
    await cluster.advance('5s');
    expect(scheduler.offers.map(({ id }) => id)).to.deep.equal([own.id]);
    expect((await cluster.state()).slaves[0]?.resources).to.include({ cpus: 4 });
  });

  it('is what tasks may use, until they are over, also if there is less of it by then', async () => {
    await oversubscribe(revocable('cpus:2'));
    const offer = scheduler.lastOffer;
    scheduler.launch(offer, [taskInfo('t', agent.id, '', { resources: revocable('cpus:2') })], 0);
    await oversubscribe(revocable('cpus:1'));
    expect(agent.runs).to.have.length(1);
    const before = scheduler.offers.length;
    await cluster.advance('5s');
    expect(scheduler.offers).to.have.length(before);
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('5s');
    expect(textOf(scheduler.lastOffer)).to.equal('cpus{REV}:1');
  });

  it('is nothing that it owns, and is gone when the agent registers again until it says so again', async () => {
    await oversubscribe([...Resources.parse('cpus:100')]);
    expect((await cluster.state()).slaves[0]?.resources).to.include({ cpus: 4 });
    await oversubscribe(revocable('cpus:2'));
    expect((await cluster.state()).slaves[0]?.resources).to.include({ cpus: 6 });
    agent.reregister([reported(scheduler.id, agent.id, 't', 'cpus:1')], [], agent.id);
    await cluster.advance('2s');
    expect((await cluster.state()).slaves[0]?.resources).to.include({ cpus: 4 });
  });
});
