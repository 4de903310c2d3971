import { expect } from 'chai';
import fc from 'fast-check';
import { AgentID, Resources } from '@mezzo/protocol';
import { SeededRandom } from '@mezzo/process/testing';
import { ClusterTotals } from '../../src/allocator/cluster-totals.ts';
import { DrfSorter } from '../../src/allocator/drf-sorter.ts';
import { NaiveDrf, type Held } from './naive-sorter.ts';

const s1 = AgentID('s1');
const s2 = AgentID('s2');
const r = (text: string): Resources => Resources.parse(text);

/** A persistent volume that several tasks may use at once. */
function shared(id: string, size = 10): Resources {
  return Resources.of([
    {
      name: 'disk',
      type: 'SCALAR',
      scalar: size,
      reservations: [{ type: 'DYNAMIC', role: 'x' }],
      disk: { persistence: { id }, volume: { containerPath: 'data', mode: 'RW' } },
      shared: true,
    },
  ]);
}

function sorterOver(total: string, excluded: readonly string[] = []): { sorter: DrfSorter; totals: ClusterTotals } {
  const totals = new ClusterTotals();
  totals.add(r(total));
  const sorter = new DrfSorter({ totals, excluded: new Set(excluded), random: new SeededRandom('unused') });
  return { totals, sorter };
}

function addActive(sorter: DrfSorter, ...clients: string[]): void {
  for (const client of clients) {
    sorter.add(client);
    sorter.activate(client);
  }
}

/** Adds active clients that hold so many cpus. */
function addWithCpus(sorter: DrfSorter, cpus: Readonly<Record<string, number>>): void {
  for (const [client, amount] of Object.entries(cpus)) {
    addActive(sorter, client);
    sorter.allocated(client, s1, r(`cpus:${amount}`));
  }
}

describe('the DRF sorter', () => {
  it('SORT-01 serves the smallest dominant share, then who was served less often, then by name; shares follow the cluster', () => {
    const { sorter, totals } = sorterOver('cpus:100;mem:100');
    addActive(sorter, 'b', 'a');
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    sorter.allocated('a', s1, r('cpus:5;mem:5'));
    sorter.allocated('b', s1, r('cpus:6;mem:6'));
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    addActive(sorter, 'c', 'd');
    sorter.allocated('c', s1, r('cpus:1'));
    sorter.allocated('d', s1, r('cpus:3;mem:1'));
    expect(sorter.sort()).to.deep.equal(['c', 'd', 'a', 'b']);
    sorter.remove('a');
    expect(sorter.has('a')).to.equal(false);
    expect(sorter.share('a')).to.equal(0);
    sorter.allocated('b', s1, r('cpus:1'));
    addActive(sorter, 'e');
    sorter.allocated('e', s1, r('cpus:1;mem:1'));
    // c and e have a hundredth each and were served once.
    expect(sorter.sort()).to.deep.equal(['c', 'e', 'd', 'b']);
    sorter.unallocated('b', s1, r('cpus:7;mem:6'));
    expect(sorter.share('b')).to.equal(0);
    expect(sorter.sort()).to.deep.equal(['b', 'c', 'e', 'd']);
    sorter.allocated('c', s1, r('mem:4'));
    sorter.allocated('d', s1, r('cpus:1'));
    sorter.allocated('e', s1, r('cpus:2'));
    // c 4/100 of mem, d 4/100 of cpus, both served twice; a second agent doubles the memory alone.
    expect(sorter.sort()).to.deep.equal(['b', 'e', 'c', 'd']);
    sorter.allocated('c', s1, r('mem:0.001'));
    expect(sorter.sort()).to.deep.equal(['b', 'e', 'd', 'c']);
    totals.add(r('mem:100'));
    expect(sorter.sort()).to.deep.equal(['b', 'c', 'e', 'd']);
    expect(sorter.share('c')).to.be.closeTo(0.02, 0.001);
    totals.subtract(r('mem:100'));
    expect(sorter.sort()).to.deep.equal(['b', 'e', 'd', 'c']);
    expect(sorter.share('c')).to.be.closeTo(0.04, 0.001);
  });

  it('SORT-02 divides shares by weights, also those given before the client came', () => {
    const { sorter } = sorterOver('cpus:100');
    sorter.updateWeight('b', 2);
    addWithCpus(sorter, { a: 5, b: 8 });
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    expect(sorter.share('b')).to.equal(0.04);
    sorter.updateWeight('a', 4);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    expect(sorter.share('a')).to.equal(0.0125);
    sorter.updateWeight('b', 16);
    sorter.updateWeight('a', 1);
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.remove('b');
    addWithCpus(sorter, { b: 32 });
    expect(sorter.share('b')).to.equal(0.02);
  });

  it('SORT-03 among equal shares serves who was served less often, and taking back makes nobody served less', () => {
    const { sorter } = sorterOver('cpus:100');
    addActive(sorter, 'a', 'b');
    sorter.allocated('a', s1, r('cpus:1'));
    sorter.unallocated('a', s1, r('cpus:1'));
    expect(sorter.share('a')).to.equal(0);
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.allocated('b', s1, r('cpus:1'));
    sorter.allocated('b', s1, r('cpus:1'));
    sorter.unallocated('b', s1, r('cpus:2'));
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
  });

  it('SORT-04 orders nested clients of disjoint branches as if they were flat, at any depths', () => {
    const cpus = [3, 1, 4, 2, 5];
    for (const paths of [
      ['a/a', 'b/b', 'c/c', 'd/d', 'e/e'],
      ['a', 'b/b/b/b', 'c/c', 'd/d/d', 'e'],
      ['a/x/y/z/v/w', 'b', 'c/x/y', 'd', 'e/x/y/z'],
    ]) {
      const { sorter } = sorterOver('cpus:100;mem:100');
      paths.forEach((path, i) => addWithCpus(sorter, { [path]: cpus[i] ?? 0 }));
      const inOrder = (...places: number[]): (string | undefined)[] => places.map((place) => paths[place]);
      expect(sorter.sort()).to.deep.equal(inOrder(1, 3, 0, 2, 4));
      sorter.allocated(paths[1] ?? '', s2, r('mem:10'));
      expect(sorter.sort()).to.deep.equal(inOrder(3, 0, 2, 4, 1));
      sorter.unallocated(paths[4] ?? '', s1, r('cpus:5'));
      expect(sorter.sort()).to.deep.equal(inOrder(4, 3, 0, 2, 1));
    }
  });

  it('SORT-05 serves nested clients in the turn of their branches, in pre-order', () => {
    const { sorter } = sorterOver('cpus:100');
    addWithCpus(sorter, { 'a/x': 1, 'b/x': 6, 'b/y': 4, 'a/y': 8 });
    // Branch a has 9, branch b 10.
    expect(sorter.sort()).to.deep.equal(['a/x', 'a/y', 'b/y', 'b/x']);
    sorter.allocated('a/x', s1, r('cpus:2'));
    expect(sorter.sort()).to.deep.equal(['b/y', 'b/x', 'a/x', 'a/y']);
    addWithCpus(sorter, { 'b/z/u': 3, 'b/z/t': 2, c: 14, 'a/z': 0.5 });
    // b now has 15, a 11.5; within b: y 4, z 5, x 6.
    expect(sorter.sort()).to.deep.equal(['a/z', 'a/x', 'a/y', 'c', 'b/y', 'b/z/t', 'b/z/u', 'b/x']);
    sorter.unallocated('b/z/u', s1, r('cpus:3'));
    expect(sorter.sort()).to.deep.equal(['a/z', 'a/x', 'a/y', 'b/z/u', 'b/z/t', 'b/y', 'b/x', 'c']);
    // A branch takes its turn with what its inactive clients hold.
    sorter.deactivate('b/x');
    sorter.deactivate('b/z/t');
    expect(sorter.sort()).to.deep.equal(['a/z', 'a/x', 'a/y', 'b/z/u', 'b/y', 'c']);
    sorter.remove('b/x');
    expect(sorter.sort()).to.deep.equal(['b/z/u', 'b/y', 'a/z', 'a/x', 'a/y', 'c']);
  });

  it('SORT-06 keeps what a client holds, its count and activity when it gets clients below it', () => {
    const { sorter } = sorterOver('cpus:100');
    addWithCpus(sorter, { a: 4, b: 6 });
    addWithCpus(sorter, { 'a/x': 3 });
    // Branch a holds 7: 4 itself and 3 in x.
    expect(sorter.sort()).to.deep.equal(['b', 'a/x', 'a']);
    expect(sorter.share('a')).to.equal(0.04);
    sorter.allocated('a', s1, r('cpus:1'));
    sorter.unallocated('a', s1, r('cpus:3'));
    expect(sorter.share('a')).to.equal(0.02);
    // 5 in all.
    expect(sorter.sort()).to.deep.equal(['a', 'a/x', 'b']);
    // Below an inactive client: it stays inactive, and can be activated.
    sorter.add('i');
    sorter.allocated('i', s1, r('cpus:1'));
    addWithCpus(sorter, { 'i/x': 2 });
    expect(sorter.sort()).to.deep.equal(['i/x', 'a', 'a/x', 'b']);
    sorter.activate('i');
    expect(sorter.sort()).to.deep.equal(['i', 'i/x', 'a', 'a/x', 'b']);
    // A branch without active clients has no turn, whatever becomes of its share.
    sorter.deactivate('a');
    sorter.deactivate('a/x');
    expect(sorter.sort()).to.deep.equal(['i', 'i/x', 'b']);
    sorter.unallocated('a', s1, r('cpus:2'));
    sorter.unallocated('a/x', s1, r('cpus:3'));
    expect(sorter.sort()).to.deep.equal(['i', 'i/x', 'b']);
    sorter.allocated('a', s1, r('cpus:90'));
    expect(sorter.sort()).to.deep.equal(['i', 'i/x', 'b']);
    sorter.updated('a', s1, r('cpus:90'), r('cpus:2'));
    sorter.allocated('a/x', s1, r('cpus:3'));
    sorter.activate('a');
    sorter.activate('a/x');
    // A client that comes after those below it, one level up and in between.
    addWithCpus(sorter, { 'n/p/q': 1, n: 0.5, 'n/p': 0.25 });
    expect(sorter.sort()).to.deep.equal(['n', 'n/p', 'n/p/q', 'i', 'i/x', 'a', 'a/x', 'b']);
    // The count goes along: t was served twice, x once, neither holds anything.
    addActive(sorter, 't');
    for (let i = 0; i < 2; i++) {
      sorter.allocated('t', s1, r('cpus:1'));
      sorter.unallocated('t', s1, r('cpus:1'));
    }
    addActive(sorter, 't/x');
    sorter.allocated('t/x', s1, r('cpus:1'));
    sorter.unallocated('t/x', s1, r('cpus:1'));
    expect([...sorter.sort()].slice(0, 2)).to.deep.equal(['t/x', 't']);
    // The weight of a path is that of the branch; what the client holds itself has weight 1 within it.
    sorter.updateWeight('b', 3);
    addActive(sorter, 'b/x');
    expect(sorter.share('b')).to.equal(0.06);
    sorter.allocated('b/x', s1, r('cpus:6'));
    // Branch b: 12 / 3 is less than 5; in it 6 each, of which b was served first, and so was x: the name decides.
    expect([...sorter.sort()].slice(-4)).to.deep.equal(['b', 'b/x', 'a', 'a/x']);
  });

  it('SORT-07 makes a branch a client again when the others below it are gone, active or inactive as before', () => {
    for (const isActive of [true, false]) {
      const { sorter } = sorterOver('cpus:100');
      sorter.add('a');
      if (isActive) sorter.activate('a');
      sorter.allocated('a', s1, r('cpus:4'));
      addWithCpus(sorter, { 'a/x/y': 3, 'a/z': 1, b: 6 });
      const own = isActive ? ['a'] : [];
      expect(sorter.sort()).to.deep.equal(['b', 'a/z', 'a/x/y', ...own]);
      sorter.remove('a/x/y');
      expect(sorter.sort()).to.deep.equal(['a/z', ...own, 'b']);
      sorter.remove('a/z');
      expect(sorter.sort()).to.deep.equal([...own, 'b']);
      expect(sorter.share('a')).to.equal(0.04);
      // It goes on as a client of its own: with its weight, and whatever it gets.
      sorter.updateWeight('a', 2);
      expect(sorter.share('a')).to.equal(0.02);
      sorter.allocated('a', s1, r('cpus:10'));
      expect(sorter.sort()).to.deep.equal(['b', ...own]);
      sorter.activate('a');
      expect(sorter.sort()).to.deep.equal(['b', 'a']);
      sorter.unallocated('a', s1, r('cpus:14'));
      expect(sorter.share('a')).to.equal(0);
      sorter.remove('a');
      expect(sorter.sort()).to.deep.equal(['b']);
    }
    // The client itself goes first: the branch stays for the others, without what the client held.
    const { sorter } = sorterOver('cpus:100');
    addWithCpus(sorter, { a: 8, 'a/x': 1, b: 3 });
    expect(sorter.sort()).to.deep.equal(['b', 'a/x', 'a']);
    sorter.remove('a');
    expect(sorter.sort()).to.deep.equal(['a/x', 'b']);
    expect(sorter.has('a')).to.equal(false);
  });

  it('SORT-08 the weight of an inner path scales the whole subtree', () => {
    const { sorter } = sorterOver('cpus:100');
    sorter.updateWeight('c', 4);
    addWithCpus(sorter, { 'a/x': 3, 'a/y': 3, 'b/x': 4, 'b/y': 5, 'c/x': 10 });
    expect(sorter.sort()).to.deep.equal(['c/x', 'a/x', 'a/y', 'b/x', 'b/y']);
    sorter.updateWeight('b', 3);
    // b: 9 / 3, c: 10 / 4, a: 6.
    expect(sorter.sort()).to.deep.equal(['c/x', 'b/x', 'b/y', 'a/x', 'a/y']);
    // Within the branch only the weights below it count.
    expect(sorter.share('b/y')).to.equal(0.05);
    sorter.updateWeight('b/y', 2);
    expect(sorter.sort()).to.deep.equal(['c/x', 'b/y', 'b/x', 'a/x', 'a/y']);
  });

  it('SORT-09 sums what is held under several metadata', () => {
    const { sorter } = sorterOver('cpus:100;disk:100');
    addActive(sorter, 'a', 'b');
    sorter.allocated('a', s1, r('cpus:3;cpus(x):3'));
    sorter.allocated('b', s1, r('cpus:5'));
    expect(sorter.share('a')).to.equal(0.06);
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    const volume = (id: string): Resources =>
      Resources.of([{ name: 'disk', type: 'SCALAR', scalar: 4, disk: { persistence: { id } } }]);
    sorter.allocated('b', s1, volume('v').plus(volume('w')).plus(r('disk:1')));
    expect(sorter.share('b')).to.equal(0.09);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
  });

  it('SORT-10 an update swaps what is held, not counting as an allocation; also of nested clients, up to all of it', () => {
    const { sorter } = sorterOver('cpus:100;mem:100');
    for (const [client, other] of [
      ['a', 'b'],
      ['n/x', 'n/y'],
    ] as const) {
      addWithCpus(sorter, { [client]: 10, [other]: 10 });
      sorter.updated(client, s1, r('cpus:10'), r('cpus(x):10'));
      expect(sorter.share(client)).to.equal(0.1);
      // Equal share, equal count, smaller name.
      expect([...sorter.sort()].filter((path) => path === client || path === other)).to.deep.equal([client, other]);
      sorter.updated(client, s1, r('cpus(x):10'), r('cpus:4;mem:12'));
      expect(sorter.share(client)).to.equal(0.12);
      expect([...sorter.sort()].filter((path) => path === client || path === other)).to.deep.equal([other, client]);
      sorter.updated(client, s1, r('mem:12'), Resources.empty);
      expect(sorter.share(client)).to.equal(0.04);
      sorter.unallocated(client, s1, r('cpus:4'));
      expect(sorter.share(client)).to.equal(0);
    }
    // 10 in branch n, 10 in b, 0 in a: branch n was served twice.
    expect(sorter.sort()).to.deep.equal(['a', 'b', 'n/x', 'n/y']);
  });

  it('SORT-11 an inactive client is not listed, but gets, keeps and gives back what it holds', () => {
    const { sorter } = sorterOver('cpus:10');
    sorter.add('a');
    addActive(sorter, 'b');
    sorter.allocated('a', s1, r('cpus:1'));
    expect(sorter.sort()).to.deep.equal(['b']);
    expect(sorter.share('a')).to.equal(0.1);
    sorter.activate('a');
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.deactivate('a');
    expect(sorter.sort()).to.deep.equal(['b']);
    sorter.allocated('a', s1, r('cpus:2'));
    expect(sorter.share('a')).to.equal(0.3);
    sorter.unallocated('a', s1, r('cpus:3'));
    sorter.allocated('b', s1, r('cpus:1'));
    sorter.activate('a');
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    // Adding it again changes nothing.
    sorter.add('b');
    expect(sorter.share('b')).to.equal(0.1);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
  });

  it('SORT-12 sums over agents, and follows updates on each of them and the total of all', () => {
    const { sorter, totals } = sorterOver('cpus:6;mem:200;ports:[31000-31099]');
    totals.add(r('cpus:6;mem:200;ports:[31000-31099]'));
    expect(totals.get('cpus')).to.equal(12);
    expect(totals.get('ports')).to.equal(0);
    addActive(sorter, 'a', 'b');
    sorter.allocated('a', s1, r('cpus:1;mem:20'));
    sorter.allocated('a', s2, r('cpus:1;mem:80'));
    sorter.allocated('b', s1, r('cpus:3;mem:10'));
    expect([sorter.share('a'), sorter.share('b')]).to.deep.equal([0.25, 0.25]);
    // b was served once.
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.updated('a', s2, r('mem:80'), r('mem(x):40'));
    expect(sorter.share('a')).to.equal(2 / 12);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    totals.subtract(r('mem:200'));
    expect(sorter.share('a')).to.equal(0.3);
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    totals.add(r('mem:600'));
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    // An agent goes, then all of a resource: it counts no more.
    sorter.unallocated('a', s2, r('cpus:1;mem(x):40'));
    totals.subtract(r('cpus:6;mem:600;ports:[31000-31099]'));
    expect(totals.get('cpus')).to.equal(6);
    expect([...totals.names].sort()).to.deep.equal(['cpus', 'mem']);
    expect(sorter.share('a')).to.equal(1 / 6);
    totals.subtract(r('mem:200'));
    totals.add(r('mem:20'));
    expect(sorter.share('a')).to.equal(1);
    totals.subtract(r('cpus:6;mem:20'));
    expect([...totals.names]).to.deep.equal([]);
    expect([sorter.share('a'), sorter.share('b')]).to.deep.equal([0, 0]);
  });

  it('SORT-13 revocable resources count as regular ones', () => {
    const { sorter, totals } = sorterOver('cpus:10;mem:100');
    const revocable = (cpus: number): Resources =>
      Resources.of([{ name: 'cpus', type: 'SCALAR', scalar: cpus, revocable: true }]);
    totals.add(revocable(10));
    addActive(sorter, 'a', 'b');
    sorter.allocated('a', s1, revocable(5));
    sorter.allocated('b', s1, r('cpus:6'));
    expect([sorter.share('a'), sorter.share('b')]).to.deep.equal([0.25, 0.3]);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    sorter.allocated('a', s1, revocable(2));
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
  });

  it('SORT-14 a shared resource counts once for each client and agent, until its last copy is given back', () => {
    const { sorter, totals } = sorterOver('cpus:100;disk:70');
    totals.add(shared('v', 30));
    const volume = shared('v', 30);
    addWithCpus(sorter, { a: 10, b: 20 });
    sorter.allocated('a', s1, volume);
    // One and the same for each client, and again for the one that has it.
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.allocated('b', s1, volume);
    expect([sorter.share('a'), sorter.share('b')]).to.deep.equal([0.3, 0.3]);
    sorter.allocated('a', s1, volume);
    sorter.allocated('a', s1, volume.plus(volume));
    expect(sorter.share('a')).to.equal(0.3);
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    // Another volume, the same name on another agent, and a mixture.
    sorter.allocated('a', s1, shared('w', 1).plus(r('disk:2')));
    expect(sorter.share('a')).to.equal(0.33);
    sorter.allocated('b', s2, volume);
    expect(sorter.share('b')).to.equal(0.6);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    // Copies go back one by one.
    sorter.unallocated('b', s2, volume);
    sorter.unallocated('a', s1, volume.plus(volume).plus(r('disk:2')));
    sorter.unallocated('a', s1, volume);
    expect(sorter.share('a')).to.equal(0.31);
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.unallocated('a', s1, volume);
    expect(sorter.share('a')).to.equal(0.1);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    // A branch too counts it once, until the last client below it has given it back or is gone.
    sorter.allocated('a', s1, volume);
    addWithCpus(sorter, { 'n/x': 1, 'n/y': 1, z: 35 });
    for (const client of ['n/x', 'n/y', 'n/y']) sorter.allocated(client, s1, volume);
    sorter.allocated('z', s1, volume);
    // b, n and a have 0.3 each, and were served 3, 5 and 6 times.
    expect(sorter.sort()).to.deep.equal(['b', 'n/x', 'n/y', 'a', 'z']);
    sorter.remove('n/x');
    expect(sorter.sort()).to.deep.equal(['b', 'n/y', 'a', 'z']);
    sorter.unallocated('n/y', s1, volume);
    expect(sorter.share('n/y')).to.equal(0.3);
    sorter.unallocated('n/y', s1, volume);
    expect(sorter.sort()).to.deep.equal(['n/y', 'b', 'a', 'z']);
    // It goes along when the client becomes a branch, and back.
    addActive(sorter, 'b/x');
    sorter.allocated('b/x', s1, volume);
    expect(sorter.share('b')).to.equal(0.3);
    sorter.remove('b/x');
    sorter.unallocated('b', s1, volume);
    expect(sorter.share('b')).to.equal(0.2);
  });

  it('ALLOC-03 leaves excluded names out of shares', () => {
    const { sorter } = sorterOver('cpus:10;gpus:2', ['gpus']);
    addActive(sorter, 'a', 'b');
    sorter.allocated('a', s1, r('gpus:2'));
    sorter.allocated('b', s1, r('cpus:1'));
    expect(sorter.share('a')).to.equal(0);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
  });

  it('does not change an order that it has given out', () => {
    const { sorter } = sorterOver('cpus:10');
    addActive(sorter, 'a', 'b', 'c');
    const first = sorter.sort();
    const seen: string[] = [];
    for (const client of first) {
      seen.push(client);
      sorter.allocated(client, s1, r(`cpus:${4 - seen.length}`));
      if (client === 'a') expect(sorter.sort()).to.deep.equal(['b', 'c', 'a']);
    }
    expect(seen).to.deep.equal(['a', 'b', 'c']);
    expect(sorter.sort()).to.deep.equal(['c', 'b', 'a']);
    const second = sorter.sort();
    sorter.remove('b');
    sorter.deactivate('a');
    expect(second).to.deep.equal(['c', 'b', 'a']);
    expect(sorter.sort()).to.deep.equal(['c']);
  });

  it('finds the order of many when all have changed places', () => {
    const { sorter, totals } = sorterOver('cpus:1000;mem:1');
    const clients = Array.from({ length: 200 }, (_, i) => `c${i}`);
    clients.forEach((client, i) => {
      addActive(sorter, client);
      sorter.allocated(client, s1, r(`cpus:${i + 1};mem:${200 - i}`));
    });
    expect(sorter.sort()).to.deep.equal(clients.toReversed());
    // Memory, of which the first have most, is scarce no more.
    totals.add(r('mem:1000000'));
    expect(sorter.sort()).to.deep.equal(clients);
    totals.subtract(r('mem:1000000'));
    expect(sorter.sort()).to.deep.equal(clients.toReversed());
  });

  it('says nothing of, and does nothing for, unknown clients', () => {
    const { sorter } = sorterOver('cpus:10');
    addWithCpus(sorter, { 'a/b': 1 });
    for (const client of ['x', 'a', 'a/b/c', 'a/.', '']) {
      sorter.activate(client);
      sorter.allocated(client, s1, r('cpus:1'));
      sorter.unallocated(client, s1, r('cpus:1'));
      sorter.deactivate(client);
      sorter.remove(client);
      expect(sorter.has(client)).to.equal(false);
      expect(sorter.share(client)).to.equal(0);
    }
    expect(sorter.sort()).to.deep.equal(['a/b']);
    expect(sorter.share('a/b')).to.equal(0.1);
  });

  it('agrees with the definition after any sequence of changes', () => {
    const client = fc.constantFrom('a', 'a', 'a/x', 'a/x/p', 'a/y', 'b', 'b/x/y', 'c', 'd');
    const path = fc.oneof(client, fc.constantFrom('a/.', 'a/x/.', 'b/x'));
    const amount = fc.constantFrom(0, 0, 1, 1, 2, 3, 0.001, 0.1, 7);
    const held = fc.record({
      client,
      agent: fc.constantFrom('s1', 's2'),
      cpus: amount,
      mem: amount,
      volume: fc.option(fc.constantFrom('v', 'w'), { nil: undefined, freq: 2 }),
    });
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), client }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('activate' as const), client }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('deactivate' as const), client }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), client }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('weight' as const), path, weight: fc.constantFrom(0.5, 1, 2, 3) }),
      },
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('allocated' as const), held }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('unallocated' as const), at: fc.nat() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('updated' as const), at: fc.nat(), held }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('total' as const), cpus: amount, mem: amount }) },
    );
    const steps = fc.array(fc.record({ operation, isSorted: fc.boolean() }), { maxLength: 80, size: 'max' });
    const resourcesOf = ({ cpus, mem, volume }: Held): Resources =>
      r(`cpus:${cpus};mem:${mem}`).plus(volume === undefined ? Resources.empty : shared(volume));
    fc.assert(
      fc.property(steps, (list) => {
        const naive = new NaiveDrf();
        Object.assign(naive.total, { cpus: 20_000, mem: 20_000, disk: 30_000 });
        const { sorter, totals } = sorterOver('cpus:20;mem:20;disk:30');
        let given: Iterable<string> = [];
        let copy: readonly string[] = [];
        for (const { operation: step, isSorted } of list) {
          switch (step.kind) {
            case 'add':
              naive.add(step.client);
              sorter.add(step.client);
              break;
            case 'remove':
              naive.remove(step.client);
              sorter.remove(step.client);
              break;
            case 'activate':
            case 'deactivate':
              if (naive.clients.has(step.client)) naive.clients.set(step.client, step.kind === 'activate');
              sorter[step.kind](step.client);
              break;
            case 'weight':
              naive.weights.set(step.path, step.weight);
              sorter.updateWeight(step.path, step.weight);
              break;
            case 'allocated':
              if (naive.clients.has(step.held.client)) naive.allocated(inThousandths(step.held));
              sorter.allocated(step.held.client, AgentID(step.held.agent), resourcesOf(step.held));
              break;
            case 'unallocated':
            case 'updated': {
              const [old] = naive.held.splice(step.at % Math.max(1, naive.held.length), 1);
              if (old === undefined) break;
              const { client: owner, agent } = old;
              const before = resourcesOf(inUnits(old));
              if (step.kind === 'unallocated') sorter.unallocated(owner, AgentID(agent), before);
              else {
                naive.held.push(inThousandths({ ...step.held, client: owner, agent }));
                sorter.updated(owner, AgentID(agent), before, resourcesOf(step.held));
              }
              break;
            }
            case 'total':
              naive.total.cpus += 1000 * step.cpus;
              naive.total.mem += 1000 * step.mem;
              totals.add(r(`cpus:${step.cpus};mem:${step.mem}`));
              break;
          }
          if (!isSorted) continue;
          expect([...given]).to.deep.equal(copy);
          given = sorter.sort();
          copy = [...given];
          expect(copy).to.deep.equal(naive.sort());
          for (const path of naive.clients.keys()) expect(sorter.share(path)).to.equal(naive.share(path));
        }
        expect([...sorter.sort()]).to.deep.equal(naive.sort());
        // Nothing is left of what is taken back.
        for (const old of naive.held) sorter.unallocated(old.client, AgentID(old.agent), resourcesOf(inUnits(old)));
        for (const path of naive.clients.keys()) expect(sorter.share(path)).to.equal(0);
      }),
      { numRuns: 400 },
    );
  });
});

function inThousandths(held: Held): Held {
  return { ...held, cpus: Math.round(held.cpus * 1000), mem: Math.round(held.mem * 1000) };
}

function inUnits(held: Held): Held {
  return { ...held, cpus: held.cpus / 1000, mem: held.mem / 1000 };
}
