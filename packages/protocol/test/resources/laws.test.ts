import { expect } from 'chai';
import fc from 'fast-check';
import { Resources } from '../../src/index.ts';
import { anyResources, numbers } from './samples.ts';

function law2(title: string, holds: (a: Resources, b: Resources) => void): void {
  it(title, () => {
    fc.assert(fc.property(anyResources, anyResources, holds), { numRuns: 500 });
  });
}

function same(left: Resources, right: Resources): void {
  const both = `${left.toString()} and ${right.toString()}`;
  expect(left.equals(right), both).to.equal(true);
  expect(right.equals(left), both).to.equal(true);
}

/** Ranges and sets are unions: what both sides hold is in the sum once. */
const disjoint = (a: Resources, b: Resources) =>
  a
    .minus(a.minus(b))
    .scalarsOnly()
    .equals(a.minus(a.minus(b)));

const plainRanges = (resources: Resources) =>
  Resources.of([{ name: 'ports', type: 'RANGES', ranges: resources.ports }]);

describe('resources: laws', () => {
  law2('(a + b) - b is a, for scalars always, for ranges and sets when they share nothing', (a, b) => {
    same(a.plus(b).minus(b).scalarsOnly(), a.scalarsOnly());
    if (disjoint(a, b)) same(a.plus(b).minus(b), a);
  });

  law2('(a - b) + b is a when a contains b', (a, b) => {
    const whole = a.plus(b);
    same(whole.minus(b).plus(b), whole);
    if (a.contains(b)) same(a.minus(b).plus(b), a);
  });

  law2('a + b is b + a', (a, b) => same(a.plus(b), b.plus(a)));

  it('(a + b) + c is a + (b + c), and the sum of all', () => {
    fc.assert(
      fc.property(anyResources, anyResources, anyResources, (a, b, c) => {
        same(a.plus(b).plus(c), a.plus(b.plus(c)));
        same(a.plus(b).plus(c), Resources.sum([a, b, c]));
      }),
    );
  });

  law2('a + b contains a and b', (a, b) => {
    expect(a.plus(b).contains(a)).to.equal(true);
    expect(a.plus(b).contains(b)).to.equal(true);
  });

  law2('equality is containment both ways', (a, b) => {
    expect(a.equals(b)).to.equal(a.contains(b) && b.contains(a));
  });

  law2('a contains b exactly when nothing of b remains after a', (a, b) => {
    expect(a.contains(b)).to.equal(b.minus(a).isEmpty);
  });

  it('containment is transitive, reflexive, and everything contains nothing', () => {
    fc.assert(
      fc.property(anyResources, anyResources, anyResources, (a, b, c) => {
        expect(a.contains(a)).to.equal(true);
        expect(a.contains(Resources.empty)).to.equal(true);
        expect(a.plus(b).plus(c).contains(a.plus(b))).to.equal(true);
        if (a.contains(b) && b.contains(c)) expect(a.contains(c)).to.equal(true);
      }),
    );
  });

  law2('operands never change', (a, b) => {
    const before = [a.toString(), b.toString()];
    a.plus(b);
    a.minus(b);
    a.allocate('x');
    expect([a.toString(), b.toString()]).to.deep.equal(before);
  });

  law2('range arithmetic is that of sets of numbers', (a, b) => {
    const [left, right] = [plainRanges(a), plainRanges(b)];
    const [leftNumbers, rightNumbers] = [numbers(left), numbers(right)];
    expect(numbers(left.plus(right))).to.deep.equal(new Set([...leftNumbers, ...rightNumbers]));
    expect(numbers(left.minus(right))).to.deep.equal(new Set([...leftNumbers].filter((n) => !rightNumbers.has(n))));
    expect(left.contains(right)).to.equal([...rightNumbers].every((n) => leftNumbers.has(n)));
  });

  law2('ranges stay sorted and coalesced', (a, b) => {
    for (const result of [a.plus(b), a.minus(b)]) {
      for (const entry of result) {
        if (entry.type !== 'RANGES') continue;
        entry.ranges.forEach((range, i) => {
          expect(range.begin).to.be.at.most(range.end);
          const previous = entry.ranges[i - 1];
          if (previous !== undefined) expect(range.begin).to.be.above(previous.end + 1);
        });
      }
    }
  });

  it('handing out and taking back in any order ends where it began', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 40 }), (parts) => {
        const pieces = parts.map((n) => Resources.of([{ name: 'cpus', type: 'SCALAR', scalar: n / 1000 }]));
        const total = Resources.sum(pieces);
        let free = total;
        for (const piece of pieces) free = free.minus(piece);
        expect(free.isEmpty).to.equal(true);
        for (const piece of pieces.toReversed()) free = free.plus(piece);
        same(free, total);
      }),
    );
  });

  law2('allocating and unallocating keep the amounts', (a, b) => {
    const plain = a.plus(b).unallocate();
    same(plain.allocate('x').unallocate(), plain);
    expect(plain.allocate('x').quantities.equals(plain.quantities)).to.equal(true);
  });

  law2('each selection and its opposite are everything', (a, b) => {
    const all = a.plus(b);
    same(all.shared().plus(all.nonShared()), all);
    same(all.revocable().plus(all.nonRevocable()), all);
    same(all.reserved().plus(all.unreserved()), all);
    same(Resources.sum(all.allocations().values()).plus(all.filter(({ allocationRole }) => !allocationRole)), all);
    expect(all.hasShared).to.equal(!all.shared().isEmpty);
    expect(all.hasRevocable).to.equal(!all.revocable().isEmpty);
    expect(all.hasReservations).to.equal(!all.reserved().isEmpty);
    expect(all.hasRefinedReservations).to.equal(all.entries.some(({ reservations = [] }) => reservations.length > 1));
    expect(all.persistentVolumes().entries.every(({ disk }) => disk?.persistence !== undefined)).to.equal(true);
    expect(all.shared().minus(all.persistentVolumes()).isEmpty).to.equal(true);
    expect(all.plus(all.persistentVolumes()).persistentVolumes().entries).to.have.length(
      2 * all.persistentVolumes().entries.length,
    );
  });

  law2('a reservation that is pushed can be popped', (a, b) => {
    const all = a.plus(b).toUnreserved();
    const pushed = all.pushReservation({ type: 'DYNAMIC', role: 'q', labels: [{ key: 'k' }] });
    expect(pushed.unreserved().isEmpty).to.equal(true);
    same(pushed.popReservation(), all);
    same(pushed.toUnreserved(), all);
  });

  law2('what find finds is there, and is what was looked for', (a, b) => {
    const plain = a.plus(b).unallocate();
    const found = plain.find(b.unallocate());
    if (found !== undefined) {
      expect(plain.contains(found)).to.equal(true);
      same(found.toUnreserved(), b.unallocate().toUnreserved());
    }
    // Unreserved amounts of one kind are found whenever they are there.
    const unreserved = plain.unreserved();
    const target = unreserved.filter(({ name }) => name === 'cpus');
    expect(unreserved.find(target)?.equals(target)).to.equal(true);
  });

  law2('counts say how often an entry is there', (a, b) => {
    const all = a.plus(b);
    for (const entry of all) {
      const times = all.count(entry);
      expect(times).to.be.at.least(1);
      const once = Resources.of([entry]);
      const isCounted = entry.shared === true || times > 1;
      expect(all.minus(once).count(entry)).to.equal(isCounted ? times - 1 : 0);
    }
  });
});
