import { expect } from 'chai';
import fc from 'fast-check';

import { rendezvous, seedOf } from '../../src/routing/rendezvous.ts';

interface Candidate {
  readonly name: string;
  readonly seed: number;
}
const candidates = (names: readonly string[]): Candidate[] => names.map((name) => ({ name, seed: seedOf(name) }));
const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });

describe('consistent hashing', () => {
  it('moves keys to a newcomer only, and back when it goes', () => {
    fc.assert(
      fc.property(names, fc.string({ maxLength: 12 }), fc.array(fc.string()), (before, newcomer, keys) => {
        fc.pre(!before.includes(newcomer));
        const after = [...before, newcomer];
        for (const key of keys) {
          const was = rendezvous(key, candidates(before))?.name;
          const is = rendezvous(key, candidates(after))?.name;
          if (is !== newcomer) expect(is).to.equal(was);
        }
      }),
    );
  });

  it('does not depend on the order of the candidates', () => {
    fc.assert(
      fc.property(names, fc.string(), (all, key) => {
        expect(rendezvous(key, candidates(all))?.name).to.equal(rendezvous(key, candidates(all.toReversed()))?.name);
      }),
    );
  });

  it('gives each of ten about a tenth of 10,000 keys, and the eleventh about an eleventh', () => {
    const ten = candidates(Array.from({ length: 10 }, (_, index) => `pool/${index}`));
    const eleven = [...ten, ...candidates(['pool/10'])];
    const counts = new Map<string, number>();
    let moved = 0;
    for (let index = 0; index < 10_000; index++) {
      const was = rendezvous(`user-${index}`, ten)?.name ?? '';
      counts.set(was, (counts.get(was) ?? 0) + 1);
      if (rendezvous(`user-${index}`, eleven)?.name !== was) moved++;
    }
    // Four standard deviations of a binomial distribution: 30 and 28.7 keys.
    for (const count of counts.values()) expect(count).to.be.within(880, 1120);
    expect(moved).to.be.within(794, 1024);
  });

  it('has nobody to choose among none', () => {
    expect(rendezvous('key', [])).to.equal(undefined);
  });
});
