import { expect } from 'chai';
import { type AttributeConstraint, type OfferConstraints, schedulerMessages } from '@mezzo/protocol';
import { TestCluster } from './cluster.ts';

type Predicate = AttributeConstraint['predicate'];

const on = (attribute: string, predicate: Predicate): AttributeConstraint => ({ selector: { attribute }, predicate });
const is = (value: string): Predicate => ({ type: 'TEXT_EQUALS', value });

/** Attributes of agents, by host. */
const machines = {
  fast: { disk: 'ssd', rack: 'r1' },
  slow: { disk: 'hdd', rack: 'r1' },
  sized: { disk: '7', rack: 'r2' },
  ranged: { disk: '[1-5]', rack: 'r2' },
  bare: {},
};

describe('offer constraints at the master', () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await TestCluster.start();
    for (const [host, attributes] of Object.entries(machines))
      await cluster.agent(host, 'cpus:1;mem:64', { attributes });
  });
  after(() => cluster[Symbol.asyncDispose]());

  let count = 0;
  /** Hosts that a framework with these constraints is offered; what it is told if it is refused. */
  const hosts = async (groups: OfferConstraints[string]): Promise<readonly string[] | string | undefined> => {
    const scheduler = await cluster.scheduler(`f${count++}`, { roles: ['r'], offerConstraints: { r: groups } });
    await cluster.advance('2s');
    const [error] = scheduler.got(schedulerMessages.FrameworkError);
    if (error !== undefined) return error.message;
    const offered = scheduler.offers.map(({ hostname }) => hostname).toSorted();
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('2s');
    return offered;
  };

  it('MASTER-36 hold for texts that satisfy them, for what is no text always, for what is missing if negated', async () => {
    expect(await hosts([[on('disk', { type: 'EXISTS' })]])).to.deep.equal(['fast', 'ranged', 'sized', 'slow']);
    expect(await hosts([[on('disk', { type: 'NOT_EXISTS' })]])).to.deep.equal(['bare']);
    expect(await hosts([[on('disk', is('ssd'))]])).to.deep.equal(['fast', 'ranged', 'sized']);
    expect(await hosts([[on('disk', { type: 'TEXT_NOT_EQUALS', value: 'ssd' })]])).to.deep.equal([
      ...['bare', 'ranged', 'sized', 'slow'],
    ]);
    expect(await hosts([[on('disk', { type: 'TEXT_MATCHES', regex: '.s.' })]])).to.deep.equal([
      ...['fast', 'ranged', 'sized'],
    ]);
    expect(await hosts([[on('disk', { type: 'TEXT_NOT_MATCHES', regex: 's.*' })]])).to.deep.equal([
      ...['bare', 'ranged', 'sized', 'slow'],
    ]);
  });

  it('MASTER-36 of one group must all hold, and one group is enough', async () => {
    const fast = on('disk', is('ssd'));
    const inFirst = on('rack', is('r1'));
    expect(await hosts([[fast, inFirst]])).to.deep.equal(['fast']);
    expect(await hosts([[fast, inFirst], [on('disk', { type: 'NOT_EXISTS' })]])).to.deep.equal(['bare', 'fast']);
    expect(await hosts([[inFirst], [on('rack', is('r2'))]])).to.deep.equal(['fast', 'ranged', 'sized', 'slow']);
  });

  it('MASTER-36 with a regular expression that is none, or too long, or with an empty group, are refused', async () => {
    const matching = (regex: string): AttributeConstraint[] => [on('disk', { type: 'TEXT_MATCHES', regex })];
    expect(await hosts([matching('(')])).to.match(/[Ii]nvalid regular expression '\('/);
    expect(await hosts([matching('(?=ssd)')])).to.match(/[Ii]nvalid regular expression/);
    expect(await hosts([matching('a'.repeat(4097))])).to.match(/4097 characters: expected at most 4096/);
    expect(await hosts([matching('.*'.repeat(2048))])).to.be.an('array');
    expect(await hosts([[]])).to.match(/a group without constraints/);
    expect(await hosts([])).to.match(/no groups/);
    expect((await cluster.state()).frameworks).to.deep.equal([]);
  });
});
