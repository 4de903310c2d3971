import { z } from 'zod';
import { agentGroup, agentsOf } from './agent-groups.ts';
import { event, quota } from './events.ts';
import { count, duration, mapping, period, resources, role, text, weight } from './fields.ts';
import { framework, namesOf, rolesOf } from './frameworks.ts';

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
    for (let number = 0; agents.size < 1e6 && number < add.count; number++) agents.add(`${add.name}-${number}`);
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

/** Milliseconds between samples where the scenario does not say it: 360 of them, but no more than one a second. */
export function samplingOf({ sampling, duration: length }: Scenario): number {
  return sampling ?? Math.max(1000, Math.round(length / 360));
}
