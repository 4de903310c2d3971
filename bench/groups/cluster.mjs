import { Broker } from '../broker.mjs';
import { side } from '../subprocess.mjs';

const broker = new Broker();
const node = ['--max-old-space-size=12000', '--max-semi-space-size=64'];
/** Tasks that run on each agent at the same time; with the most agents, one is all that two cores carry. */
const tasksAtWork = 2;
/** Agents that share a node, and with it a connection to the broker. */
const agentsPerNode = 100;
const tasksAtOnce = 10;

function run(
  work,
  [agents, frameworks, tasks, perNode = agentsPerNode],
  size,
  cases,
  { rounds = 1, onRequest = false } = {},
) {
  const name = `cluster.${work}.${size}`;
  return {
    ours: () =>
      side('cluster.mjs', [work, ...broker.next(), ...[agents, frameworks, tasks, perNode].map(String)], {
        limit: 1200,
        node,
      }),
    rounds,
    cases: cases.map(({ part, ...one }) => ({
      name: part === undefined ? name : `${name}.${part}`,
      ...(onRequest ? { onRequest: name } : {}),
      ...one,
    })),
  };
}

/** Tasks of 30 s wherever there is room, for minutes. */
function launch([agents, frameworks, tasks = tasksAtWork, perNode], more) {
  return run(
    'launch',
    [agents, frameworks, tasks, perNode],
    `${agents}x${frameworks}`,
    [
      { figure: 'p50', unit: 'ms', lowerIsBetter: true },
      { part: 'p99', figure: 'p99', unit: 'ms', lowerIsBetter: true, target: { of: 'ours', atMost: 1000 } },
      { part: 'longest', figure: 'longest', unit: 'ms', lowerIsBetter: true },
      { part: 'tasks', figure: 'tasks', unit: 'tasks/s' },
      { part: 'messages', figure: 'messages', unit: 'messages/s' },
      { part: 'load', figure: 'load', unit: '% of a core', lowerIsBetter: true },
      { part: 'cpu', figure: 'taskCpu', unit: 'us each', lowerIsBetter: true },
      { part: 'agent.register', figure: 'register', unit: 'ms', lowerIsBetter: true },
      { part: 'agent.register.cpu', figure: 'registerCpu', unit: 'us each', lowerIsBetter: true },
      { part: 'agent.cpu', figure: 'idleCpu', unit: 'us/s each', lowerIsBetter: true },
      { part: 'agent.busy', figure: 'agentCpu', unit: 'us/s each', lowerIsBetter: true },
      { part: 'agent.memory', figure: 'memory', unit: 'bytes each', lowerIsBetter: true },
    ],
    more,
  );
}

function throughput([agents, frameworks], more) {
  return run(
    'throughput',
    [agents, frameworks, tasksAtOnce],
    `${agents}x${agents * tasksAtOnce}`,
    [
      { figure: 'rate', unit: 'tasks/s', target: { of: 'ours', atLeast: 5000 } },
      { part: 'cpu', figure: 'cpu', unit: 'us each', lowerIsBetter: true },
      { part: 'memory', figure: 'memory', unit: 'bytes each', lowerIsBetter: true },
    ],
    more,
  );
}

function failover([agents, frameworks], more) {
  return run(
    'failover',
    [agents, frameworks, tasksAtOnce],
    `${agents}x${agents * tasksAtOnce}`,
    [
      { figure: 'took', target: { of: 'ours', atMost: 10_000 } },
      { part: 'started', figure: 'started' },
      { part: 'leads', figure: 'leads' },
      { part: 'subscribed', figure: 'subscribed' },
      { part: 'reregistered', figure: 'reregistered' },
      { part: 'offered', figure: 'offered' },
      { part: 'reconciled', figure: 'reconciled' },
      { part: 'cpu', figure: 'cpu' },
    ].map((one) => ({ unit: 'ms', lowerIsBetter: true, ...one })),
    more,
  );
}

const few = 1000;
const many = 10_000;
const more = 25_000;
const most = 50_000;

/** What an agent costs is to stay the same, however many there are. */
const flat = ['agent.cpu', 'agent.busy', 'agent.memory', 'agent.register.cpu'];

/** One master in an OS process of its own; agents and schedulers, which only say what real ones say, in another. */
export const cluster = {
  name: 'cluster',
  runs: [
    launch([few, 200]),
    launch([many, 200]),
    launch([more, 200]),
    launch([most, 200, 1, 500], { onRequest: true }),
    throughput([few, 200], { rounds: 2 }),
    throughput([many, 200], { rounds: 2 }),
    failover([few, 200], { rounds: 2 }),
    failover([many, 200], { rounds: 2 }),
  ],
  open: () => broker.open(),
  close: () => broker.close(),
  /** What an agent costs among the most that were measured, beside one among 1,000. */
  derive(results) {
    const figure = (part, agents) => results.find(({ name }) => name === `cluster.launch.${agents}x200.${part}`)?.ours;
    return flat.flatMap((part) => {
      const base = figure(part, few);
      const agents = [most, more, many].find((count) => figure(part, count) !== undefined);
      if (base === undefined || agents === undefined) return [];
      const ours = Number((figure(part, agents) / base).toPrecision(3));
      const target = { of: 'ours', atMost: 2 };
      return [{ name: `cluster.flat.${part}.${agents}`, ours, unit: 'x', lowerIsBetter: true, target }];
    });
  },
};
