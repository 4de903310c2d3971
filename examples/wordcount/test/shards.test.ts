import { expect } from 'chai';
import fc from 'fast-check';
import { makeShards, type TextFile } from '@mezzo/example-wordcount';

const sizes = fc.array(fc.nat(1_000_000), { maxLength: 200 });

function filesOf(given: readonly number[]): TextFile[] {
  return given.map((size, index) => ({ path: Buffer.from(`/f/${String(index).padStart(4, '0')}`), size }));
}

describe('makeShards', () => {
  it('puts every file into exactly one shard', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 50 }), (given, count) => {
        const shards = makeShards(filesOf(given), count);
        const paths = shards.flatMap(({ files }) => files.map(({ path }) => path.toString())).toSorted();
        expect(paths).to.deep.equal(filesOf(given).map(({ path }) => path.toString()));
        expect(shards.map(({ index }) => index)).to.deep.equal([...shards.keys()]);
        for (const { files, bytes } of shards) {
          expect(files).to.not.be.empty;
          expect(bytes).to.equal(files.reduce((sum, { size }) => sum + size, 0));
        }
        expect(shards).to.have.length(Math.min(count, given.length));
      }),
    );
  });

  it('differs between shards by no more bytes than the largest file has', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 50 }), (given, count) => {
        const loads = makeShards(filesOf(given), Math.min(count, Math.max(given.length, 1))).map(({ bytes }) => bytes);
        expect(Math.max(0, ...loads) - Math.min(...loads, Infinity)).to.be.at.most(Math.max(0, ...given));
      }),
    );
  });

  it('does not depend on the order of the files', () => {
    fc.assert(
      fc.property(sizes, (given) => {
        const files = filesOf(given);
        expect(makeShards(files.toReversed(), 7)).to.deep.equal(makeShards(files, 7));
      }),
    );
  });

  it('refuses a number of shards that is none', () => {
    for (const count of [0, -1, 1.5, NaN]) expect(() => makeShards([], count)).to.throw(RangeError, String(count));
  });
});
