import { expect } from 'chai';
import fc from 'fast-check';
import { AgentID, Resources } from '@mezzo/protocol';
import { SeededRandom } from '@mezzo/process/testing';
import { ClusterTotals } from '../../src/allocator/cluster-totals.ts';
import { RandomSorter } from '../../src/allocator/random-sorter.ts';

const agent = AgentID('s1');

/** Counts how much chance is used. */
class CountedRandom extends SeededRandom {
  draws = 0;

  override next(): number {
    this.draws++;
    return super.next();
  }
}

function sorterOf(
  clients: readonly string[],
  weights: Readonly<Record<string, number>>,
  random: SeededRandom,
): RandomSorter {
  const totals = new ClusterTotals();
  totals.add(Resources.parse('cpus:100;mem:100'));
  const sorter = new RandomSorter({ totals, excluded: new Set(), random });
  for (const client of clients) {
    sorter.add(client);
    sorter.activate(client);
  }
  for (const [path, weight] of Object.entries(weights)) sorter.updateWeight(path, weight);
  return sorter;
}

/** The chance of each order of weighted sampling without replacement, by its definition. */
function chancesOf(weights: ReadonlyMap<string, number>): Map<string, number> {
  if (weights.size === 0) return new Map([['', 1]]);
  const sum = [...weights.values()].reduce((total, weight) => total + weight);
  const chances = new Map<string, number>();
  for (const [client, weight] of weights) {
    const others = new Map([...weights].filter(([other]) => other !== client));
    for (const [order, chance] of chancesOf(others)) chances.set(`${client} ${order}`, (weight / sum) * chance);
  }
  return chances;
}

/** Five standard deviations: the seed is fixed, and no seed in a hundred thousand would miss it. */
function expectFrequencies(sorter: RandomSorter, weights: Readonly<Record<string, number>>, runs: number): void {
  const counts = new Map<string, number>();
  for (let i = 0; i < runs; i++) {
    const order = `${[...sorter.sort()].join(' ')} `;
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  const chances = chancesOf(new Map(Object.entries(weights)));
  expect([...counts.keys()].filter((order) => !chances.has(order))).to.deep.equal([]);
  for (const [order, chance] of chances) {
    expect(counts.get(order) ?? 0, order).to.be.closeTo(runs * chance, 5 * Math.sqrt(runs * chance * (1 - chance)));
  }
}

describe('the random sorter', () => {
  it('SORT-15 lists active clients with the frequencies of weighted sampling without replacement, of relative weights in nested ones', () => {
    const flat = sorterOf(
      ['a', 'b', 'c', 'd', 'idle'],
      { a: 1, b: 2, c: 4, d: 0.5, idle: 100 },
      new SeededRandom('flat'),
    );
    flat.deactivate('idle');
    expectFrequencies(flat, { a: 1, b: 2, c: 4, d: 0.5 }, 40_000);

    const nested = sorterOf(
      ['a', 'a/x', 'a/y', 'b/x', 'b/y/z', 'c', 'd/x', 'd/y'],
      { a: 3, 'a/x': 2, b: 2, 'b/x': 3, 'b/y/z': 7, d: 50, c: 1 },
      new SeededRandom('nested'),
    );
    // A branch without active clients takes no part.
    for (const client of ['d/x', 'd/y', 'a/y']) nested.deactivate(client);
    // Of 6: a has 3, of which it has 1 of 3 itself and a/x 2 of 3; b has 2: b/x 3 of 4 and b/y 1 of 4; c has 1.
    const weights = { a: 1 / 6, 'a/x': 2 / 6, 'b/x': 1 / 4, 'b/y/z': 1 / 12, c: 1 / 6 };
    expectFrequencies(nested, weights, 40_000);
    // What they hold changes nothing.
    nested.allocated('a/x', agent, Resources.parse('cpus:90'));
    nested.allocated('c', agent, Resources.parse('cpus:1'));
    expectFrequencies(nested, weights, 40_000);
    // Activity, weights and structure do.
    nested.updateWeight('a', 1);
    nested.remove('a/x');
    nested.remove('a/y');
    nested.deactivate('c');
    nested.activate('d/y');
    nested.updateWeight('d', 2);
    expectFrequencies(nested, { a: 1 / 5, 'b/x': (2 / 5) * (3 / 4), 'b/y/z': (2 / 5) * (1 / 4), 'd/y': 2 / 5 }, 40_000);
  });

  it('draws from any number of clients by their weights, each once', () => {
    const weight = fc.constantFrom(1e-300, 0.001, 0.5, 1, 1, 1, 2, 1000, 1e300);
    fc.assert(
      fc.property(fc.array(weight, { maxLength: 70 }), fc.nat(), (weights, seed) => {
        const clients = weights.map((_, i) => `c${i}`);
        const sorter = sorterOf(
          clients,
          Object.fromEntries(weights.map((value, i) => [`c${i}`, value])),
          new SeededRandom(seed),
        );
        const order = [...sorter.sort()];
        expect(order.toSorted()).to.deep.equal(clients.toSorted());
        // So much heavier is always first.
        const heavy = weights.filter((value) => value === 1e300).length;
        expect(order.slice(0, heavy).every((client) => weights[Number(client.slice(1))] === 1e300)).to.equal(true);
      }),
      { numRuns: 200 },
    );
    const random = new SeededRandom('many');
    const clients = Array.from({ length: 1000 }, (_, i) => `c${i}`);
    const sorter = sorterOf(clients, Object.fromEntries(clients.map((client, i) => [client, i])), random);
    sorter.updateWeight('c0', 1);
    let sum = 0;
    const runs = 20_000;
    for (let i = 0; i < runs; i++) {
      const [first] = sorter.sort();
      sum += Number(first?.slice(1));
    }
    // The mean of i with weights i up to n is (2n + 1) / 3, its deviation about n / sqrt(18).
    expect(sum / runs).to.be.closeTo(1999 / 3, (5 * (1000 / Math.sqrt(18))) / Math.sqrt(runs));
  });

  it('follows each change at once', () => {
    const sorter = sorterOf(['a', 'b'], {}, new SeededRandom('changes'));
    const listed = (): string[] => [...sorter.sort()].toSorted();
    expect(listed()).to.deep.equal(['a', 'b']);
    sorter.add('b/x');
    expect(listed()).to.deep.equal(['a', 'b']);
    sorter.activate('b/x');
    expect(listed()).to.deep.equal(['a', 'b', 'b/x']);
    sorter.deactivate('b');
    expect(listed()).to.deep.equal(['a', 'b/x']);
    sorter.remove('b/x');
    expect(listed()).to.deep.equal(['a']);
    sorter.activate('b');
    expect(listed()).to.deep.equal(['a', 'b']);
    for (const client of ['a', 'b']) {
      sorter.updateWeight(client, client === 'a' ? 1e9 : 1e18);
      for (let i = 0; i < 20; i++) expect([...sorter.sort()][0]).to.equal(client);
    }
  });

  it('gives the same orders for the same seed, and others for another', () => {
    const orders = (seed: string): string[][] => {
      const sorter = sorterOf(['a', 'b/x', 'b/y', 'c', 'd', 'e'], { b: 2 }, new SeededRandom(seed));
      return Array.from({ length: 20 }, () => [...sorter.sort()]);
    };
    expect(orders('1')).to.deep.equal(orders('1'));
    expect(orders('1')).not.to.deep.equal(orders('2'));
  });

  it('draws no further than it is read', () => {
    const random = new CountedRandom('lazy');
    const sorter = sorterOf(
      Array.from({ length: 10_000 }, (_, i) => `c${i}`),
      {},
      random,
    );
    const order = sorter.sort();
    expect(random.draws).to.equal(0);
    const [first] = order;
    expect(random.draws).to.equal(1);
    const [again, second] = order;
    expect(again).to.equal(first);
    expect(second).not.to.equal(first);
    expect(random.draws).to.equal(2);
  });

  it('does not change an order that it has given out', () => {
    const clients = ['a', 'b', 'c', 'd', 'e'];
    for (let seed = 0; seed < 20; seed++) {
      const sorter = sorterOf(clients, {}, new SeededRandom(seed));
      const order = sorter.sort();
      const seen: string[] = [];
      for (const client of order) {
        seen.push(client);
        // Another order is read in between, and clients come and go.
        expect([...sorter.sort()]).to.have.length(seen.length === 1 ? 5 : 4);
        sorter.remove('c');
        sorter.add('f');
        sorter.updateWeight('a', 1000);
      }
      expect(seen.toSorted()).to.deep.equal(clients);
      expect([...order]).to.deep.equal(seen);
      expect([...sorter.sort()].toSorted()).to.deep.equal(['a', 'b', 'd', 'e']);
    }
  });

  it('says what part of the cluster a client has', () => {
    const sorter = sorterOf(['a', 'a/x', 'b'], { b: 2 }, new SeededRandom('shares'));
    sorter.allocated('a', agent, Resources.parse('cpus:10;mem:20'));
    sorter.allocated('a/x', agent, Resources.parse('cpus:10'));
    sorter.allocated('b', agent, Resources.parse('cpus:30'));
    expect(['a', 'a/x', 'b', 'x'].map((client) => sorter.share(client))).to.deep.equal([0.2, 0.1, 0.15, 0]);
    sorter.updated('a', agent, Resources.parse('mem:20'), Resources.parse('mem:1'));
    sorter.unallocated('b', agent, Resources.parse('cpus:30'));
    sorter.remove('a/x');
    expect(['a', 'a/x', 'b'].map((client) => sorter.share(client))).to.deep.equal([0.1, 0, 0]);
    expect(sorter.has('a/x')).to.equal(false);
  });
});
