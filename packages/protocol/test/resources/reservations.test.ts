import { expect } from 'chai';
import { type Reservation, reservationAncestor, ResourceConversionError, Resources } from '../../src/index.ts';

const parse = Resources.parse;
const text = (resources: Resources | undefined) => resources?.toString();
const of = (...reservations: string[]) => `cpus(reservations: [${reservations.join(', ')}])`;

describe('resources: reservations', () => {
  it('RES-10 statically reserved amounts are added and subtracted only where the whole stack is the same', () => {
    const both = parse('cpus:1;cpus(ads):2;cpus(ads/x):4');
    expect(text(both.plus(parse('cpus(ads):1')))).to.equal('cpus:1;cpus(ads):3;cpus(ads/x):4');
    expect(text(both.minus(parse('cpus(ads):5')))).to.equal('cpus:1;cpus(ads/x):4');
    expect(both.contains(parse('cpus:2'))).to.equal(false);
    expect(both.contains(parse('cpus(ads):3'))).to.equal(false);
    expect(both.equals(parse('cpus:3;cpus(ads/x):4'))).to.equal(false);
    const refined = parse(`${of('(STATIC,ads)', '(DYNAMIC,ads/x)')}:8`);
    expect(text(both.plus(refined).minus(parse('cpus(ads):5;cpus(ads/x):5')))).to.equal(`cpus:1;${String(refined)}`);
    expect(both.plus(refined).contains(parse('cpus(ads/x):5'))).to.equal(false);
    expect(text(refined.plus(refined))).to.equal(String(refined).replace(':8', ':16'));
    expect(refined.contains(parse(`${of('(STATIC,ads)', '(DYNAMIC,ads/y)')}:8`))).to.equal(false);
  });

  it('RES-11 type, principal and labels of a dynamic reservation are part of its identity', () => {
    const kinds = ['(STATIC,ads)', '(DYNAMIC,ads)', '(DYNAMIC,ads,ops)', '(DYNAMIC,ads,ops2)', '(DYNAMIC,ads,{k: v})'];
    kinds.push('(DYNAMIC,ads,{k})', '(DYNAMIC,ads,{k: w})', '(DYNAMIC,ads,{k: v, l: w})', '(DYNAMIC,ads,ops,{k: v})');
    const all = Resources.sum(kinds.map((kind) => parse(`${of(kind)}:2`)));
    expect(all.entries).to.have.length(kinds.length);
    for (const kind of kinds) {
      const one = parse(`${of(kind)}:1`);
      expect(all.contains(one.plus(one))).to.equal(true);
      expect(all.contains(one.plus(one).plus(one))).to.equal(false);
      expect(all.minus(one).plus(one).equals(all)).to.equal(true);
      expect(all.minus(one).contains(one)).to.equal(true);
      expect(all.minus(one).contains(one.plus(one))).to.equal(false);
    }
    const labels = parse(`${of('(DYNAMIC,ads,{k: v, l: w})')}:1`);
    expect(labels.equals(parse(`${of('(DYNAMIC,ads,{l: w, k: v})')}:1`))).to.equal(true);
    expect(text(all.reserved('ads'))).to.equal(text(all));
  });

  it('RES-12 toUnreserved merges all roles', () => {
    const sample = parse('cpus:1;cpus(ads):2.5;mem(eng):64;ports:[1-5];ports(ads):[6-9];zones:{a};zones(ads):{b}');
    expect(text(sample.toUnreserved())).to.equal('cpus:3.5;mem:64;ports:[1-9];zones:{a,b}');
    const dynamic = parse(`${of('(STATIC,ads)', '(DYNAMIC,ads/x,ops,{k: v})')}:1;cpus(allocated: ads)(ads):2;cpus:4`);
    expect(text(dynamic.toUnreserved())).to.equal('cpus:5;cpus(allocated: ads):2');
    const plain = parse('cpus:1');
    expect(plain.toUnreserved()).to.equal(plain);
    expect(text(sample.toUnreserved().pushReservation({ type: 'STATIC', role: 'x' }))).to.equal(
      'cpus(x):3.5;mem(x):64;ports(x):[1-9];zones(x):{a,b}',
    );
  });

  it('RES-13 find prefers the role of the target, then what is unreserved, then others, and keeps the reservations', () => {
    const find = (from: string, target: string) => text(parse(from).find(parse(target)));
    expect(find('cpus(ads):2;cpus:2;cpus(eng):2', 'cpus(ads):1')).to.equal('cpus(ads):1');
    expect(find('cpus:2;cpus(ads):2', 'cpus(ads):1')).to.equal('cpus(ads):1');
    expect(find('cpus(eng):2;cpus(ads):2;cpus:2', 'cpus(ads):3')).to.equal('cpus(ads):2;cpus:1');
    expect(find('cpus(eng):2;cpus(ads):2;cpus:2', 'cpus(ads):5')).to.equal('cpus(ads):2;cpus:2;cpus(eng):1');
    expect(find('cpus(eng):2;cpus:2', 'cpus:1')).to.equal('cpus:1');
    expect(find('cpus(eng):2', 'cpus:1')).to.equal('cpus(eng):1');
    expect(find('cpus(eng):2;cpus:2', 'cpus:5')).to.equal(undefined);
    expect(find('cpus(eng):2;cpus:2', 'gpus:1')).to.equal(undefined);
    // One smaller entry per step, as Mesos does it.
    expect(find('cpus(a):1;cpus(b):1;cpus(c):1', 'cpus:3')).to.equal(undefined);
    expect(find('ports(eng):[1-5];ports:[10-15]', 'ports:[2-3]')).to.equal('ports(eng):[2-3]');
    expect(find('zones(eng):{a,b};zones:{c}', 'zones:{b,c}')).to.equal('zones:{c};zones(eng):{b}');
    expect(find('cpus:2;mem(eng):5', 'mem:3;cpus:1')).to.equal('mem(eng):3;cpus:1');
    expect(find('cpus:2', 'mem:3;cpus:1')).to.equal(undefined);
    expect(find('cpus:1', 'cpus(a):1;cpus(b):1')).to.equal(undefined);
    expect(find(`${of('(STATIC,eng)', '(DYNAMIC,eng/x,ops)')}:2;cpus(eng):2`, 'cpus(eng/x):1')).to.equal(
      `${of('(STATIC,eng)', '(DYNAMIC,eng/x,ops)')}:1`,
    );
    expect(find('cpus{REV}:2', 'cpus:1')).to.equal(undefined);
    expect(find('disk(ads)[MOUNT:/a]:5', 'disk[MOUNT:/a]:4')).to.equal(undefined);
    expect(find('disk(ads)[MOUNT:/a]:5', 'disk[MOUNT:/a]:5')).to.equal('disk(ads)[MOUNT:/a]:5');
  });

  it('RES-24 the ancestor of two stacks of reservations is what they begin with in common', () => {
    const a: Reservation = { type: 'STATIC', role: 'a' };
    const ab: Reservation = { type: 'DYNAMIC', role: 'a/b', labels: [{ key: 'k' }, { key: 'l' }] };
    const abc: Reservation = { type: 'DYNAMIC', role: 'a/b/c' };
    expect(reservationAncestor([a, ab, abc], [a, ab])).to.deep.equal([a, ab]);
    expect(reservationAncestor([a, ab], [a, { ...ab, labels: ab.labels?.toReversed() }, abc])).to.deep.equal([a, ab]);
    expect(reservationAncestor([a, ab], [a, { ...ab, principal: 'p' }])).to.deep.equal([a]);
    expect(reservationAncestor([a, ab], [a, abc])).to.deep.equal([a]);
    expect(reservationAncestor([a], [{ ...a, type: 'DYNAMIC' }])).to.deep.equal([]);
    // Equal further down, but not from the beginning.
    expect(reservationAncestor([a, ab], [{ ...a, role: 'x' }, ab])).to.deep.equal([]);
    expect(reservationAncestor([a], [])).to.deep.equal([]);
    expect(reservationAncestor([], [a])).to.deep.equal([]);
  });

  it('RES-26 allocations are apart, and are grouped by role', () => {
    const a = parse('cpus:1').allocate('a');
    const b = parse('cpus:2;mem:3').allocate('b');
    const both = a.plus(b).plus(parse('cpus:9'));
    expect(both.contains(parse('cpus:10'))).to.equal(false);
    expect(both.minus(parse('cpus:9')).equals(a.plus(b))).to.equal(true);
    expect([...both.allocations()].map(([role, resources]) => [role, text(resources)])).to.deep.equal([
      ['a', 'cpus(allocated: a):1'],
      ['b', 'cpus(allocated: b):2;mem(allocated: b):3'],
    ]);
    expect(a.allocations().get('a')).to.equal(a);
    expect(parse('cpus:1').allocations().size).to.equal(0);
    expect(text(both.unallocate())).to.equal('cpus:12;mem:3');
    expect(text(both.allocate('c'))).to.equal('cpus(allocated: c):12;mem(allocated: c):3');
    expect(a.allocate('a')).to.equal(a);
    expect(parse('cpus:1').unallocate().allocate('a').equals(a)).to.equal(true);
    const volume = parse('cpus(allocated: a)(ads){REV}:1;disk(ads)[v:p:rw]<SHARED>:5');
    expect(text(volume.allocate('b'))).to.equal(
      'cpus(allocated: b)(ads){REV}:1;disk(allocated: b)(ads)[v:p:rw]<SHARED>:5',
    );
    expect(text(volume.allocate('b').unallocate())).to.equal('cpus(ads){REV}:1;disk(ads)[v:p:rw]<SHARED>:5');
  });

  it('selects by reservation, and is itself where nothing is left out', () => {
    const tree = parse(
      `cpus:1;cpus(eng):2;cpus(eng/web):4;cpus(ads):8;cpus(en):1;${of('(STATIC,eng)', '(DYNAMIC,eng/web)')}:16`,
    );
    const refined = `${of('(STATIC,eng)', '(DYNAMIC,eng/web)')}:16`;
    expect(text(tree.unreserved())).to.equal('cpus:1');
    expect(text(tree.reserved())).to.equal(`cpus(eng):2;cpus(eng/web):4;cpus(ads):8;cpus(en):1;${refined}`);
    expect(text(tree.reserved('eng'))).to.equal('cpus(eng):2');
    expect(text(tree.reserved('eng/web'))).to.equal(`cpus(eng/web):4;${refined}`);
    expect(tree.reserved('*')).to.equal(Resources.empty);
    expect(text(tree.allocatableTo('eng/web'))).to.equal(`cpus:1;cpus(eng):2;cpus(eng/web):4;${refined}`);
    expect(text(tree.allocatableTo('eng'))).to.equal('cpus:1;cpus(eng):2');
    expect(text(tree.allocatableTo('en'))).to.equal('cpus:1;cpus(en):1');
    const plain = parse('cpus:1;mem:2');
    expect(plain.allocatableTo('x')).to.equal(plain);
    expect(plain.unreserved()).to.equal(plain);
    const own = parse('cpus:1;cpus(eng):2');
    expect(own.allocatableTo('eng/web')).to.equal(own);
    expect([plain.hasReservations, own.hasReservations, tree.hasReservations]).to.deep.equal([false, true, true]);
    expect([own.hasRefinedReservations, tree.hasRefinedReservations]).to.deep.equal([false, true]);
  });

  it('pushes and pops reservations', () => {
    const pushed = parse('cpus:1;mem(allocated: eng):2').pushReservation({ type: 'DYNAMIC', role: 'eng' });
    const refined = pushed.pushReservation({ type: 'DYNAMIC', role: 'eng/web', principal: 'ops' });
    expect(text(refined)).to.equal(
      'cpus(reservations: [(DYNAMIC,eng), (DYNAMIC,eng/web,ops)]):1;mem(allocated: eng)(reservations: [(DYNAMIC,eng), (DYNAMIC,eng/web,ops)]):2',
    );
    expect(refined.popReservation().equals(pushed)).to.equal(true);
    expect(text(pushed.popReservation())).to.equal('cpus:1;mem(allocated: eng):2');
    expect(text(parse('cpus(a):1;cpus(b):2').popReservation())).to.equal('cpus:3');
    expect(() => parse('cpus(a):1;mem:2').popReservation()).to.throw(
      ResourceConversionError,
      /mem: it is not reserved/,
    );
    expect(() => pushed.pushReservation({ type: 'STATIC', role: 'eng/x' })).to.throw(
      ResourceConversionError,
      /DYNAMIC/,
    );
    expect(() => pushed.pushReservation({ type: 'DYNAMIC', role: 'x' })).to.throw(ResourceConversionError, /subrole/);
    expect(() => parse('cpus:1').pushReservation({ type: 'DYNAMIC', role: '*' })).to.throw(ResourceConversionError);
  });

  it('knows equal metadata however many strangers there were in between', () => {
    const reserved = (principal: string) => parse(`cpus(reservations: [(DYNAMIC,ads,${principal})]):1`);
    const [first, given] = [reserved('p'), parse('cpus:1').allocate('r')];
    for (let i = 0; i < 17_000; i += 1) {
      reserved(`stranger-${i}`);
      parse('cpus:1').allocate(`stranger-${i}`);
    }
    expect(text(first.plus(reserved('p')))).to.equal('cpus(reservations: [(DYNAMIC,ads,p)]):2');
    expect(first.contains(reserved('p'))).to.equal(true);
    expect(first.equals(reserved('p'))).to.equal(true);
    expect(first.minus(reserved('p'))).to.equal(Resources.empty);
    expect(text(given.plus(parse('cpus:1').allocate('r')))).to.equal('cpus(allocated: r):2');
    expect(text(given.unallocate().plus(parse('cpus:1')))).to.equal('cpus:2');
  });
});
