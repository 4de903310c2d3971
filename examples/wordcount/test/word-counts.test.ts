import { expect } from 'chai';
import { gzipSync } from 'node:zlib';
import { ResultInvalid, WordCounts } from '@mezzo/example-wordcount';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('WordCounts', () => {
  it('merges plain and gzipped results', () => {
    const counts = new WordCounts();
    expect(counts.add(0, bytes('a 2\nb 1\n. 3\n'))).to.equal(true);
    expect(counts.add(1, gzipSync('b 2\nc 7\n. 9\n'))).to.equal(true);
    expect(counts.add(2, bytes('. 0\n'))).to.equal(true);
    expect(counts.words).to.equal(12);
    expect(counts.distinct).to.equal(3);
    expect(counts.top(2)).to.deep.equal([
      ['c', 7],
      ['b', 3],
    ]);
  });

  it('counts a shard once, whatever comes later for it', () => {
    const counts = new WordCounts();
    counts.add(4, bytes('a 1\n. 1\n'));
    expect(counts.add(4, bytes('a 1\n. 1\n'))).to.equal(false);
    expect(counts.add(4, bytes('damaged'))).to.equal(false);
    expect(counts.words).to.equal(1);
  });

  it('puts equally frequent words in alphabetical order', () => {
    const counts = new WordCounts();
    counts.add(0, bytes('b 1\nc 1\na 1\n. 3\n'));
    expect(counts.top(3).map(([word]) => word)).to.deep.equal(['a', 'b', 'c']);
  });

  it('knows words that objects have as properties', () => {
    const counts = new WordCounts();
    counts.add(0, bytes('constructor 1\ntostring 2\n. 3\n'));
    expect(counts.top(1)).to.deep.equal([['tostring', 2]]);
  });

  it('refuses damaged results whole', () => {
    const good = 'apple 2\nbanana 1\n. 3\n';
    const damaged = [
      bytes(''),
      bytes(good.slice(0, -1)),
      bytes(good.slice(0, 8)),
      bytes(good.slice(8)),
      bytes('apple 2\nBanana 1\n. 3\n'),
      bytes('apple\n. 0\n'),
      gzipSync(good).subarray(0, -5),
      bytes('Reading the files failed\n'),
    ];
    for (const data of damaged) {
      const counts = new WordCounts();
      expect(() => counts.add(0, data), Buffer.from(data).toString()).to.throw(ResultInvalid);
      expect([counts.words, counts.distinct, counts.shards]).to.deep.equal([0, 0, 0]);
    }
  });
});
