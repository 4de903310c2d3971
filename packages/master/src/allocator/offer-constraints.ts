import type { AgentInfo, AttributeConstraint, OfferConstraints } from '@mezzo/protocol';
import { RE2JS, RE2JSException } from 're2js';
import type { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorFramework } from './allocator-framework.ts';

/** Longest regular expression, in characters: a bound on what a framework can make the allocator compile and keep. */
const longestRegex = 4096;

type Test = (agent: AgentInfo) => boolean;

/** Which agents a role of a framework wants to be offered. */
export class ConstraintGroups {
  readonly #groups: readonly (readonly Test[])[];
  readonly #verdicts = new WeakMap<AgentInfo, boolean>();

  private constructor(groups: readonly (readonly Test[])[]) {
    this.#groups = groups;
  }

  /**
   * Throws RangeError for a role that is not among `roles`, a role without groups, a group without constraints, and a
   * regular expression that is invalid or too long.
   */
  static byRole(constraints: OfferConstraints, roles: ReadonlySet<string>): ReadonlyMap<string, ConstraintGroups> {
    const result = new Map<string, ConstraintGroups>();
    for (const [role, groups] of Object.entries(constraints)) {
      if (!roles.has(role)) throw new RangeError(`Offer constraints for role '${role}', which the framework is not in`);
      if (groups.length === 0) throw new RangeError(`Offer constraints for role '${role}' have no groups`);
      if (groups.some((group) => group.length === 0))
        throw new RangeError(`Offer constraints for role '${role}' have a group without constraints`);
      result.set(role, new ConstraintGroups(groups.map((group) => group.map(testOf))));
    }
    return result;
  }

  /** Whether all constraints of a group hold. */
  allow(agent: AgentInfo): boolean {
    let verdict = this.#verdicts.get(agent);
    if (verdict === undefined) {
      verdict = this.#groups.some((group) => group.every((test) => test(agent)));
      this.#verdicts.set(agent, verdict);
    }
    return verdict;
  }
}

function testOf({ selector, predicate }: AttributeConstraint): Test {
  const value = (agent: AgentInfo): string | undefined =>
    'attribute' in selector ? attributeOf(agent, selector.attribute) : pseudoattribute(agent, selector.pseudoattribute);
  const isText = (text: string): boolean => !('attribute' in selector) || isTextAttribute(text);
  const compare =
    (test: (text: string) => boolean, ifAbsent: boolean): Test =>
    (agent) => {
      const text = value(agent);
      if (text === undefined) return ifAbsent;
      return !isText(text) || test(text);
    };
  switch (predicate.type) {
    case 'EXISTS':
      return (agent) => value(agent) !== undefined;
    case 'NOT_EXISTS':
      return (agent) => value(agent) === undefined;
    case 'TEXT_EQUALS':
      return compare((text) => text === predicate.value, false);
    case 'TEXT_NOT_EQUALS':
      return compare((text) => text !== predicate.value, true);
    case 'TEXT_MATCHES': {
      const regex = compile(predicate.regex);
      return compare((text) => regex.matches(text), false);
    }
    case 'TEXT_NOT_MATCHES': {
      const regex = compile(predicate.regex);
      return compare((text) => !regex.matches(text), true);
    }
  }
}

/** A name such as `constructor` is an attribute only if the agent has it. */
function attributeOf({ attributes }: AgentInfo, name: string): string | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

function pseudoattribute(agent: AgentInfo, name: 'HOSTNAME' | 'REGION' | 'ZONE'): string | undefined {
  switch (name) {
    case 'HOSTNAME':
      return agent.hostname;
    case 'REGION':
      return agent.domain?.region;
    case 'ZONE':
      return agent.domain?.zone;
  }
}

/** Attributes are kept as they were written; what reads as a number or as ranges is no text. */
function isTextAttribute(value: string): boolean {
  return !/^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$|^\[.*\]$/.test(value);
}

/** RE2's engine takes time in proportion to the text, whatever a framework has written. */
function compile(regex: string): RE2JS {
  if (regex.length > longestRegex)
    throw new RangeError(`A regular expression of ${regex.length} characters: expected at most ${longestRegex}`);
  try {
    return RE2JS.compile(regex);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new RangeError(`Invalid regular expression '${regex}': ${error.message}`, { cause: error });
  }
}

/** Which of the agents each framework excludes by its constraints, under Mesos's names. */
export function excludedAgents(frameworks: Iterable<AllocatorFramework>, agents: readonly AllocatorAgent[]): unknown {
  const described = [...frameworks].map(({ id, suppressed, clients }) => {
    const byRole = [...clients].flatMap(([role, { constraints }]) =>
      constraints === undefined
        ? []
        : [[role, agents.filter(({ info }) => !constraints.allow(info)).map((agent) => agent.id)] as const],
    );
    return [id, { suppressed_roles: [...suppressed], excluded_by_attribute_constraints: Object.fromEntries(byRole) }];
  });
  return { frameworks: Object.fromEntries(described) };
}
