import { expect } from 'chai';
import { s1, r, sorterOver, addActive, addWithCpus } from './drf-cluster.ts';

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
});
