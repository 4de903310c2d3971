import { type AgentInfo, Resources } from '@mezzo/protocol';

/** How an agent that comes back under its id may differ from what it was (reconfiguration_policy). */
export type ReconfigurationPolicy = 'equal' | 'additive';

/**
 * What of `now` does not go with the agent that was there before, or undefined if nothing.
 *
 * - `equal`: all must be as it was.
 * - `additive`: the host name must be; resources and attributes may become more, each as it was and not smaller; a domain may
 *   be added.
 *
 * Where its HTTP server listens may change: it is no part of who an agent is, as in Mesos, whose agents are addressed by it.
 */
export function compareAgentInfo(before: AgentInfo, now: AgentInfo, policy: ReconfigurationPolicy): string | undefined {
  if (before.hostname !== now.hostname) return `the host name was '${before.hostname}' and is '${now.hostname}'`;
  const domain = domainFault(before, now, policy);
  if (domain !== undefined) return domain;
  return attributesFault(before.attributes, now.attributes, policy) ?? resourcesFault(before, now, policy);
}

function domainFault(before: AgentInfo, now: AgentInfo, policy: ReconfigurationPolicy): string | undefined {
  const [was, is] = [textOf(before), textOf(now)];
  if (was === is || (was === undefined && policy === 'additive')) return undefined;
  return `the domain was ${was ?? 'none'} and is ${is ?? 'none'}`;
}

function textOf({ domain }: AgentInfo): string | undefined {
  return domain && `'${domain.region}/${domain.zone}'`;
}

function attributesFault(
  before: AgentInfo['attributes'],
  now: AgentInfo['attributes'],
  policy: ReconfigurationPolicy,
): string | undefined {
  for (const [name, value] of Object.entries(before)) {
    const is = Object.hasOwn(now, name) ? now[name] : undefined;
    if (is === undefined) return `attribute '${name}' was '${value}' and is missing`;
    const grows = policy === 'additive' && holdsRanges(is, value);
    if (is !== value && !grows) return `attribute '${name}' was '${value}' and is '${is}'`;
  }
  if (policy === 'additive') return undefined;
  const added = Object.keys(now).find((name) => !Object.hasOwn(before, name));
  return added === undefined ? undefined : `attribute '${added}' was not there`;
}

function holdsRanges(text: string, part: string): boolean {
  const [ranges, inner] = [rangesOf(text), rangesOf(part)];
  return ranges !== undefined && inner !== undefined && ranges.contains(inner);
}

/** The value of an attribute that is ranges, as a resource: those can tell whether one holds another. */
function rangesOf(value: string): Resources | undefined {
  if (!value.trimStart().startsWith('[')) return undefined;
  try {
    return Resources.parse(`ranges:${value}`);
  } catch {
    return undefined;
  }
}

function resourcesFault(before: AgentInfo, now: AgentInfo, policy: ReconfigurationPolicy): string | undefined {
  const [was, is] = [Resources.of(before.resources), Resources.of(now.resources)];
  const missing = was.minus(is);
  if (!is.contains(was))
    return `the resources were ${String(was)} and are ${String(is)}: ${String(missing)} is missing`;
  if (policy === 'additive' || was.equals(is)) return undefined;
  return `the resources were ${String(was)} and are ${String(is)}: ${String(is.minus(was))} was not there`;
}
