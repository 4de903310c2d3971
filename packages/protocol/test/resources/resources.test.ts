import { expect } from 'chai';
import {
  reservationRole,
  type Resource,
  resourceFault,
  Resources,
  ResourcesParseError,
  resourcesFault,
} from '../../src/index.ts';

const parse = Resources.parse;
const text = (resources: Resources) => resources.toString();
const scalar = (name: string, value: number, more?: object): Resource => ({
  name,
  type: 'SCALAR',
  scalar: value,
  ...more,
});

describe('resources: construction', () => {
  it('RES-06 zero, empty and invalid amounts are dropped, and resourceFault says why', () => {
    expect(Resources.empty.isEmpty).to.equal(true);
    expect(Resources.of([])).to.equal(Resources.empty);
    expect(parse('cpus:0;ports:[];zones:{}')).to.equal(Resources.empty);
    expect(text(Resources.of([scalar('cpus', 0), scalar('mem', 1)]))).to.equal('mem:1');
    const shared = { disk: { persistence: { id: 'v' } }, shared: true };
    expect(Resources.of([scalar('disk', 0, shared)])).to.equal(Resources.empty);
    const reserved = (...reservations: object[]) => scalar('cpus', 1, { reservations });
    const invalid: [resource: Resource, message: RegExp][] = [
      [scalar('', 1), /must have a name/],
      [scalar('cpus', -1), /"cpus": -1 is negative/],
      [scalar('cpus', Number.NaN), /NaN is not a finite number/],
      [scalar('cpus', Infinity), /Infinity is not a finite/],
      [scalar('mem', 1e13), /is larger than/],
      [scalar('cpus', 0.0004), /below the precision/],
      [scalar('cpus', 1, { ranges: [] }), /of type SCALAR it must have that value only/],
      [{ name: 'p', type: 'RANGES', ranges: [], ...{ set: [] } }, /of type RANGES it must have that value only/],
      [{ name: 's', type: 'SET', set: [], ...{ scalar: 1 } }, /of type SET it must have that value only/],
      [scalar('cpus', 1, { type: 'TEXT' }), /one of SCALAR, RANGES, SET, not "TEXT"/],
      [{ name: 'p', type: 'RANGES', ranges: [{ begin: 5, end: 1 }] }, /\[5-1\] ends/],
      [{ name: 'p', type: 'RANGES', ranges: [{ begin: 1, end: 1.5 }] }, /whole numbers/],
      [{ name: 'p', type: 'RANGES', ranges: [{ begin: -1, end: 1 }] }, /whole numbers from 0/],
      [{ name: 'p', type: 'RANGES', ranges: [{ begin: 1, end: 2 ** 53 }] }, /whole numbers from 0 to 9007199254740991/],
      [
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
      [{ name: 's', type: 'SET', set: ['a', 'a'] }, /"a" appears twice/],
      [scalar('cpus', 1, { allocationRole: '/' }), /role "\/"/],
      [reserved({ type: 'STATIC', role: 'a b' }), /role "a b"/],
      [reserved({ type: 'STATIC', role: '*' }), /must name a role other than "\*"/],
      [reserved({ type: 'OTHER', role: 'a' }), /STATIC or DYNAMIC, not "OTHER"/],
      [reserved({ type: 'DYNAMIC', role: 'a' }, { type: 'STATIC', role: 'a/b' }), /must be DYNAMIC, but that of a\/b/],
      [reserved({ type: 'STATIC', role: 'a' }, { type: 'DYNAMIC', role: 'a' }), /subrole: "a" is none of "a"/],
      [reserved({ type: 'STATIC', role: 'a' }, { type: 'DYNAMIC', role: 'ab' }), /subrole: "ab" is none of "a"/],
    ];
    for (const [resource, message] of invalid) {
      expect(resourceFault(resource)).to.match(message);
      expect(resourcesFault([scalar('cpus', 1), resource])).to.match(message);
      expect(text(Resources.of([resource, scalar('mem', 1)]))).to.equal('mem:1');
    }
  });

  it('a sum that is too large to be exact is a fault, and never wraps around', () => {
    const half = scalar('mem', 5e12);
    expect(resourcesFault([half])).to.equal(undefined);
    expect(resourcesFault([half, half])).to.match(/the sum of resource "mem" is larger than 8796093022207.999/);
    expect(() => Resources.of([half, half])).to.throw(RangeError, /the sum of mem/);
    expect(() => Resources.sum([Resources.of([half]), Resources.of([half])])).to.throw(RangeError);
  });

  it('sorts and coalesces ranges without touching what was given', () => {
    const ranges = Object.freeze([
      { begin: 6, end: 9 },
      { begin: 1, end: 3 },
      { begin: 4, end: 5 },
    ]);
    expect(text(Resources.of([{ name: 'p', type: 'RANGES', ranges }]))).to.equal('p:[1-9]');
  });

  it('keeps its own copy of what it was made of', () => {
    const reservations = [{ type: 'DYNAMIC' as const, role: 'ads', labels: [{ key: 'k' }] }];
    const resources = Resources.of([scalar('cpus', 1, { reservations })]);
    reservations[0]?.labels.push({ key: 'other' });
    expect(text(resources)).to.equal('cpus(reservations: [(DYNAMIC,ads,{k})]):1');
    expect(text(Resources.of([scalar('cpus', 1, { reservations })]))).to.match(/\{k, other\}/);
  });

  it('goes through JSON', () => {
    const resources = parse('cpus(ads):1.5;ports:[1-2];zones:{a};disk(ads)[PATH:/x,v:p:rw]<SHARED>:5').allocate('ads');
    const wire: Resource[] = JSON.parse(JSON.stringify(resources));
    expect(Resources.of(wire).equals(resources)).to.equal(true);
  });

  it('works when deeply frozen, as messages are in tests', () => {
    const resources = parse('cpus:1;ports:[1-2]');
    for (const part of Object.values(resources)) Object.freeze(part);
    Object.freeze(resources);
    expect(resources.entries).to.have.length(2);
    expect(resources.quantities.get('cpus')).to.equal(1);
    expect(resources.hasShared).to.equal(false);
    expect(text(resources.plus(parse('cpus:1')))).to.equal('cpus:2;ports:[1-2]');
  });
});

describe('resources: arithmetic', () => {
  it('RES-07 adds, subtracts and compares scalars name by name', () => {
    const total = parse('cpus:4;mem:1024');
    expect(text(total.plus(parse('mem:1;disk:5')))).to.equal('cpus:4;mem:1025;disk:5');
    expect(text(total.minus(parse('cpus:1.5')))).to.equal('cpus:2.5;mem:1024');
    expect(text(total.minus(parse('cpus:4')))).to.equal('mem:1024');
    expect(text(parse('a:1;b:2;c:3').minus(parse('a:1;b:1;c:1')))).to.equal('b:1;c:2');
    expect(total.contains(parse('cpus:4'))).to.equal(true);
    expect(total.contains(parse('cpus:4.001'))).to.equal(false);
    expect(total.contains(parse('gpus:1'))).to.equal(false);
    expect(total.equals(parse('mem:1024;cpus:4'))).to.equal(true);
    expect(total.equals(parse('mem:1024;cpus:4;disk:1'))).to.equal(false);
    expect(total.equals(parse('mem:1024;cpus:3'))).to.equal(false);
    expect(parse('cpus:1').minus(parse('cpus:2'))).to.equal(Resources.empty);
    expect(text(parse('cpus:1;mem:5').minus(parse('cpus:2;gpus:1')))).to.equal('mem:5');
  });

  it('is itself, or nothing, where nothing or everything is taken away', () => {
    const total = parse('cpus:4;ports:[1-2]');
    expect(total.minus(total)).to.equal(Resources.empty);
    expect(total.minus(parse('ports:[1-2];cpus:4'))).to.equal(Resources.empty);
    expect(total.minus(Resources.empty)).to.equal(total);
    expect(total.minus(parse('gpus:1'))).to.equal(total);
    expect(total.plus(Resources.empty)).to.equal(total);
    expect(Resources.empty.plus(total)).to.equal(total);
  });

  it('RES-08 compares ranges whatever their order, coalesces when adding, splits when subtracting', () => {
    expect(parse('p:[20-30,1-9]').equals(parse('p:[1-9,20-30]'))).to.equal(true);
    expect(parse('p:[1-5,6-9]').equals(parse('p:[1-9]'))).to.equal(true);
    expect(parse('p:[1-9]').equals(parse('p:[1-8]'))).to.equal(false);
    expect(text(parse('p:[1-5,4-6,9-9,8-8,7-7]'))).to.equal('p:[1-9]');
    expect(text(parse('p:[1-5,20-30]').plus(parse('p:[6-10,25-40]')))).to.equal('p:[1-10,20-40]');
    expect(text(parse('p:[1-100]').plus(parse('p:[5-6]')))).to.equal('p:[1-100]');
    expect(text(parse('p:[5-6]').plus(parse('p:[1-2,8-9]')))).to.equal('p:[1-2,5-6,8-9]');
    expect(text(parse('p:[1-10]').minus(parse('p:[3-4]')))).to.equal('p:[1-2,5-10]');
    expect(text(parse('p:[1-10]').minus(parse('p:[1-1,10-10]')))).to.equal('p:[2-9]');
    expect(text(parse('p:[1-10,20-30]').minus(parse('p:[5-25]')))).to.equal('p:[1-4,26-30]');
    expect(parse('p:[5-6]').minus(parse('p:[1-10]')).isEmpty).to.equal(true);
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
    expect(set.minus(parse('s:{c,b,a,d}')).isEmpty).to.equal(true);
    expect(set.contains(parse('s:{c,a}'))).to.equal(true);
    expect(set.contains(parse('s:{a,x}'))).to.equal(false);
    expect(set.contains(parse('s:{a,b,c,d}'))).to.equal(false);
    expect(set.equals(parse('s:{c,b,a}'))).to.equal(true);
    expect(set.equals(parse('s:{a,b}'))).to.equal(false);
    expect(set.equals(parse('s:{a,b,x}'))).to.equal(false);
  });

  it('RES-16 holds thousandths exactly, rounds the fourth digit, and refuses what would round to zero', () => {
    let sum = Resources.empty;
    for (let i = 0; i < 10; i += 1) sum = sum.plus(parse('cpus:0.1'));
    expect(sum.scalar('cpus')).to.equal(1);
    for (let i = 0; i < 10; i += 1) sum = sum.minus(parse('cpus:0.1'));
    expect(sum.isEmpty).to.equal(true);
    const tiny = parse('cpus:0.001');
    expect(Resources.sum(Array.from({ length: 100_000 }, () => tiny)).scalar('cpus')).to.equal(100);
    expect(parse('cpus:1').contains(parse('cpus:1.001'))).to.equal(false);
    expect(text(parse('cpus:1.0004'))).to.equal('cpus:1');
    expect(text(parse('cpus:1.0005'))).to.equal('cpus:1.001');
    expect(text(parse('cpus:0.0005'))).to.equal('cpus:0.001');
    expect(parse('cpus:1.0001').equals(parse('cpus:1'))).to.equal(true);
    for (const small of [0.0004, 0.0001, 1e-9, Number.MIN_VALUE]) {
      expect(() => parse(`cpus:${small}`)).to.throw(ResourcesParseError, /below the precision of 0\.001/);
      expect(resourceFault(scalar('cpus', small))).to.match(/below the precision of 0\.001 and not zero/);
    }
    expect(resourceFault(scalar('cpus', 0))).to.equal(undefined);
    expect(parse('cpus:0').isEmpty).to.equal(true);
  });

  it('RES-22 revocable amounts are apart from regular ones', () => {
    const both = parse('cpus:1;cpus{REV}:2;mem:5');
    expect(text(both.plus(parse('cpus{REV}:1')))).to.equal('cpus:1;cpus{REV}:3;mem:5');
    expect(text(both.minus(parse('cpus:5')))).to.equal('cpus{REV}:2;mem:5');
    expect(text(both.minus(parse('cpus{REV}:0.5')))).to.equal('cpus:1;cpus{REV}:1.5;mem:5');
    expect(both.contains(parse('cpus:2'))).to.equal(false);
    expect(parse('cpus:2').contains(parse('cpus{REV}:2'))).to.equal(false);
    expect(parse('cpus{REV}:2').equals(parse('cpus:2'))).to.equal(false);
    expect(text(both.revocable())).to.equal('cpus{REV}:2');
    expect(text(both.nonRevocable())).to.equal('cpus:1;mem:5');
    expect([both.hasRevocable, both.nonRevocable().hasRevocable]).to.deep.equal([true, false]);
    expect(parse('mem:5').nonRevocable().revocable()).to.equal(Resources.empty);
  });

  it('what providers give is apart', () => {
    const both = parse('disk:1;disk(provider: a):2;disk(provider: b):3');
    expect(text(both.plus(parse('disk(provider: b):1')))).to.equal('disk:1;disk(provider: a):2;disk(provider: b):4');
    expect(both.contains(parse('disk:2'))).to.equal(false);
    expect(text(both.minus(parse('disk(provider: a):2')))).to.equal('disk:1;disk(provider: b):3');
  });
});

describe('resources: questions', () => {
  const sample = parse('cpus:1;cpus(ads):2.5;mem(eng):64;ports:[1-5];ports(ads):[6-9];zones:{a};zones(ads):{b}');

  it('RES-15 tells the amount of a name over all roles, the names, their types, and how often an amount is there', () => {
    expect(sample.scalar('cpus')).to.equal(3.5);
    expect(sample.scalar('gpus')).to.equal(0);
    expect(sample.scalar('ports')).to.equal(0);
    expect(sample.ports).to.deep.equal([{ begin: 1, end: 9 }]);
    expect(sample.ranges('none')).to.deep.equal([]);
    expect([...sample.set('zones')]).to.deep.equal(['a', 'b']);
    expect([...sample.set('none')]).to.deep.equal([]);
    expect(sample.names()).to.deep.equal(['cpus', 'mem', 'ports', 'zones']);
    expect([...sample.types()]).to.deep.equal([
      ['cpus', 'SCALAR'],
      ['mem', 'SCALAR'],
      ['ports', 'RANGES'],
      ['zones', 'SET'],
    ]);
    const count = (resources: string, one: string) => {
      const [resource] = parse(one).entries;
      return resource === undefined ? undefined : parse(resources).count(resource);
    };
    expect(count('cpus:1;mem:5', 'cpus:1')).to.equal(1);
    expect(count('cpus:2', 'cpus:1')).to.equal(0);
    expect(count('cpus:2', 'cpus(ads):2')).to.equal(0);
    expect(count('ports:[1-5]', 'ports:[1-5]')).to.equal(1);
    expect(count('disk[v]<SHARED>:5;disk[v]<SHARED>:5;disk[w]<SHARED>:5', 'disk[v]<SHARED>:5')).to.equal(2);
    expect(count('disk[MOUNT:/a]:5;disk[MOUNT:/a]:5;disk[MOUNT:/a]:6', 'disk[MOUNT:/a]:5')).to.equal(2);
  });

  it('RES-21 quantities are the scalars without their metadata, ranges and sets excluded', () => {
    const rich = sample
      .allocate('x')
      .plus(parse('cpus{REV}:1;disk(provider: p)[MOUNT:/a]:5;disk(ads)[v]<SHARED>:7;disk(ads)[v]<SHARED>:7'));
    expect([...rich.quantities]).to.deep.equal([
      ['cpus', 4.5],
      ['disk', 12],
      ['mem', 64],
    ]);
    expect(rich.quantities).to.equal(rich.quantities);
    expect(text(sample.scalarsOnly())).to.equal('cpus:1;cpus(ads):2.5;mem(eng):64');
    expect(parse('ports:[1-2]').quantities.isEmpty).to.equal(true);
  });

  it('filters by the wire form, and is itself when all stay', () => {
    expect(text(sample.filter((resource) => reservationRole(resource) === 'ads'))).to.equal(
      'cpus(ads):2.5;ports(ads):[6-9];zones(ads):{b}',
    );
    expect(sample.filter(() => true)).to.equal(sample);
    expect(sample.filter(() => false)).to.equal(Resources.empty);
  });

  it('differs for assertion libraries when it differs', () => {
    expect(parse('cpus:1')).to.deep.equal(parse('cpus:1'));
    expect(parse('cpus:1')).to.not.deep.equal(parse('cpus:2'));
  });
});
