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

  law2('RES-08 range arithmetic is that of sets of numbers', (a, b) => {
    const [left, right] = [a.toUnreserved().unallocate(), b.toUnreserved().unallocate()];
    const [leftNumbers, rightNumbers] = [numbers(left), numbers(right)];
    expect(numbers(left.plus(right))).to.deep.equal(new Set([...leftNumbers, ...rightNumbers]));
    expect(numbers(left.minus(right))).to.deep.equal(new Set([...leftNumbers].filter((n) => !rightNumbers.has(n))));
    expect(
      left.filter(({ type }) => type === 'RANGES').contains(right.filter(({ type }) => type === 'RANGES')),
    ).to.equal([...rightNumbers].every((n) => leftNumbers.has(n)));
  });

  law2('RES-08 ranges stay sorted and coalesced', (a, b) => {
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

  it('RES-16 handing out and taking back in any order ends where it began', () => {
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
    expect([...plain.allocate('x').scalarQuantities()]).to.deep.equal([...plain.scalarQuantities()]);
  });
});
