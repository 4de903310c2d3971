import { expect } from 'chai';
import fc from 'fast-check';
import { Ring } from '../src/ring.ts';

describe('Ring', () => {
  it('is a FIFO through any mix of pushes and shifts', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (pushes) => {
        const ring = new Ring<number>(4);
        const model: number[] = [];
        for (const [index, push] of pushes.entries()) {
          if (push) {
            ring.push(index);
            model.push(index);
          } else {
            expect(ring.shift()).to.equal(model.shift());
          }
          expect(ring.size).to.equal(model.length);
          expect([...ring]).to.deep.equal(model);
        }
      }),
    );
  });

  it('keeps order across a burst of thousands, and again after it has drained', () => {
    const ring = new Ring<number>();
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 10_000; index++) ring.push(index);
      for (let index = 0; index < 10_000; index++) expect(ring.shift()).to.equal(index);
      expect(ring.shift()).to.equal(undefined);
    }
  });
});
