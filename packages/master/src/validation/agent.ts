import {
  type AgentInfo,
  type Resource,
  ResourceConversionError,
  Resources,
  resourcesFault,
  withCheckpointed,
} from '@mezzo/protocol';

/** The most of one scalar that an agent may have: what a thousand such agents have together can still be added up. */
const mostOfAgent = 2 ** 33;

/** What is wrong with what an agent would give away as long as nobody needs it, or undefined. */
export function oversubscribedFault(resources: readonly Resource[]): string | undefined {
  const owned = resources.find(({ revocable }) => revocable !== true);
  return resourcesFault(resources) ?? (owned === undefined ? undefined : `resource '${owned.name}' is not revocable`);
}

/** What is wrong with what an agent says of itself, or undefined. */
export function agentFault(
  info: AgentInfo,
  version: string,
  checkpointed: readonly Resource[] = [],
): string | undefined {
  if (!/^\d+\.\d+\.\d+/.test(version)) return `version '${version}' is not of the form 1.2.3`;
  const fault = resourcesFault(info.resources) ?? resourcesFault(checkpointed);
  if (fault !== undefined) return fault;
  for (const { name, allocationRole } of info.resources)
    if (allocationRole !== undefined) return `resource '${name}' is allocated to a role already`;
  for (const [name, amount] of Resources.of(info.resources).quantities)
    if (amount > mostOfAgent) return `it has ${amount} of resource '${name}': expected at most ${mostOfAgent}`;
  try {
    withCheckpointed(Resources.of(info.resources), checkpointed);
    return undefined;
  } catch (error) {
    if (error instanceof ResourceConversionError) return `its checkpointed resources do not fit: ${error.message}`;
    throw error;
  }
}
