import { expect } from 'chai';
import fc from 'fast-check';
import { ResourceLimits, ResourceQuantities, Resources, ResourcesParseError } from '../../src/index.ts';
import { anyResources } from './samples.ts';

const parse = Resources.parse;
const quantities = ResourceQuantities.parse;
const limits = ResourceLimits.parse;
const text = (value: Resources | ResourceQuantities | ResourceLimits) => value.toString();

/** Draws the same numbers again and again. */
function random(...numbers: number[]): { next(): number } {
  let i = 0;
  return { next: () => numbers[i++ % numbers.length] ?? 0 };
}
const first = random(0);

const anyQuantities = fc
  .dictionary(fc.constantFrom('cpus', 'mem', 'disk', 'ports', 'zones'), fc.integer({ min: 0, max: 30_000 }))
  .map((amounts) => ResourceQuantities.of(Object.entries(amounts).map(([name, n]) => [name, n / 1000])));

describe('resource quantities', () => {
  it('RES-28 quantities: parsed, added, subtracted down to 0, contained, summed; limits: 0 is kept, twice is an error, what is absent is unlimited', () => {
    expect([...quantities('mem:32; cpus:1.5;mem:0.5;gpus:0')]).to.deep.equal([
      ['cpus', 1.5],
      ['mem', 32.5],
    ]);
    expect(text(quantities('mem:32;cpus:1'))).to.equal('cpus:1;mem:32');
    expect(quantities('')).to.equal(ResourceQuantities.empty);
    for (const wrong of [
      'cpus',
      'cpus:-1',
      'cpus:x',
      'cpus:NaN',
      'cpus:0.0001',
      'cpus:1e999',
      'ports:[1-2]',
      'z:{a}',
    ]) {
      expect(() => quantities(wrong), wrong).to.throw(ResourcesParseError);
      expect(() => limits(wrong), wrong).to.throw(ResourcesParseError);
    }
    expect(() => quantities('mem:1;cpus(ads):1')).to.throw(
      ResourcesParseError,
      /names and numbers only.*\n.*\n {8}\^$/,
    );
    expect(() => quantities('mem:1;ports:[1-2]')).to.throw(ResourcesParseError, /numbers only.*\n.*\n {8}\^$/);
    const one = quantities('cpus:1;mem:2');
    expect(text(one.plus(quantities('cpus:0.1;a:1;z:5')))).to.equal('a:1;cpus:1.1;mem:2;z:5');
    expect(text(one.minus(quantities('cpus:0.4;mem:2;z:1')))).to.equal('cpus:0.6');
    expect(one.minus(quantities('cpus:2;mem:5'))).to.equal(ResourceQuantities.empty);
    expect([one.get('cpus'), one.get('none'), one.thousandths('mem'), one.isEmpty]).to.deep.equal([1, 0, 2000, false]);
    expect(one.names).to.deep.equal(['cpus', 'mem']);
    expect(one.contains(quantities('cpus:1'))).to.equal(true);
    expect(one.contains(quantities('cpus:1.001'))).to.equal(false);
    expect(one.contains(quantities('cpus:1;z:0.001'))).to.equal(false);
    expect(one.equals(quantities('mem:2;cpus:1'))).to.equal(true);
    expect(one.equals(quantities('mem:2;cpus:2')) || one.equals(quantities('mem:2'))).to.equal(false);
    let sum = ResourceQuantities.empty;
    for (let i = 0; i < 1000; i += 1) sum = sum.plus(quantities('cpus:0.001;mem:0.1'));
    expect(sum.equals(ResourceQuantities.of({ cpus: 1, mem: 100 }))).to.equal(true);

    const some = limits('mem:0; cpus:1.5');
    expect([...some]).to.deep.equal([
      ['cpus', 1.5],
      ['mem', 0],
    ]);
    expect([some.get('mem'), some.get('disk'), some.thousandths('cpus'), some.isEmpty]).to.deep.equal([
      0,
      undefined,
      1500,
      false,
    ]);
    expect(limits('').isEmpty).to.equal(true);
    expect(() => limits('cpus:1;mem:2;cpus:1')).to.throw(
      ResourcesParseError,
      /each limit once, found "cpus" again\n.*\n {15}\^/,
    );
    expect(() =>
      ResourceLimits.of([
        ['a', 1],
        ['a', 2],
      ]),
    ).to.throw(RangeError, /"a": it is given twice/);
    expect(some.contains(quantities('cpus:1.5;disk:1000'))).to.equal(true);
    expect(some.contains(quantities('cpus:1.501'))).to.equal(false);
    expect(some.contains(quantities('mem:0.001'))).to.equal(false);
    expect(limits('').contains(quantities('cpus:1000'))).to.equal(true);
    expect(text(some.minus(quantities('cpus:0.4;disk:1;mem:5')))).to.equal('cpus:1.1;mem:0');
    expect(text(some.minus(quantities('cpus:2')))).to.equal('cpus:0;mem:0');
    expect(some.equals(limits('cpus:1.5;mem:0'))).to.equal(true);
    expect(some.equals(limits('cpus:1.5')) || some.equals(limits('cpus:1.5;disk:0'))).to.equal(false);
  });

  it('refuses amounts that are no amounts, and names them', () => {
    for (const amount of [-1, Number.NaN, Infinity, 1e13, 0.0001]) {
      expect(() => ResourceQuantities.of({ cpus: amount })).to.throw(RangeError, /Invalid quantity of "cpus"/);
      expect(() => ResourceLimits.of({ cpus: amount })).to.throw(RangeError, /Invalid limit of "cpus"/);
    }
    expect(JSON.stringify([ResourceQuantities.of({ mem: 2, cpus: 1 }), ResourceLimits.of({ cpus: 0 })])).to.equal(
      '[{"cpus":1,"mem":2},{"cpus":0}]',
    );
  });

  it('quantities follow the arithmetic of numbers', () => {
    fc.assert(
      fc.property(anyQuantities, anyQuantities, (a, b) => {
        for (const name of ['cpus', 'mem', 'disk', 'ports', 'zones']) {
          const [x, y] = [a.thousandths(name), b.thousandths(name)];
          expect(a.plus(b).thousandths(name)).to.equal(x + y);
          expect(a.minus(b).thousandths(name)).to.equal(Math.max(0, x - y));
        }
        expect(a.plus(b).minus(b).equals(a)).to.equal(true);
        expect(a.plus(b).equals(b.plus(a))).to.equal(true);
        expect(a.contains(b)).to.equal(b.minus(a).isEmpty);
        expect(ResourceLimits.of(a).contains(b)).to.equal(a.names.every((name) => b.get(name) <= a.get(name)));
        for (const result of [a.plus(b), a.minus(b)]) {
          expect(result.names).to.deep.equal([...result.names].sort());
          expect(ResourceQuantities.parse(text(result)).equals(result)).to.equal(true);
          expect([...result].every(([, amount]) => amount > 0)).to.equal(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('the quantities of resources are those of its scalars', () => {
    fc.assert(
      fc.property(anyResources, anyResources, (a, b) => {
        const [x, y] = [a.nonShared(), b.nonShared()];
        expect(x.plus(y).quantities.equals(x.quantities.plus(y.quantities))).to.equal(true);
        expect(a.containsQuantities(a.quantities)).to.equal(true);
        expect(a.allocate('q').toUnreserved().quantities.equals(a.quantities)).to.equal(true);
        const more = a.quantities.plus(ResourceQuantities.of({ cpus: 0.001 }));
        expect(a.containsQuantities(more)).to.equal(false);
      }),
      { numRuns: 300 },
    );
  });

  it('RES-17 contains quantities: scalars by value, ranges by how many numbers, sets by how many items', () => {
    const resources = parse('cpus:1.5;cpus(ads):1;ports:[1-3,10-10];ports(ads):[20-21];zones:{a,b};zones(ads):{c}');
    const contains = (q: string) => resources.containsQuantities(quantities(q));
    for (const q of ['', 'cpus:2.5', 'ports:6', 'zones:3', 'cpus:0.001;ports:1;zones:1', 'ports:5.5']) {
      expect(contains(q), q).to.equal(true);
    }
    for (const q of ['cpus:2.501', 'ports:6.001', 'ports:7', 'zones:4', 'gpus:0.001', 'cpus:1;zones:4']) {
      expect(contains(q), q).to.equal(false);
    }
    expect(parse('ports:[0-9007199254740991]').containsQuantities(quantities('ports:1e12'))).to.equal(true);
  });

  it('RES-14 shrinks to quantities and to limits, and cuts nothing that is used whole', () => {
    const shrink = (from: string, target: string, chance = first) =>
      text(parse(from).shrink(quantities(target), chance));
    expect(shrink('cpus:4;mem:10', 'cpus:1;mem:20')).to.equal('cpus:1;mem:10');
    expect(shrink('cpus:4;mem:10', 'mem:2')).to.equal('mem:2');
    expect(shrink('cpus:4', '')).to.equal('');
    expect(shrink('ports:[1-5];cpus:1', 'ports:9;cpus:1')).to.equal('cpus:1');
    // Which of several goes first is chance: with these draws the last, and then the first.
    expect(shrink('cpus(a):4;cpus(b):4', 'cpus:5', random(0))).to.equal('cpus(b):4;cpus(a):1');
    expect(shrink('cpus(a):4;cpus(b):4', 'cpus:5', random(0.99))).to.equal('cpus(a):4;cpus(b):1');
    expect(shrink('cpus(a):4;cpus(b):4', 'cpus:3', random(0.99))).to.equal('cpus(a):3');
    const whole = ['disk[MOUNT:/a]', 'disk[BLOCK]', 'disk[RAW(id: r)]', 'disk[v]', 'disk[v]<SHARED>'];
    for (const disk of whole) {
      expect(shrink(`${disk}:5`, 'disk:4.999')).to.equal('');
      expect(shrink(`${disk}:5`, 'disk:5')).to.equal(`${disk}:5`);
      expect(shrink(`${disk}:5;disk:5`, 'disk:7', random(0.99))).to.equal(`${disk}:5;disk:2`);
      expect(shrink(`${disk}:5;disk:5`, 'disk:7', random(0))).to.equal('disk:5');
    }
    expect(shrink('disk[PATH:/a]:5', 'disk:2')).to.equal('disk[PATH:/a]:2');
    expect(shrink('disk[RAW]:5', 'disk:2')).to.equal('disk[RAW]:2');

    const toLimits = (from: string, given: string, chance = first) =>
      text(parse(from).shrinkToLimits(limits(given), chance));
    expect(toLimits('cpus:4;mem:10;ports:[1-2]', 'cpus:1')).to.equal('cpus:1;mem:10;ports:[1-2]');
    expect(toLimits('cpus:4;mem:10', 'cpus:0')).to.equal('mem:10');
    expect(toLimits('cpus(a):4;cpus(b):4;mem:10', 'cpus:5', random(0.99))).to.equal('cpus(a):4;cpus(b):1;mem:10');
    expect(toLimits('disk[MOUNT:/a]:5;mem:1', 'disk:4')).to.equal('mem:1');
    expect(toLimits('disk[MOUNT:/a]:5;mem:1', 'disk:5;mem:0')).to.equal('disk[MOUNT:/a]:5');
    const undrawn = { next: () => expect.fail('chance was asked') };
    const twice = parse('cpus(a):4;cpus(b):4');
    expect(twice.shrinkToLimits(ResourceLimits.empty, undrawn)).to.equal(twice);
    expect(twice.shrink(quantities('cpus:8'), random(0))).to.equal(twice);
    const resources = parse('cpus:4;mem:10');
    expect(resources.shrinkToLimits(ResourceLimits.empty, first)).to.equal(resources);
    expect(resources.shrinkToLimits(limits('disk:0;cpus:4'), first)).to.equal(resources);
    expect(resources.shrink(quantities('cpus:4;mem:11'), first)).to.equal(resources);
  });

  it('shrinking never exceeds its target, keeps what it can, and gives parts of what there was', () => {
    const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(anyResources, anyQuantities, draws, (resources, target, numbers) => {
        const scalars = resources.scalarsOnly();
        const shrunk = scalars.shrink(target, random(...numbers));
        expect(target.contains(shrunk.quantities)).to.equal(true);
        expect(resources.contains(shrunk)).to.equal(true);
        for (const name of ['cpus', 'mem']) {
          expect(shrunk.scalar(name)).to.equal(Math.min(scalars.scalar(name), target.get(name)));
        }
        const limited = scalars.shrinkToLimits(ResourceLimits.of(target), random(...numbers));
        expect(ResourceLimits.of(target).contains(limited.quantities)).to.equal(true);
        expect(resources.contains(limited)).to.equal(true);
        const isFree = ({ name }: { name: string }) => target.get(name) === 0;
        expect(limited.filter(isFree).equals(scalars.filter(isFree))).to.equal(true);
        if (target.contains(scalars.quantities)) expect(shrunk.equals(scalars)).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it('every order of those that share a name is as likely', () => {
    const three = parse('cpus(a):1;cpus(b):1;cpus(c):1');
    const seen = new Map<string, number>();
    for (const x of [0.1, 0.5, 0.9]) {
      for (const y of [0.25, 0.75]) {
        const order = text(three.shrink(quantities('cpus:2.5'), random(x, y)));
        seen.set(order, (seen.get(order) ?? 0) + 1);
      }
    }
    expect([...seen.values()]).to.deep.equal([1, 1, 1, 1, 1, 1]);
  });
});
