import { readable, table } from '../report.mjs';
import { side } from '../subprocess.mjs';

const agentCounts = [1000, 5000, 10_000];
const frameworkCounts = [1, 50, 200, 1000];
/** The smallest is there to see what grows with the agents. */
const small = [100, 50];
const sizes = [small, ...agentCounts.flatMap((agents) => frameworkCounts.map((frameworks) => [agents, frameworks]))];
const largest = Math.max(...agentCounts);
/** To make more filters than this takes minutes and gigabytes: once, and only where the case is named. */
const manyFilters = 3_000_000;

/**
 * At 10,000 agents, by the number of frameworks: what Mesos's own allocator took, built with -O2 and driven directly on
 * another machine with 2 cores, and what ours is to reach.
 */
const marks = {
  full: { 200: ['430', 400], 1000: ['850', 850] },
  busy: { 200: ['160', 50], 1000: ['590', 100] },
  filtered: { 200: ['6,600', 300], 1000: ['93,000', 1500] },
  'filtered.again': { 200: ['6,600', 300], 1000: ['93,000', 1500] },
  arrival: { 200: ['3,300', 1500], 1000: ['22,000', 6000] },
  revive: { 200: ['1,800', 500], 1000: ['10,000', 1500] },
  recover: { 200: ['21', 10], 1000: ['21', 10] },
  'recover.filter': { 200: ['21', 15], 1000: ['34', 15] },
};

/** Works whose time is to grow as the agents do, and no faster. */
const flat = ['arrival', 'full', 'busy', 'filtered', 'revive'];

const node = ['--max-old-space-size=12000'];

function cluster(work, [agents, frameworks], cases, { rounds, allocator = [] } = {}) {
  const size = `${agents}x${frameworks}`;
  return {
    ours: () => side('allocator.mjs', [work, String(agents), String(frameworks), ...allocator], { limit: 1200, node }),
    rounds: rounds ?? (agents * frameworks >= 1_000_000 ? 2 : 3),
    cases: cases.map(({ work: name, ...one }) => {
      const mark = agents === largest ? marks[name]?.[frameworks] : undefined;
      return {
        name: `allocator.${name}.${size}`,
        unit: 'ms',
        lowerIsBetter: true,
        size: { work: name, agents, frameworks },
        ...(mark === undefined
          ? { onlyGrowth: name in marks }
          : { quoted: mark[0], target: { of: 'ours', atMost: mark[1] } }),
        ...one,
      };
    }),
  };
}

const runs = [
  ...sizes.map((size) =>
    cluster('runs', size, [
      { work: 'arrival', figure: 'arrival' },
      { work: 'full', figure: 'full' },
      { work: 'busy', figure: 'busy' },
      { work: 'recover', figure: 'recover', unit: 'us each' },
      { work: 'recover.filter', figure: 'recoverFilter', unit: 'us each' },
    ]),
  ),
  ...sizes.map((size) => {
    const filters = size[0] * size[1];
    const onRequest = filters > manyFilters;
    const cases = [
      { work: 'filtered', figure: 'filtered', onRequest },
      { work: 'filtered.again', figure: 'again', onRequest },
      { work: 'revive', figure: 'revive', onRequest },
    ];
    return cluster('filtered', size, cases, { rounds: filters >= 1_000_000 ? 1 : 3 });
  }),
  ...[
    [1000, 200],
    [largest, 200],
    [largest, 1000],
  ].map((size) =>
    cluster('event', size, [
      { work: 'event', figure: 'event', target: { of: 'ours', atMost: 1 } },
      { work: 'event.p99', figure: 'eventP99' },
      { work: 'event.update', figure: 'eventUpdate', target: { of: 'ours', atMost: 1 } },
    ]),
  ),
  cluster(
    'update',
    [largest, 200],
    [
      { work: 'update.grow', figure: 'grow', unit: 'us each' },
      { work: 'update.shrink', figure: 'shrink', unit: 'us each' },
    ],
  ),
  cluster(
    'suppress',
    [largest, 200],
    [
      { work: 'suppress.0', figure: 'suppress0' },
      { work: 'suppress.50', figure: 'suppress50' },
      { work: 'suppress.99', figure: 'suppress99' },
    ],
  ),
  cluster(
    'volumes',
    [largest, 200],
    [
      { work: 'volumes.regular', figure: 'regular' },
      { work: 'volumes.shared', figure: 'shared' },
      { work: 'volumes.mixed', figure: 'mixed' },
    ],
  ),
  cluster(
    'labels',
    [largest, 200],
    [
      { work: 'labels.full', figure: 'full' },
      { work: 'labels.declined', figure: 'declined' },
    ],
  ),
  ...[200, 1000].map((frameworks) => cluster('metrics', [largest, frameworks], [{ work: 'metrics' }])),
  cluster('backlog', [largest, 200], [{ work: 'backlog', figure: 'backlog' }]),
  ...[[], ['HierarchicalRandom']].flatMap(withQuotas),
  mix('ask'),
  mix('suppress'),
  ...[
    [1, 1],
    [10, 10],
    [100, 10],
  ].flatMap((size) => [convert(size, 1), convert(size, 100)]),
  memory('agents', [largest, 200], 'memory.agent', { quoted: '125,000', target: { of: 'ours', atMost: 10_000 } }),
  memory('agents', [largest, 1000], 'memory.agent', { quoted: '582,000', target: { of: 'ours', atMost: 15_000 } }),
  memory('filters', [largest, 100], 'memory.filter', { quoted: '3,000', target: { of: 'ours', atMost: 200 } }),
  memory('sparse', [largest, 1000], 'memory.filter.sparse'),
  stall('here', [largest, 200]),
  stall('worker', [largest, 200]),
];

/** Small and large quotas, or roles, instead of agents and frameworks in the names. */
function withQuotas(allocator) {
  const kind = allocator.length === 0 ? '' : '.random';
  return [
    ...[
      [25, 5],
      [250, 50],
      [2500, 500],
    ].map(([small, large]) => {
      const isLong = small === 2500;
      const cases = [{ work: `quota${kind}`, onRequest: isLong && kind !== '' }];
      return cluster('quota', [small, large], cases, { rounds: isLong ? 1 : 3, allocator });
    }),
    ...[10, 100, 1000].map((roles) =>
      cluster(
        'nonquota',
        [roles, 2],
        [
          { work: `nonquota${kind}.without`, figure: 'without' },
          { work: `nonquota${kind}.with`, figure: 'with' },
        ],
        { allocator },
      ),
    ),
  ];
}

/** Frameworks with many small, few, and larger tasks, until nothing more is launched. */
function mix(kind) {
  return {
    ours: () => side('allocator-mix.mjs', [kind]),
    rounds: 3,
    cases: [
      { figure: 'round', unit: 'ms' },
      { figure: 'slowest', unit: 'ms' },
      { figure: 'total', unit: 'ms' },
      { figure: 'rounds', unit: 'runs' },
      { figure: 'launched', unit: 'tasks', lowerIsBetter: false },
      { figure: 'cpus', unit: '% used', lowerIsBetter: false },
      { figure: 'mem', unit: '% used', lowerIsBetter: false },
    ].map((one) => ({ name: `allocator.mix.${kind}.${one.figure}.80x554`, lowerIsBetter: true, ...one })),
  };
}

/** Operations on an agent with four resources for each reservation of each role, the ports in so many ranges. */
function convert([reservations, roles], ranges) {
  return {
    ours: () => side('allocator-convert.mjs', [reservations, roles, ranges].map(String)),
    rounds: 3,
    cases: [
      {
        name: `allocator.convert.${ranges === 1 ? '' : 'ranges.'}${reservations}x${roles}`,
        unit: 'us each',
        lowerIsBetter: true,
      },
    ],
  };
}

function memory(work, [agents, frameworks], name, more) {
  return {
    ours: () => side('allocator-memory.mjs', [work, String(agents), String(frameworks)], { limit: 600, node }),
    rounds: 2,
    cases: [{ name: `allocator.${name}.${agents}x${frameworks}`, unit: 'bytes', lowerIsBetter: true, ...more }],
  };
}

/** The longest gap of a timer in the master's loop, with the allocator in the same thread or in a worker. */
function stall(place, [agents, frameworks]) {
  const size = `${agents}x${frameworks}`;
  const target = { of: 'ours', atMost: 50 };
  return {
    ours: () => side('allocator-stall.mjs', [place, String(agents), String(frameworks)], { limit: 600, node }),
    rounds: 1,
    cases: [
      { name: `allocator.stall.full.${place}.${size}`, figure: 'full', target },
      { name: `allocator.stall.full.${place}.run.${size}`, figure: 'fullRun' },
      { name: `allocator.stall.filtered.${place}.${size}`, figure: 'filtered', target },
      { name: `allocator.stall.filtered.${place}.run.${size}`, figure: 'filteredRun' },
    ].map((one) => ({ ...one, unit: 'ms', lowerIsBetter: true })),
  };
}

/** The shipping allocator in a runtime, driven by messages as a master drives it. */
export const allocator = {
  name: 'allocator',
  runs,
  /** What an agent costs among 10,000, beside one among 100. */
  derive(results) {
    return flat.flatMap((work) => {
      const [few, many] = [small[0], largest].map((agents) => costOf(results, work, agents, small[1]));
      if (few === undefined || many === undefined) return [];
      const target = { of: 'ours', atMost: 2 };
      return [
        {
          name: `allocator.flat.${work}`,
          ours: Number((many / few).toPrecision(3)),
          unit: 'x',
          lowerIsBetter: true,
          target,
        },
      ];
    });
  },
  growth(results, markdown) {
    const works = Object.keys(marks);
    const rows = works.flatMap((work) => [small[0], ...agentCounts].map((agents) => ({ work, agents })));
    const cell = (frameworks) => (row) => {
      const figure = figureOf(results, row.work, row.agents, frameworks);
      if (figure !== undefined) return readable(figure, 3);
      return isOnRequest(row.work, row.agents, frameworks) ? 'by name only' : '';
    };
    const known = rows.filter(({ work, agents }) =>
      frameworkCounts.some((count) => figureOf(results, work, agents, count) !== undefined),
    );
    if (known.length === 0) return undefined;
    const name = ({ work }) => (markdown ? `\`${work}\`` : work);
    return table(
      [
        ['growth', name],
        ['unit', ({ work }) => (work.startsWith('recover') ? 'us each' : 'ms')],
        ['agents', ({ agents }) => readable(agents)],
        ...frameworkCounts.map((count) => [`${readable(count)} framework${count === 1 ? '' : 's'}`, cell(count)]),
        [
          'us per agent (50)',
          ({ work, agents }) => {
            const cost = work.startsWith('recover') ? undefined : costOf(results, work, agents, 50);
            return cost === undefined ? '' : readable(cost, 3);
          },
        ],
      ],
      known,
      markdown,
    );
  },
};

function isOnRequest(work, agents, frameworks) {
  const wanted = `allocator.${work}.${agents}x${frameworks}`;
  return runs.some(({ cases }) => cases.some(({ name, onRequest }) => name === wanted && onRequest === true));
}

function figureOf(results, work, agents, frameworks) {
  return results.find(({ name }) => name === `allocator.${work}.${agents}x${frameworks}`)?.ours;
}

/** Microseconds for each agent. */
function costOf(results, work, agents, frameworks) {
  const figure = figureOf(results, work, agents, frameworks);
  return figure === undefined ? undefined : (figure * 1000) / agents;
}
