import { expect } from 'chai';
import { s1, s2, r, sorterOver, addActive, addWithCpus } from './drf-cluster.ts';

describe('the DRF sorter, of nested clients', () => {
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
});
