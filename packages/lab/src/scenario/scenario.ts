import { z } from 'zod';
import { agentGroup, agentsOf } from './agent-groups.ts';
import { event, quota } from './events.ts';
import { count, duration, mapping, period, resources, role, text, weight } from './fields.ts';
import { framework, namesOf, rolesOf } from './frameworks.ts';
import { limits } from './limits.ts';

const latency = z.union([duration, z.tuple([duration, duration])], {
  error: 'a duration such as 1ms, or [least, most]',
});

/** A scenario file. What its fields mean is in docs/lab/scenarios.md. */
export const scenarioSchema = mapping('a scenario', {
  name: text,
  duration: period,
  sampling: period.optional(),
  allocator: text.default('hierarchical'),
  sorter: text.optional(),
  allocationInterval: period.default(1000),
  minAllocatable: resources.optional(),
  offerTimeout: period.optional(),
  latency: latency.default(1),
  pings: mapping('pings', {
    every: period.default(60_000),
    misses: count.refine((value) => value >= 2, { error: 'a whole number of 2 or more' }).default(2),
  }).prefault({}),
  agents: z
    .array(agentGroup, { error: 'a list of groups of agents' })
    .min(1, { error: 'at least one group of agents' }),
  roles: z.record(role, mapping('a role', { weight: weight.default(1), ...quota })).default({}),
  frameworks: z.array(framework, { error: 'a list of frameworks' }).min(1, { error: 'at least one framework' }),
  events: z.array(event, { error: 'a list of events' }).default([]),
}).superRefine((scenario, context) => {
  const fault = (path: (string | number)[], message: string, input: unknown): void =>
    context.addIssue({ code: 'custom', path, message, input });
  const full = countsOf(scenario).find(({ total, what }) => total > limits[what]);
  if (full !== undefined) return fault(full.path, `${limits[full.what]} ${full.what} in all at most`, full.total);
  if (scenario.duration / samplingOf(scenario) > limits.samples) {
    fault(['sampling'], `so long a time that there are ${limits.samples} samples at most`, scenario.sampling);
  }
  const names = new Set<string>();
  for (const [index, group] of scenario.frameworks.entries()) {
    for (const [number, name] of namesOf(group).entries()) {
      if (names.has(name)) fault(['frameworks', index, 'name'], 'a name that no other framework has', group.name);
      names.add(name);
      for (const one of rolesOf(group, number)) {
        const checked = role.safeParse(one);
        if (checked.success) continue;
        fault(
          ['frameworks', index, group.role === undefined ? 'name' : 'role'],
          checked.error.issues[0]?.message ?? 'a role',
          one,
        );
        break;
      }
    }
    if (group.leaves !== undefined && group.leaves <= group.arrives)
      fault(['frameworks', index, 'leaves'], 'a time after the one at which it arrives', group.leaves);
  }
  const groups = new Set<string>();
  for (const [index, { name }] of scenario.agents.entries()) {
    if (groups.has(name)) fault(['agents', index, 'name'], 'a name that no other group has', name);
    groups.add(name);
  }
  const agents = new Set(scenario.agents.flatMap((group) => agentsOf(group).map((agent) => agent.name)));
  for (const { add } of scenario.events) {
    if (add === undefined) continue;
    groups.add(add.name);
    for (let number = 0; number < add.count; number++) agents.add(`${add.name}-${number}`);
  }
  for (const [index, { at, lose, back }] of scenario.events.entries()) {
    if (at > scenario.duration) fault(['events', index, 'at'], `a time within the scenario's duration`, at);
    for (const [what, some] of Object.entries({ lose, back })) {
      if (some === undefined || groups.has(some.agents) || agents.has(some.agents)) continue;
      fault(
        ['events', index, what, 'agents'],
        `a group of agents (${[...groups].join(', ')}) or one agent of them`,
        some.agents,
      );
    }
  }
});
export type Scenario = z.infer<typeof scenarioSchema>;

/** What is limited: how many there are up to and with each part of the scenario. */
function countsOf({ agents, events, frameworks }: Pick<Scenario, 'agents' | 'events' | 'frameworks'>) {
  const totals = { agents: 0, frameworks: 0, tasks: 0 };
  const counted = (path: (string | number)[], what: keyof typeof totals, count: number) => {
    return { path, what, total: (totals[what] += count) };
  };
  return [
    ...agents.map(({ count: some }, index) => counted(['agents', index, 'count'], 'agents', some)),
    ...events.map(({ add }, index) => counted(['events', index, 'add', 'count'], 'agents', add?.count ?? 0)),
    ...frameworks.map(({ count: some }, index) => counted(['frameworks', index, 'count'], 'frameworks', some)),
    ...frameworks.map((group, index) =>
      counted(['frameworks', index, 'tasks'], 'tasks', group.kind === 'long-running' ? group.count * group.tasks : 0),
    ),
  ];
}

/** Milliseconds between samples where the scenario does not say it: 360 of them, but no more than one a second. */
export function samplingOf({ sampling, duration: length }: Scenario): number {
  return sampling ?? Math.max(1000, Math.round(length / 360));
}
