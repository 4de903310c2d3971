import { expect } from 'chai';
import { agentMessages } from '@mezzo/protocol';
import { TestCluster } from '../cluster.ts';
import { FakeAgent } from '../peers.ts';

const at = (region: string) => ({ domain: { region, zone: `${region}-a` } });
const fromNowhere = {};

describe('where agents stand', () => {
  it('MASTER-20 agents of the master’s region are offered to all, those of others to frameworks with REGION_AWARE', async () => {
    await using cluster = await TestCluster.start(at('eu'));
    await cluster.agent('near', 'cpus:1;mem:64', { domain: { region: 'eu', zone: 'eu-b' } });
    await cluster.agent('far', 'cpus:1;mem:64', at('us'));
    await cluster.agent('nowhere', 'cpus:1;mem:64', fromNowhere);
    const plain = await cluster.scheduler('plain');
    await cluster.advance('5s');
    const hosts = (offers: typeof plain.offers): readonly string[] =>
      offers.map(({ hostname }) => hostname).toSorted((a, b) => (a < b ? -1 : 1));
    expect(hosts(plain.offers)).to.deep.equal(['near', 'nowhere']);
    for (const offer of plain.offers) plain.decline(offer, 3600);
    const aware = await cluster.scheduler('aware', { capabilities: ['REGION_AWARE'] });
    await cluster.advance('5s');
    expect(hosts(aware.offers)).to.deep.equal(['far', 'near', 'nowhere']);
  });

  it('MASTER-20 a master that stands nowhere hears no agent that stands somewhere', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.peer(
      'somewhere',
      new FakeAgent('cpus:1;mem:64', { hostname: 'somewhere', ...at('eu') }),
    );
    agent.register();
    const other = await cluster.agent('nowhere');
    await cluster.advance('1s');
    expect(agent.received).to.deep.equal([]);
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([other.id]);
    agent.reregister([], [], other.id);
    await cluster.advance('1s');
    expect(agent.got(agentMessages.AgentReregistered)).to.deep.equal([]);
  });

  it('MASTER-20 with require_agent_domain it hears no agent that stands nowhere', async () => {
    await using cluster = await TestCluster.start({ ...at('eu'), requireAgentDomain: true });
    const agent = await cluster.peer('nowhere', new FakeAgent('cpus:1;mem:64', { hostname: 'nowhere' }));
    agent.register();
    const other = await cluster.agent('somewhere', 'cpus:1;mem:64', at('us'));
    await cluster.advance('1s');
    expect(agent.received).to.deep.equal([]);
    expect((await cluster.state()).slaves.map(({ id }) => id)).to.deep.equal([other.id]);
  });
});
