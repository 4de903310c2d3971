import { expect } from 'chai';
import { SeededRandom } from '@mezzo/process/testing';

import { Candidates } from '../../src/group/candidates.ts';

const nobody = (): boolean => false;

describe('candidates for peers', () => {
  const drawAll = (candidates: Candidates, now = 0, rounds = 300): Set<string> => {
    const drawn = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      const node = candidates.draw(now, nobody);
      if (node !== undefined) drawn.add(node);
    }
    return drawn;
  };

  it('keeps a bounded number of hints, and those that were peers besides', () => {
    const candidates = new Candidates(new SeededRandom(1), 8);
    candidates.remember('friend', 10);
    for (let index = 0; index < 1000; index++) candidates.hint(`fake-${index}`, 10);
    expect(candidates.size).to.equal(9);
    expect(drawAll(candidates)).to.have.property('size', 9);
    expect(drawAll(candidates)).to.deep.equal(new Set(['friend']));
  });

  it('keeps a bounded number of former peers', () => {
    const candidates = new Candidates(new SeededRandom(1), 8);
    for (let index = 0; index < 100; index++) candidates.remember(`gone-${index}`, 10);
    expect(candidates.size).to.equal(8);
  });

  it('keeps any of the hints, not the first or last ones', () => {
    const survivors = new Set<boolean>();
    for (let seed = 0; seed < 50; seed++) {
      const candidates = new Candidates(new SeededRandom(seed), 8);
      for (let index = 0; index < 16; index++) candidates.hint(String(index), 10);
      for (const node of drawAll(candidates)) survivors.add(Number(node) < 8);
    }
    expect(survivors.size).to.equal(2);
  });

  it('draws a hint once, and what was a peer again and again until its time is over', () => {
    const candidates = new Candidates(new SeededRandom(1), 8);
    candidates.hint('hint', 10);
    expect([candidates.draw(0, nobody), candidates.draw(0, nobody)]).to.deep.equal(['hint', undefined]);
    candidates.remember('friend', 10);
    expect([candidates.draw(9, nobody), candidates.draw(9, nobody)]).to.deep.equal(['friend', 'friend']);
    expect(candidates.draw(10, nobody)).to.equal(undefined);
    expect(candidates.size).to.equal(0);
  });

  it('draws nobody who is excepted or forgotten', () => {
    const candidates = new Candidates(new SeededRandom(1), 8);
    candidates.remember('a', 10);
    candidates.remember('b', 10);
    candidates.forget('a');
    expect(candidates.draw(0, (node) => node === 'b')).to.equal(undefined);
    expect(drawAll(candidates)).to.deep.equal(new Set(['b']));
  });
});
