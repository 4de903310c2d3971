import { expect } from 'chai';
import { BoundedCache } from '../../src/resources/bounded-cache.ts';

describe('a bounded cache', () => {
  it('remembers up to its limit, and then begins anew', () => {
    const cache = new BoundedCache<number>(3);
    for (let i = 0; i < 3; i += 1) cache.set(`key-${i}`, i);
    expect([cache.size, cache.get('key-0'), cache.get('key-2')]).to.deep.equal([3, 0, 2]);
    cache.set('key-3', 3);
    expect([cache.size, cache.get('key-0'), cache.get('key-3')]).to.deep.equal([1, undefined, 3]);
    for (let i = 0; i < 1000; i += 1) {
      cache.set(`other-${i}`, i);
      expect(cache.size).to.be.at.most(3);
    }
  });
});
