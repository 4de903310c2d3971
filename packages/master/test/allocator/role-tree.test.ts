import { AgentID, FrameworkID, ResourceLimits, ResourceQuantities, Resources } from '@mezzo/protocol';
import { expect } from 'chai';
import fc from 'fast-check';

import { AllocatorFramework } from '../../src/allocator/allocator-framework.ts';
import { Client } from '../../src/allocator/client.ts';
import { noQuota, RoleTree } from '../../src/allocator/role-tree.ts';

const paths = (tree: RoleTree): string[] => [...tree.nodes].map(({ path }) => path).sort();
const agent = AgentID('agent');

describe('RoleTree', () => {
  it('SORT-16 keeps only roles that mean something, and those above them', () => {
    const tree = new RoleTree();
    const quota = { guarantees: ResourceQuantities.parse('cpus:1'), limits: ResourceLimits.empty };
    tree.ensure('a/b/c').weight = 2;
    tree.ensure('a/d').quota = quota;
    expect(paths(tree)).to.deep.equal(['a', 'a/b', 'a/b/c', 'a/d']);

    const c = tree.ensure('a/b/c');
    c.weight = 1;
    tree.prune(c);
    expect(paths(tree)).to.deep.equal(['a', 'a/d']);

    // A role that others lie below stays, whatever becomes of it.
    const a = tree.ensure('a');
    tree.prune(a);
    expect(paths(tree)).to.deep.equal(['a', 'a/d']);

    const d = tree.ensure('a/d');
    d.quota = noQuota;
    tree.prune(d);
    expect(paths(tree)).to.deep.equal([]);
    expect(tree.root.children.size).to.equal(0);
  });

  it('SORT-16 has a role while a framework is in it, whatever else it meant', () => {
    const tree = new RoleTree();
    const role = tree.ensure('eng/web');
    const framework = new AllocatorFramework(FrameworkID('framework'));
    role.clients.set(framework.id, new Client(framework, role, 0, 1));
    const reserved = Resources.parse('cpus(eng/web):2');
    tree.setQuota('eng/web', ResourceQuantities.parse('cpus:1'), ResourceLimits.empty);
    tree.addReservations(reserved);
    tree.setQuota('eng/web', ResourceQuantities.empty, ResourceLimits.empty);
    expect(paths(tree)).to.deep.equal(['eng', 'eng/web']);
    tree.removeReservations(reserved);
    expect(paths(tree)).to.deep.equal(['eng', 'eng/web']);
    expect(tree.get('eng/web')).to.equal(role);
    role.clients.clear();
    tree.prune(role);
    expect(paths(tree)).to.deep.equal([]);
  });

  it('SORT-16 has a role while something is reserved to it', () => {
    const tree = new RoleTree();
    const total = Resources.parse('cpus(eng/web):2;cpus(eng):1;ports(ops):[1-5];mem:100');
    tree.addReservations(total);
    expect(paths(tree)).to.deep.equal(['eng', 'eng/web']);
    expect(String(tree.get('eng')?.reservations)).to.equal('cpus:3');
    expect(String(tree.get('eng/web')?.reservations)).to.equal('cpus:2');
    expect(String(tree.root.reservations)).to.equal('cpus:3');
    tree.removeReservations(total);
    expect(paths(tree)).to.deep.equal([]);
  });

  it('counts what is held in a role for all roles above it, apart by what quota counts', () => {
    const tree = new RoleTree();
    const role = tree.ensure('eng/web');
    const resources = Resources.parse('cpus:2;mem(eng):512').allocate('eng/web');
    tree.hold(role, agent, resources);
    tree.use(role, agent, Resources.parse('cpus:1').allocate('eng/web'));
    for (const node of [role, tree.ensure('eng'), tree.root]) {
      expect(String(node.heldUnreserved.quantities)).to.equal('cpus:2');
      expect(String(node.heldReserved.quantities)).to.equal('mem:512');
      expect(String(node.consumed)).to.equal('cpus:1');
    }
    tree.release(role, agent, resources);
    tree.disuse(role, agent, Resources.parse('cpus:1').allocate('eng/web'));
    expect(tree.root.heldUnreserved.quantities.isEmpty).to.equal(true);
    expect(tree.root.heldReserved.quantities.isEmpty).to.equal(true);
    expect(tree.root.usedUnreserved.quantities.isEmpty).to.equal(true);
  });

  it('ends with nothing when everything has been taken back', () => {
    const role = fc.constantFrom('a', 'a/b', 'a/b/c', 'd', 'd/e');
    const total = fc
      .record({ role, cpus: fc.integer({ min: 1, max: 9 }) })
      .map((one) => Resources.parse(`cpus(${one.role}):${one.cpus}`));
    fc.assert(
      fc.property(fc.array(total, { maxLength: 12 }), fc.array(role), (totals, weighted) => {
        const tree = new RoleTree();
        for (const path of weighted) tree.ensure(path).weight = 3;
        for (const one of totals) tree.addReservations(one);
        for (const one of totals.toReversed()) tree.removeReservations(one);
        for (const path of weighted) {
          const node = tree.ensure(path);
          node.weight = 1;
          tree.prune(node);
        }
        expect(paths(tree)).to.deep.equal([]);
        expect(tree.root.reservations.isEmpty).to.equal(true);
      }),
    );
  });
});
