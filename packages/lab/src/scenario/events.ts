import { z } from 'zod';
import { agentGroup } from './agent-groups.ts';
import { count, duration, mapping, resources, role, text, weight } from './fields.ts';

/** Empty text takes a quota away. */
const quantity = z.union([z.literal(''), resources], {
  error: 'resources such as "cpus:40;mem:65536", or "" for none',
});

export const quota = { guarantees: quantity.optional(), limits: quantity.optional() };
export interface QuotaSpec {
  readonly guarantees?: string | undefined;
  readonly limits?: string | undefined;
}

/** A group of agents or a single one, such as `small` or `small-3`. */
const some = mapping('agents', { agents: text, count: count.optional() });

export const event = mapping('an event', {
  at: duration,
  add: agentGroup.optional(),
  lose: some.optional(),
  back: some.optional(),
  quotas: z.record(role, mapping('a quota', quota)).optional(),
  weights: z.record(role, weight).optional(),
}).refine(
  ({ add, lose, back, quotas, weights }) =>
    [add, lose, back, quotas, weights].filter((what) => what !== undefined).length === 1,
  { error: 'an event with `at` and exactly one of add, lose, back, quotas, weights' },
);
export type ScenarioEvent = z.infer<typeof event>;
