import { expect } from 'chai';
import { resourceFault, Resources, type Resource } from '../../src/index.ts';

const parse = Resources.parse;
const text = (resources: Resources) => resources.toString();

describe('resources: construction', () => {
  it('RES-06 is empty when made of nothing', () => {
    expect(Resources.empty.isEmpty).to.equal(true);
    expect(Resources.of([])).to.equal(Resources.empty);
  });

  const invalid: [string, Resource, RegExp][] = [
    ['no name', { name: '', type: 'SCALAR', scalar: 1 }, /must have a name/],
    ['a negative scalar', { name: 'cpus', type: 'SCALAR', scalar: -1 }, /"cpus": -1 is negative/],
    ['NaN', { name: 'cpus', type: 'SCALAR', scalar: Number.NaN }, /NaN is not a finite number/],
    ['an infinite scalar', { name: 'cpus', type: 'SCALAR', scalar: Infinity }, /Infinity is not a finite/],
    ['a scalar too large for fixed point', { name: 'mem', type: 'SCALAR', scalar: 1e13 }, /is larger than/],
    ['RES-16 a scalar below 0.0005', { name: 'cpus', type: 'SCALAR', scalar: 0.0004 }, /below the precision/],
    ['a range from high to low', { name: 'p', type: 'RANGES', ranges: [{ begin: 5, end: 1 }] }, /\[5-1\] ends/],
    ['a fraction in a range', { name: 'p', type: 'RANGES', ranges: [{ begin: 1, end: 1.5 }] }, /whole numbers/],
    [
      'ranges that overlap',
      {
        name: 'p',
        type: 'RANGES',
        ranges: [
          { begin: 5, end: 9 },
          { begin: 1, end: 5 },
        ],
      },
      /\[1-5\] and \[5-9\] overlap/,
    ],
    ['an item twice', { name: 's', type: 'SET', set: ['a', 'a'] }, /"a" appears twice/],
    ['an invalid role', { name: 'cpus', role: 'a b', type: 'SCALAR', scalar: 1 }, /role "a b"/],
    ['an invalid allocation role', { name: 'cpus', allocationRole: '/', type: 'SCALAR', scalar: 1 }, /role "\/"/],
  ];
  for (const [what, resource, message] of invalid) {
    it(`RES-06 drops ${what}, and resourceFault says why`, () => {
      expect(Resources.of([resource]).isEmpty).to.equal(true);
      expect(resourceFault(resource)).to.match(message);
    });
  }

  it('sorts and coalesces ranges without touching what was given', () => {
    const ranges = Object.freeze([
      { begin: 6, end: 9 },
      { begin: 1, end: 3 },
      { begin: 4, end: 5 },
    ]);
    expect(text(Resources.of([{ name: 'p', type: 'RANGES', ranges }]))).to.equal('p:[1-9]');
  });

  it('takes an explicit role * for no reservation', () => {
    const resources = Resources.of([{ name: 'cpus', role: '*', type: 'SCALAR', scalar: 1 }]);
    expect(resources.equals(parse('cpus:1'))).to.equal(true);
    expect(resources.entries).to.deep.equal([{ name: 'cpus', type: 'SCALAR', scalar: 1 }]);
  });

  it('goes through JSON', () => {
    const resources = parse('cpus(ads):1.5;ports:[1-2];zones:{a}').allocate('ads');
    const wire: Resource[] = JSON.parse(JSON.stringify(resources));
    expect(Resources.of(wire).equals(resources)).to.equal(true);
  });

  it('works when deeply frozen, as messages are in tests', () => {
    const resources = parse('cpus:1;ports:[1-2]');
    for (const part of Object.values(resources)) Object.freeze(part);
    Object.freeze(resources);
    expect(resources.entries).to.have.length(2);
    expect(resources.scalarQuantities().get('cpus')).to.equal(1);
    expect(text(resources.plus(parse('cpus:1')))).to.equal('cpus:2;ports:[1-2]');
  });
});

describe('resources: arithmetic', () => {
  it('RES-07 adds, subtracts and compares scalars name by name', () => {
    const total = parse('cpus:4;mem:1024');
    expect(text(total.plus(parse('mem:1;disk:5')))).to.equal('cpus:4;mem:1025;disk:5');
    expect(text(total.minus(parse('cpus:1.5')))).to.equal('cpus:2.5;mem:1024');
    expect(text(total.minus(parse('cpus:4')))).to.equal('mem:1024');
    expect(total.contains(parse('cpus:4'))).to.equal(true);
    expect(total.contains(parse('cpus:4.001'))).to.equal(false);
    expect(total.contains(parse('gpus:1'))).to.equal(false);
    expect(total.equals(parse('mem:1024;cpus:4'))).to.equal(true);
    expect(total.equals(parse('mem:1024;cpus:4;disk:1'))).to.equal(false);
    expect(total.equals(parse('mem:1024;cpus:3'))).to.equal(false);
  });

  it('RES-07 subtracting more than there is leaves nothing, never a negative amount', () => {
    expect(parse('cpus:1').minus(parse('cpus:2'))).to.equal(Resources.empty);
    expect(text(parse('cpus:1;mem:5').minus(parse('cpus:2;gpus:1')))).to.equal('mem:5');
  });

  it('RES-08 compares ranges whatever their order', () => {
    expect(parse('p:[20-30,1-9]').equals(parse('p:[1-9,20-30]'))).to.equal(true);
    expect(parse('p:[1-9]').equals(parse('p:[1-8]'))).to.equal(false);
  });

  it('RES-08 coalesces adjacent and overlapping ranges when adding', () => {
    expect(text(parse('p:[1-5,20-30]').plus(parse('p:[6-10,25-40]')))).to.equal('p:[1-10,20-40]');
    expect(text(parse('p:[1-100]').plus(parse('p:[5-6]')))).to.equal('p:[1-100]');
    expect(text(parse('p:[5-6]').plus(parse('p:[1-2,8-9]')))).to.equal('p:[1-2,5-6,8-9]');
  });

  it('RES-08 splits ranges when subtracting', () => {
    expect(text(parse('p:[1-10]').minus(parse('p:[3-4]')))).to.equal('p:[1-2,5-10]');
    expect(text(parse('p:[1-10]').minus(parse('p:[1-1,10-10]')))).to.equal('p:[2-9]');
    expect(text(parse('p:[1-10,20-30]').minus(parse('p:[5-25]')))).to.equal('p:[1-4,26-30]');
    expect(parse('p:[5-6]').minus(parse('p:[1-10]')).isEmpty).to.equal(true);
  });

  it('RES-08 holds a range only within one range of its own', () => {
    const ports = parse('p:[1-5,8-9]');
    expect(ports.contains(parse('p:[2-4,8-8]'))).to.equal(true);
    expect(ports.contains(parse('p:[4-8]'))).to.equal(false);
    expect(ports.contains(parse('p:[5-6]'))).to.equal(false);
    expect(ports.contains(parse('p:[10-11]'))).to.equal(false);
  });

  it('RES-09 unites, subtracts and compares sets', () => {
    const set = parse('s:{a,b,c}');
    expect(text(set.plus(parse('s:{c,d}')))).to.equal('s:{a,b,c,d}');
    expect(text(set.minus(parse('s:{b,x}')))).to.equal('s:{a,c}');
    expect(set.contains(parse('s:{c,a}'))).to.equal(true);
    expect(set.contains(parse('s:{a,x}'))).to.equal(false);
    expect(set.equals(parse('s:{c,b,a}'))).to.equal(true);
    expect(set.equals(parse('s:{a,b}'))).to.equal(false);
  });

  it('RES-10 keeps static reservations apart', () => {
    const both = parse('cpus:1;cpus(ads):2;cpus(ads/x):4');
    expect(text(both.plus(parse('cpus(ads):1')))).to.equal('cpus:1;cpus(ads):3;cpus(ads/x):4');
    expect(text(both.minus(parse('cpus(ads):5')))).to.equal('cpus:1;cpus(ads/x):4');
    expect(both.contains(parse('cpus:2'))).to.equal(false);
    expect(both.equals(parse('cpus:3;cpus(ads/x):4'))).to.equal(false);
  });

  it('RES-26 keeps allocations apart and groups by them', () => {
    const a = parse('cpus:1').allocate('a');
    const b = parse('cpus:2;mem:3').allocate('b');
    const both = a.plus(b).plus(parse('cpus:9'));
    expect(both.contains(parse('cpus:10'))).to.equal(false);
    expect([...both.allocations()].map(([role, resources]) => [role, text(resources)])).to.deep.equal([
      ['a', 'cpus(allocated: a):1'],
      ['b', 'cpus(allocated: b):2;mem(allocated: b):3'],
    ]);
    expect(text(both.unallocate())).to.equal('cpus:12;mem:3');
  });

  it('RES-26 merges what becomes the same by a new allocation, and keeps itself when nothing changes', () => {
    const mixed = parse('cpus:1').allocate('a').plus(parse('cpus:2').allocate('b'));
    expect(text(mixed.allocate('c'))).to.equal('cpus(allocated: c):3');
    const a = parse('cpus:1').allocate('a');
    expect(a.allocate('a')).to.equal(a);
  });

  it('RES-16 rounds the fourth digit', () => {
    expect(text(parse('cpus:1.0004'))).to.equal('cpus:1');
    expect(text(parse('cpus:1.0005'))).to.equal('cpus:1.001');
    expect(parse('cpus:1.0001').equals(parse('cpus:1'))).to.equal(true);
  });

  it('RES-16 does not drift: 0.1 added ten times is 1', () => {
    let sum = Resources.empty;
    for (let i = 0; i < 10; i += 1) sum = sum.plus(parse('cpus:0.1'));
    expect(sum.scalar('cpus')).to.equal(1);
    for (let i = 0; i < 10; i += 1) sum = sum.minus(parse('cpus:0.1'));
    expect(sum.isEmpty).to.equal(true);
  });

  it('RES-16 sums 100,000 thousandths to 100', () => {
    const tiny = parse('cpus:0.001');
    expect(Resources.sum(Array.from({ length: 100_000 }, () => tiny)).scalar('cpus')).to.equal(100);
  });
});

describe('resources: questions', () => {
  const sample = parse('cpus:1;cpus(ads):2.5;mem(eng):64;ports:[1-5];ports(ads):[6-9];zones:{a};zones(ads):{b}');

  it('RES-15 sums by name over all roles', () => {
    expect(sample.scalar('cpus')).to.equal(3.5);
    expect(sample.scalar('gpus')).to.equal(0);
    expect(sample.ports).to.deep.equal([{ begin: 1, end: 9 }]);
    expect(sample.ranges('none')).to.deep.equal([]);
    expect([...sample.set('zones')]).to.deep.equal(['a', 'b']);
    expect(sample.names()).to.deep.equal(['cpus', 'mem', 'ports', 'zones']);
  });

  it('RES-21 quantities are the scalars without their metadata', () => {
    expect([...sample.allocate('x').scalarQuantities()]).to.deep.equal([
      ['cpus', 3.5],
      ['mem', 64],
    ]);
    expect(text(sample.scalarsOnly())).to.equal('cpus:1;cpus(ads):2.5;mem(eng):64');
  });

  it('RES-12 toUnreserved merges all roles', () => {
    expect(text(sample.toUnreserved())).to.equal('cpus:3.5;mem:64;ports:[1-9];zones:{a,b}');
  });

  it('selects by reservation', () => {
    const tree = parse('cpus:1;cpus(eng):2;cpus(eng/web):4;cpus(ads):8');
    expect(text(tree.unreserved())).to.equal('cpus:1');
    expect(text(tree.reservedTo('eng'))).to.equal('cpus(eng):2');
    expect(text(tree.allocatableTo('eng/web'))).to.equal('cpus:1;cpus(eng):2;cpus(eng/web):4');
    expect(text(tree.allocatableTo('eng'))).to.equal('cpus:1;cpus(eng):2');
  });

  it('filters by the wire form, and is itself when all stay', () => {
    expect(text(sample.filter(({ role }) => role === 'ads'))).to.equal('cpus(ads):2.5;ports(ads):[6-9];zones(ads):{b}');
    expect(sample.filter(() => true)).to.equal(sample);
    expect(sample.filter(() => false)).to.equal(Resources.empty);
  });

  it('differs for assertion libraries when it differs', () => {
    expect(parse('cpus:1')).to.deep.equal(parse('cpus:1'));
    expect(parse('cpus:1')).to.not.deep.equal(parse('cpus:2'));
  });
});
