import { z } from 'zod';
import { attributes, countOf, mapping, name, resources, text } from './fields.ts';

const places = z.union([text, z.array(text).min(1)], {
  error: 'a name, or a list of names that agents are dealt to in turn',
});

/** Agents that are alike. Their names are the group's and a number: `small-0`, `small-1`, … */
export const agentGroup = mapping('a group of agents', {
  name: name.default('agent'),
  count: countOf('agents').default(1),
  resources,
  attributes: attributes.default({}),
  rack: places.optional(),
  zone: places.optional(),
});
export type AgentGroup = z.infer<typeof agentGroup>;

/** One agent of a scenario. */
export interface AgentSpec {
  readonly name: string;
  readonly group: string;
  readonly resources: string;
  /** With `rack` and `zone` where the group has them. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** @param taken how many agents of that name there are already */
export function agentsOf(group: AgentGroup, taken = 0): readonly AgentSpec[] {
  return Array.from({ length: group.count }, (_, index) => {
    const rack = dealt(group.rack, taken + index);
    const zone = dealt(group.zone, taken + index);
    return {
      name: `${group.name}-${taken + index}`,
      group: group.name,
      resources: group.resources,
      attributes: {
        ...group.attributes,
        ...(rack === undefined ? {} : { rack }),
        ...(zone === undefined ? {} : { zone }),
      },
    };
  });
}

function dealt(given: string | readonly string[] | undefined, index: number): string | undefined {
  return given === undefined || typeof given === 'string' ? given : given[index % given.length];
}
