// node sorter.mjs WORK… prints the figures of one piece of work with a sorter.
import { ClusterTotals, DrfSorter, RandomSorter } from '../../packages/master/dist/allocator/index.js';
import { Resources } from '@mezzo/protocol';
import { nanoseconds, print } from '../measure.mjs';

const [work, ...given] = process.argv.slice(2);

const agentResources = Resources.parse('cpus:24;mem:98304;disk:1048576;ports:[31000-32000]');
const slice = Resources.parse('cpus:0.5;mem:1024;disk:2048');

/** The same numbers every time. */
const random = {
  state: 1,
  next() {
    this.state = (this.state * 48_271) % 2_147_483_647;
    return this.state / 2_147_483_647;
  },
};

function sorterOf(Sorter, agents) {
  const totals = new ClusterTotals();
  for (let agent = 0; agent < agents; agent++) totals.add(agentResources);
  return { totals, sorter: new Sorter({ totals, excluded: new Set(), random }) };
}

function addClients(sorter, paths) {
  for (const path of paths) {
    sorter.add(path);
    sorter.activate(path);
  }
}

const flat = (count) => Array.from({ length: count }, (_, index) => `client-${index}`);

/** The leaves of a tree of that height in which every branch has so many children. */
function leaves(height, branching) {
  let paths = ['root'];
  for (let level = 1; level < height; level++)
    paths = paths.flatMap((path) => Array.from({ length: branching }, (_, child) => `${path}/${child}`));
  return paths;
}

function first(order, count) {
  const read = [];
  for (const path of order) {
    read.push(path);
    if (read.length === count) break;
  }
  return read;
}

function timed(run) {
  const start = nanoseconds();
  run();
  return (nanoseconds() - start) / 1e6;
}

/** Milliseconds of one of many: once to warm up, then the best of three times so many. */
function each(count, run) {
  const measured = [];
  for (let time = 0; time < 4; time++) {
    const took = timed(() => {
      for (let index = 0; index < count; index++) run(index);
    });
    if (time > 0) measured.push(took / count);
  }
  return Math.min(...measured);
}

/** All are there once, and nobody comes after one that has a larger share. */
function check(sorter, paths, isFair = true) {
  const order = [...sorter.sort()];
  if (order.length !== paths.length || new Set(order).size !== paths.length)
    throw new Error(`${order.length} clients are listed, expected ${paths.length}`);
  if (!isFair) return;
  for (let index = 1; index < order.length; index++)
    if (sorter.share(order[index - 1]) > sorter.share(order[index]))
      throw new Error(`${order[index - 1]} is too early`);
}

const pick = (paths) => paths[Math.floor(random.next() * paths.length)];

const works = {
  /** One client is given something, or has something taken away, and then the first ten are asked for. */
  change(count) {
    const paths = flat(count);
    const { sorter } = sorterOf(DrfSorter, 10_000);
    addClients(sorter, paths);
    for (const path of paths)
      for (let times = random.next() * 20; times > 0; times--) sorter.allocated(path, 'agent', slice);
    const measured = each(2000, (index) => {
      const path = pick(paths);
      sorter.allocated(path, 'agent', slice);
      first(sorter.sort(), 10);
      if (index % 2 === 1) return;
      sorter.unallocated(path, 'agent', slice);
      first(sorter.sort(), 10);
    });
    check(sorter, paths);
    return { value: measured / 1.5 };
  },

  /** The cluster grows by an agent, and then the first ten are asked for: every share has changed. */
  totals(count) {
    const paths = flat(count);
    const { sorter, totals } = sorterOf(DrfSorter, 10_000);
    addClients(sorter, paths);
    for (const path of paths)
      for (let times = random.next() * 20; times > 0; times--) sorter.allocated(path, 'agent', slice);
    const value = each(1000, () => {
      totals.add(agentResources);
      first(sorter.sort(), 10);
    });
    check(sorter, paths);
    return { value };
  },

  /** All agents spread over the clients, the whole order, the same again, and everything taken back. */
  full(agents, clients) {
    return wholeLife(() => sorterOf(DrfSorter, agents), flat(clients), agents);
  },

  hierarchy(height, branching) {
    return wholeLife(() => sorterOf(DrfSorter, 10_000), leaves(height, branching), 10_000, false);
  },

  random(count) {
    const paths = flat(count);
    const { sorter } = sorterOf(RandomSorter, 10_000);
    addClients(sorter, paths);
    const some = each(500, () => first(sorter.sort(), 10));
    const all = each(20, () => [...sorter.sort()]);
    check(sorter, paths, false);
    return { some, all };
  },
};

function wholeLife(make, paths, agents, isFair = true) {
  const measured = [];
  for (let time = 0; time < 4; time++) {
    const { sorter } = make();
    const held = Array.from({ length: agents }, (_, agent) => [pick(paths), `agent-${agent}`]);
    measured.push({
      add: timed(() => addClients(sorter, paths)),
      allocate: timed(() => {
        for (const [path, agent] of held) sorter.allocated(path, agent, slice);
      }),
      full: timed(() => [...sorter.sort()]),
      again: timed(() => [...sorter.sort()]),
      unallocate: timed(() => {
        for (const [path, agent] of held.slice(0, agents / 2)) sorter.unallocated(path, agent, slice);
      }),
    });
    check(sorter, paths, isFair);
    Object.assign(measured.at(-1), {
      remove: timed(() => {
        for (const path of paths) sorter.remove(path);
      }),
    });
    if ([...sorter.sort()].length > 0) throw new Error('clients are left');
  }
  const warm = measured.slice(1);
  return Object.fromEntries(Object.keys(warm[0]).map((key) => [key, Math.min(...warm.map((one) => one[key]))]));
}

print(works[work](...given.map(Number)));
