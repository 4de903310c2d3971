import { expect } from 'chai';
import { AgentID, Resources } from '@mezzo/protocol';
import { ClusterTotals, DrfSorter } from '@mezzo/master';

const agent = AgentID('a');
const r = (text: string): Resources => Resources.parse(text);

function sorterOver(total: string, excluded: readonly string[] = []): { sorter: DrfSorter; totals: ClusterTotals } {
  const totals = new ClusterTotals();
  totals.set(agent, r(total));
  return { totals, sorter: new DrfSorter(totals, new Set(excluded)) };
}

function with_(sorter: DrfSorter, ...clients: string[]): void {
  for (const client of clients) {
    sorter.add(client);
    sorter.activate(client);
  }
}

describe('the DRF sorter', () => {
  it('SORT-01 orders by dominant share, and anew when the cluster or what is held changes', () => {
    const { sorter, totals } = sorterOver('cpus:100;mem:100');
    with_(sorter, 'a', 'b');
    sorter.allocated('a', agent, r('cpus:5;mem:5'));
    sorter.allocated('b', agent, r('cpus:6;mem:6'));
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    with_(sorter, 'c');
    sorter.allocated('c', agent, r('cpus:1'));
    with_(sorter, 'd');
    sorter.allocated('d', agent, r('cpus:3;mem:1'));
    expect(sorter.sort()).to.deep.equal(['c', 'd', 'a', 'b']);
    sorter.remove('a');
    sorter.allocated('b', agent, r('cpus:1'));
    with_(sorter, 'e');
    sorter.allocated('e', agent, r('cpus:1;mem:1'));
    expect(sorter.sort()).to.deep.equal(['c', 'e', 'd', 'b']);
    sorter.unallocated('b', agent, r('cpus:7;mem:6'));
    expect(sorter.sort()).to.deep.equal(['b', 'c', 'e', 'd']);
    sorter.allocated('c', agent, r('mem:4'));
    sorter.allocated('d', agent, r('cpus:1'));
    // c: 4 of 100 mem, d: 4 of 100 cpus; twice the memory makes c the smaller.
    totals.set(AgentID('b'), r('mem:100'));
    expect(sorter.sort()).to.deep.equal(['b', 'e', 'c', 'd']);
    totals.remove(AgentID('b'));
    expect(sorter.share('c')).to.equal(0.04);
  });

  it('SORT-02 divides shares by weights, also those given before the client came', () => {
    const { sorter } = sorterOver('cpus:100');
    sorter.updateWeight('b', 2);
    with_(sorter, 'a', 'b');
    sorter.allocated('a', agent, r('cpus:5'));
    sorter.allocated('b', agent, r('cpus:8'));
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.updateWeight('a', 4);
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    expect(sorter.share('b')).to.equal(0.04);
  });

  it('SORT-03 among equal shares serves who was served less often, then by name', () => {
    const { sorter } = sorterOver('cpus:100');
    with_(sorter, 'b', 'a');
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
    sorter.allocated('a', agent, r('cpus:1'));
    sorter.unallocated('a', agent, r('cpus:1'));
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
  });

  it('SORT-09 sums what is held under several metadata', () => {
    const { sorter } = sorterOver('cpus:100;mem:100');
    with_(sorter, 'a', 'b');
    sorter.allocated('a', agent, r('cpus:3;cpus(x):3'));
    sorter.allocated('b', agent, r('cpus:5'));
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
  });

  it('SORT-11 lists no inactive client but keeps what it holds', () => {
    const { sorter } = sorterOver('cpus:10');
    sorter.add('a');
    with_(sorter, 'b');
    sorter.allocated('a', agent, r('cpus:1'));
    expect(sorter.sort()).to.deep.equal(['b']);
    sorter.activate('a');
    expect(sorter.sort()).to.deep.equal(['b', 'a']);
    sorter.deactivate('a');
    expect(sorter.sort()).to.deep.equal(['b']);
    expect(sorter.share('a')).to.equal(0.1);
  });

  it('ALLOC-03 leaves excluded names out of shares', () => {
    const { sorter } = sorterOver('cpus:10;gpus:2', ['gpus']);
    with_(sorter, 'a', 'b');
    sorter.allocated('a', agent, r('gpus:2'));
    sorter.allocated('b', agent, r('cpus:1'));
    expect(sorter.sort()).to.deep.equal(['a', 'b']);
  });

  it('does not change a list that it has given out', () => {
    const { sorter } = sorterOver('cpus:10');
    with_(sorter, 'a', 'b', 'c');
    const before = sorter.sort();
    sorter.allocated('a', agent, r('cpus:1'));
    expect(before).to.deep.equal(['a', 'b', 'c']);
    expect(sorter.sort()).to.deep.equal(['b', 'c', 'a']);
    sorter.allocated('b', agent, r('cpus:2'));
    expect(sorter.sort()).to.deep.equal(['c', 'a', 'b']);
  });
});
