import { z } from 'zod';
import type { Distribution } from './distribution.ts';
import {
  count,
  countOf,
  counts,
  duration,
  durations,
  mapping,
  name,
  probability,
  resources,
  seconds,
  text,
  weight,
} from './fields.ts';

/** What a task needs: always the same, or one of several with their weights. */
const needs = z.union(
  [
    resources,
    z.array(mapping('a choice', { resources, probability: weight })).min(1, { error: 'at least one choice' }),
  ],
  { error: 'resources such as "cpus:1;mem:512", or a list of { resources, probability }' },
);

const locality = mapping('a preference', {
  /** What a task prefers: certain agents, or certain racks or zones. */
  level: z.enum(['agent', 'rack', 'zone'], { error: 'agent, rack or zone' }),
  /** How many of them suit each task, drawn at random. */
  preferred: count.default(1),
  /** How long a task passes over others since it did so first (delay scheduling). */
  wait: duration,
});

/** What frameworks of all kinds have. */
const common = {
  name,
  count: countOf('frameworks').default(1),
  role: z.union([text, z.array(text).min(1)], { error: 'a role, or a list of roles' }).optional(),
  arrives: duration.default(0),
  leaves: duration.optional(),
  refuse: seconds.default(5),
  think: durations.default({ law: 'fixed', value: 0 }),
  accept: probability.default(1),
  tasksPerOffer: count.optional(),
  idle: z.enum(['suppress', 'decline'], { error: 'suppress or decline' }).default('suppress'),
  failures: probability.default(0),
  locality: locality.optional(),
};

/** Between arrivals: without any time between them there would be no end of them. */
const intervals = durations.refine((law) => typical(law) >= 1, { error: 'durations of 1ms or more' });

function typical(law: Distribution): number {
  switch (law.law) {
    case 'fixed':
      return law.value;
    case 'uniform':
      return law.to;
    case 'exponential':
      return law.mean;
    case 'lognormal':
      return law.median;
    case 'pareto':
      return law.least;
  }
}

const arrivals = { every: intervals, tasks: counts.default({ law: 'fixed', value: 1 }), jobs: count.optional() };

const recordedTask = mapping('a recorded task', { arrival: duration, duration: duration.optional(), resources });

export const framework = z.discriminatedUnion(
  'kind',
  [
    mapping('a greedy framework', {
      kind: z.literal('greedy'),
      ...common,
      resources: needs,
      duration: durations.optional(),
      tasks: count.optional(),
    }),
    mapping('a batch framework', {
      kind: z.literal('batch'),
      ...common,
      resources: needs,
      duration: durations,
      ...arrivals,
    }),
    mapping('a long-running framework', {
      kind: z.literal('long-running'),
      ...common,
      resources: needs,
      duration: durations.optional(),
      tasks: countOf('tasks'),
    }),
    mapping('a spiky framework', {
      kind: z.literal('spiky'),
      ...common,
      resources: needs,
      duration: durations,
      ...arrivals,
      spikes: mapping('spikes', { every: intervals, tasks: counts }),
    }),
    mapping('a recorded framework', {
      kind: z.literal('recorded'),
      ...common,
      tasks: z.array(recordedTask).optional(),
      trace: text.optional(),
      only: text.optional(),
    }).refine(({ tasks, trace }) => (tasks === undefined) !== (trace === undefined), {
      error: 'either tasks, or the trace that has them',
    }),
  ],
  { error: 'a framework with a kind: greedy, batch, long-running, spiky or recorded' },
);
export type FrameworkGroup = z.infer<typeof framework>;
export type FrameworkKind = FrameworkGroup['kind'];
export type Locality = z.infer<typeof locality>;
export type Needs = z.infer<typeof needs>;

/** Names of the frameworks of a group: its own, or with a number behind it if there are several. */
export function namesOf({ name: own, count: several }: FrameworkGroup): readonly string[] {
  return several === 1 ? [own] : Array.from({ length: several }, (_, index) => `${own}-${index}`);
}

/** Roles of the framework of that index: `{n}` stands for its number; without any the role is called as the framework. */
export function rolesOf(group: FrameworkGroup, index: number): readonly string[] {
  const given = group.role ?? (group.count === 1 ? group.name : `${group.name}-{n}`);
  return [given].flat().map((pattern) => pattern.replaceAll('{n}', String(index)));
}
