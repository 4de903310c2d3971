// node resources.mjs WORK prints nanoseconds per operation on resources.
import { Resources } from '@mezzo/protocol';
import { nanoseconds, print } from '../measure.mjs';

const work = process.argv[2];

/** Nanoseconds of each of so many operations: once to warm up, then the best of five. */
function each(count, run) {
  const measured = [];
  for (let time = 0; time < 6; time++) {
    const start = nanoseconds();
    run(count);
    if (time > 0) measured.push((nanoseconds() - start) / count);
  }
  return Math.min(...measured);
}

function expect(isSo, what) {
  if (!isSo) throw new Error(`${work}: wrong result, ${what}`);
}

const scalars = Resources.parse('cpus:1;gpus:1;mem:128;disk:256');
/** So many ports, each a range of its own; odd ones fill the gaps between even ones. */
const ports = (count, odd = 0) =>
  Resources.parse(
    `ports:[${Array.from({ length: count }, (_, index) => 4 * index + 2 * odd)
      .map((port) => `${port}-${port}`)
      .join(',')}]`,
  );
const reserved = (count, amount = 1) =>
  Resources.of(
    Array.from({ length: count }, (_, index) => ({
      name: 'cpus',
      type: 'SCALAR',
      scalar: amount,
      reservations: [
        { type: 'DYNAMIC', role: `role-${index}`, principal: 'ops', labels: [{ key: 'of', value: `${index}` }] },
      ],
    })),
  );
const volumes = (count, more = {}) =>
  Resources.of(
    Array.from({ length: count }, (_, index) => ({
      name: 'disk',
      type: 'SCALAR',
      scalar: 64,
      reservations: [{ type: 'DYNAMIC', role: 'role', principal: 'ops' }],
      disk: { persistence: { id: `volume-${index}` } },
      ...more,
    })),
  );
const shared = volumes(1, { shared: true });

/** `a += r` and `a -= r` from nothing and back to it. */
function there(amount, count) {
  const sum = () => {
    let all = Resources.empty;
    for (let left = count; left > 0; left--) all = all.plus(amount);
    return all;
  };
  const whole = sum();
  return {
    add: each(count, sum),
    subtract: each(count, () => {
      let all = whole;
      for (let left = count; left > 0; left--) all = all.minus(amount);
      expect(all.isEmpty, `${String(all)} is left`);
    }),
  };
}

/** `a + r` and `a - r` without keeping the result. */
function pair(left, right, count) {
  const sum = left.plus(right);
  expect(sum.contains(left) && sum.contains(right) && sum.minus(right).equals(left), 'a + r - r is not a');
  return {
    add: each(count, () => {
      for (let time = count; time > 0; time--) left.plus(right);
    }),
    subtract: each(count, () => {
      for (let time = count; time > 0; time--) sum.minus(right);
    }),
  };
}

const agent = Resources.parse('cpus:24;mem:98304;disk:1048576;ports:[31000-32000]');
const mixed = scalars.plus(reserved(50)).plus(volumes(20)).plus(shared).plus(ports(10));

const containing = {
  'contains.scalars': [agent, Resources.parse('cpus:1;mem:1024'), true],
  'contains.same': [agent, Resources.parse(String(agent)), true],
  'contains.less': [Resources.parse('cpus:1'), agent, false],
  'contains.ranges.10': [ports(10), ports(10), true],
  'contains.ranges.1000': [ports(1000), Resources.parse(String(ports(1000))), true],
  'contains.ranges.1000.odd': [ports(1000), ports(1000, 1), false],
  'contains.reservations.10': [reserved(10, 2), reserved(10), true],
  'contains.reservations.100': [reserved(100, 2), reserved(100), true],
  'contains.volumes.100': [volumes(100), volumes(100), true],
};

const filters = {
  reserved: (all) => all.reserved(),
  reservedTo: (all) => all.reserved('role-7'),
  unreserved: (all) => all.unreserved(),
  revocable: (all) => all.revocable(),
  nonRevocable: (all) => all.nonRevocable(),
  shared: (all) => all.shared(),
  nonShared: (all) => all.nonShared(),
  persistentVolumes: (all) => all.persistentVolumes(),
  allocatableTo: (all) => all.allocatableTo('role-7'),
  scalarsOnly: (all) => all.scalarsOnly(),
};

const works = {
  scalars: () => ({ ...there(scalars, 50_000), ...prefixed('apart', pair(agent, scalars, 50_000)) }),
  shared: () => there(shared, 50_000),
  reservations: () => pair(reserved(100), reserved(100), 1000),
  volumes: () => pair(volumes(100), volumes(1, { disk: { persistence: { id: 'other' } } }), 1000),
  ranges: () => ({
    ...prefixed('10', pair(ports(10), ports(10, 1), 20_000)),
    ...prefixed('100', pair(ports(100), ports(100, 1), 2000)),
    ...prefixed('1000', pair(ports(1000), ports(1000, 1), 200)),
  }),
  contains: () =>
    Object.fromEntries(
      Object.entries(containing).map(([name, [left, right, isSo]]) => {
        expect(left.contains(right) === isSo, name);
        return [
          name,
          each(2000, (count) => {
            for (let time = count; time > 0; time--) left.contains(right);
          }),
        ];
      }),
    ),
  filters: () =>
    Object.fromEntries(
      Object.entries(filters).map(([name, filter]) => {
        expect(mixed.contains(filter(mixed)), name);
        return [
          name,
          each(5000, (count) => {
            for (let time = count; time > 0; time--) filter(mixed);
          }),
        ];
      }),
    ),
  allocate: () => {
    const allocated = agent.allocate('role');
    expect(allocated.unallocate().equals(agent), 'allocated and back');
    return {
      allocate: each(50_000, (count) => {
        for (let time = count; time > 0; time--) agent.allocate('role');
      }),
      unallocate: each(50_000, (count) => {
        for (let time = count; time > 0; time--) allocated.unallocate();
      }),
      // What comes with a message, and what goes into one.
      of: each(50_000, (count) => {
        const wire = [...allocated];
        for (let time = count; time > 0; time--) Resources.of(wire);
      }),
    };
  },
  parse: () => {
    const text = Array.from({ length: 100 }, (_, index) => `name${index}:${index + 1}`).join(';');
    expect(Resources.parse(text).names().length === 100, 'not 100 names');
    return {
      names: each(200, (count) => {
        for (let time = count; time > 0; time--) Resources.parse(text);
      }),
      agent: each(5000, (count) => {
        for (let time = count; time > 0; time--) Resources.parse('cpus:24;mem:98304;disk:1048576;ports:[31000-32000]');
      }),
    };
  },
};

function prefixed(prefix, figures) {
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [`${prefix}.${name}`, figure]));
}

print(works[work]());
