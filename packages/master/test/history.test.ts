import { expect } from 'chai';
import { History } from '../src/history.ts';

describe('a history', () => {
  it('forgets the oldest beyond its limit; what is added again is new again', () => {
    const history = new History<string, number>(2);
    history.add('a', 1);
    history.add('b', 2);
    history.add('a', 3);
    history.add('c', 4);
    expect([...history.values()]).to.deep.equal([3, 4]);
    expect(history.has('b')).to.equal(false);
  });

  it('keeps nothing with a limit of 0', () => {
    const history = new History<string, number>(0);
    history.add('a', 1);
    expect(history.size).to.equal(0);
  });
});
