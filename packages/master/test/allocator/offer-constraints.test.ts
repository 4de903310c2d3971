import { expect } from 'chai';
import type { AttributeConstraint, OfferConstraints } from '@mezzo/protocol';
import { AllocatorWorld } from './allocator-world.ts';
import type { AgentOptions } from './fake-master.ts';

type Selector = AttributeConstraint['selector'];
type Predicate = AttributeConstraint['predicate'];

const agents: Readonly<Record<string, AgentOptions>> = {
  ssd: { attributes: { disk: 'ssd' }, domain: { region: 'eu', zone: 'eu-1' } },
  hdd: { attributes: { disk: 'hdd' }, domain: { region: 'us', zone: 'us-1' } },
  number: { attributes: { disk: '7' } },
  none: { hostname: 'plain.example' },
};
const disk: Selector = { attribute: 'disk' };

describe('offer constraints', () => {
  const cases: readonly (readonly [string, Selector, Predicate, readonly string[]])[] = [
    ['an attribute exists', disk, { type: 'EXISTS' }, ['hdd', 'number', 'ssd']],
    ['no attribute exists', disk, { type: 'NOT_EXISTS' }, ['none']],
    ['a text is equal, or no text', disk, { type: 'TEXT_EQUALS', value: 'ssd' }, ['number', 'ssd']],
    [
      'a text is not equal, or absent, or no text',
      disk,
      { type: 'TEXT_NOT_EQUALS', value: 'ssd' },
      ['hdd', 'none', 'number'],
    ],
    ['all of a text matches', disk, { type: 'TEXT_MATCHES', regex: 's+d' }, ['number', 'ssd']],
    ['a text does not match', disk, { type: 'TEXT_NOT_MATCHES', regex: '.s.' }, ['hdd', 'none', 'number']],
    ['a part of a text is no match', disk, { type: 'TEXT_MATCHES', regex: 's' }, ['number']],
    ['the host', { pseudoattribute: 'HOSTNAME' }, { type: 'TEXT_EQUALS', value: 'plain.example' }, ['none']],
    ['the region', { pseudoattribute: 'REGION' }, { type: 'TEXT_EQUALS', value: 'eu' }, ['ssd']],
    ['the zone', { pseudoattribute: 'ZONE' }, { type: 'TEXT_NOT_EQUALS', value: 'eu-1' }, ['hdd', 'none', 'number']],
    ['no domain', { pseudoattribute: 'REGION' }, { type: 'NOT_EXISTS' }, ['none', 'number']],
  ];

  for (const [title, selector, predicate, expected] of cases) {
    it(`let agents pass where ${title}`, async () => {
      expect(await offered({ r: [[{ selector, predicate }]] })).to.deep.equal(expected);
    });
  }

  it('of one group must all hold, of one of the groups', async () => {
    const is = (value: string): AttributeConstraint => ({ selector: disk, predicate: { type: 'TEXT_EQUALS', value } });
    const exists: AttributeConstraint = { selector: { pseudoattribute: 'ZONE' }, predicate: { type: 'EXISTS' } };
    expect(await offered({ r: [[is('ssd'), exists], [is('hdd')]] })).to.deep.equal(['hdd', 'number', 'ssd']);
    expect(await offered({ r: [[is('ssd'), exists]] })).to.deep.equal(['ssd']);
  });

  it('hold in both stages of a run, and from an update on', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('r', 'cpus:10');
    master.framework('f', ['r'], { constraints: { r: [[{ selector: disk, predicate: { type: 'EXISTS' } }]] } });
    for (const [id, options] of Object.entries(agents)) master.agent(id, 'cpus:1', options);
    await world.settle();
    expect(master.pairs().toSorted()).to.deep.equal(['f<-hdd', 'f<-number', 'f<-ssd']);
    master.updateFramework('f', ['r']);
    await world.advance('1s');
    expect(master.pairs()).to.deep.equal(['f<-none']);
  });

  async function offered(constraints: OfferConstraints): Promise<readonly string[]> {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.framework('f', ['r'], { constraints });
    for (const [id, options] of Object.entries(agents)) master.agent(id, 'cpus:1', options);
    await world.settle();
    return master
      .take()
      .map(({ agent }) => agent)
      .toSorted();
  }
});
