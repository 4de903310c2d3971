import { expect } from 'chai';
import { Resources } from '@mezzo/protocol';
import { s1, s2, r, shared, sorterOver, addActive, addWithCpus } from './drf-cluster.ts';

describe('the DRF sorter, of what clients hold', () => {
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

  it('a shared resource counts once for a branch, in however many of its roles it is held', () => {
    const { sorter } = sorterOver('cpus:100;disk:100');
    addActive(sorter, 'a/x', 'a/y', 'b');
    for (const role of ['a/x', 'a/y']) sorter.allocated(role, s1, shared('v').allocate(role));
    sorter.allocated('b', s1, r('disk:15').allocate('b'));
    expect(sorter.sort()).to.deep.equal(['a/x', 'a/y', 'b']);
    for (const role of ['a/x', 'a/y']) sorter.unallocated(role, s1, shared('v').allocate(role));
    expect(sorter.share('a/x')).to.equal(0);
  });

  it('ALLOC-03 leaves excluded names out of shares', () => {
    const { sorter } = sorterOver('cpus:10;gpus:2', ['gpus']);
    addActive(sorter, 'a', 'b');
    sorter.allocated('a', s1, r('gpus:2'));
    sorter.allocated('b', s1, r('cpus:1'));
    expect(sorter.share('a')).to.equal(0);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
  });
});
