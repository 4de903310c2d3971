import { namesOf, rolesOf } from './frameworks.ts';
import type { Scenario } from './scenario.ts';

/** So many of the roles that there are are named. */
const mostNamed = 10;

/**
 * What the scenario gives to roles that no framework has, nor one of a role below, each a line. It is no error: a quota may be
 * there to see what it keeps from others. But it may be a slip.
 */
export function absentRoles({ roles, frameworks, events }: Scenario): readonly string[] {
  const known = new Set(frameworks.flatMap((group) => namesOf(group).flatMap((_, index) => rolesOf(group, index))));
  const present = new Set([...known].flatMap(withParents));
  const given = [
    ...Object.keys(roles).map((role) => ({ role, where: 'roles' })),
    ...events.flatMap(({ quotas = {}, weights = {} }, index) => [
      ...Object.keys(quotas).map((role) => ({ role, where: `events[${index}].quotas` })),
      ...Object.keys(weights).map((role) => ({ role, where: `events[${index}].weights` })),
    ]),
  ];
  const named = [...known].slice(0, mostNamed).join(', ');
  const there = known.size > mostNamed ? `${named} and ${known.size - mostNamed} more` : named;
  return given
    .filter(({ role }) => !present.has(role))
    .map(({ role, where }) => `${where}: no framework has the role '${role}'; the roles of frameworks are ${there}`);
}

/** `a/b/c`, `a/b` and `a`: a quota of a role is for those below it too. */
function withParents(role: string): readonly string[] {
  const steps = role.split('/');
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'));
}
