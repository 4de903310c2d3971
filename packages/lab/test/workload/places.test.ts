import { expect } from 'chai';
import { SeededRandom } from '@mezzo/process/testing';
import { Places } from '../../src/workload/places.ts';

describe('places that tasks prefer', () => {
  const places = new Places(
    ['r1', 'r2', 'r3', 'r1', 'r2'].map((rack, index) => ({
      ...{ name: `node-${index}`, group: 'node', resources: 'cpus:1', attributes: { rack } },
    })),
  );
  const random = new SeededRandom('places');

  it('are as many different ones as a task wants, each as often as any other', () => {
    const times = new Map<string, number>();
    for (let i = 0; i < 3000; i++) {
      const drawn = places.draw({ level: 'agent', preferred: 2, wait: 0 }, random);
      expect(drawn.size).to.equal(2);
      for (const name of drawn) times.set(name, (times.get(name) ?? 0) + 1);
    }
    expect([...times.keys()].sort()).to.deep.equal(['node-0', 'node-1', 'node-2', 'node-3', 'node-4']);
    for (const count of times.values()) expect(count / 3000).to.be.closeTo(0.4, 0.04);
  });

  it('are all of them, if there are no more', () => {
    expect(places.draw({ level: 'rack', preferred: 3, wait: 0 }, random)).to.deep.equal(new Set(['r1', 'r2', 'r3']));
    expect(places.draw({ level: 'zone', preferred: 1, wait: 0 }, random)).to.deep.equal(new Set());
  });
});
