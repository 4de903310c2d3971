import { expect } from 'chai';

import { type ClaimKind, decodeClaim, encodeClaim, judge } from '../../src/nats/name-claim.ts';

describe('the claim of a node name', () => {
  for (const [who, started, kind, incarnation, verdict] of [
    ['a node that starts and hears an older one that starts too', false, 'starting', 50, 'yield'],
    ['a node that starts and hears a newer one that starts too', false, 'starting', 150, 'answer'],
    ['a node that starts and hears that the name is taken', false, 'taken', 50, 'yield'],
    ['a node that starts and hears so from one whose clock is ahead', false, 'taken', 150, 'yield'],
    ['a node that starts while another one comes back', false, 'returned', 150, 'yield'],
    ['a node that has the name and hears one that starts', true, 'starting', 150, 'answer'],
    ['a node that has the name and hears one start whose clock is behind', true, 'starting', 50, 'answer'],
    ['a node that has the name and hears an older one come back', true, 'returned', 50, 'yield'],
    ['a node that has the name and hears a newer one come back', true, 'returned', 150, 'answer'],
    ['a node that came back and is told that an older one has the name', true, 'taken', 50, 'yield'],
    ['a node that came back and is told that a newer one has the name', true, 'taken', 150, 'ignore'],
    ['a node that hears itself', true, 'returned', 100, 'ignore'],
  ] as const satisfies readonly (readonly [string, boolean, ClaimKind, number, string])[]) {
    it(`by ${who}: ${verdict}`, () => {
      expect(judge({ kind, incarnation }, { incarnation: 100, started })).to.equal(verdict);
    });
  }

  it('is read back as it was written, and nothing else is read', () => {
    expect(decodeClaim(encodeClaim('taken', 7_000_000_000_000_001))).to.deep.equal({
      kind: 'taken',
      incarnation: 7_000_000_000_000_001,
    });
    for (const text of ['', 'taken', 'taken -1', 'taken 1 ', 'given 1', 'taken 1e3', `taken ${'9'.repeat(60)}`]) {
      expect(decodeClaim(Buffer.from(text)), text).to.equal(undefined);
    }
  });
});
