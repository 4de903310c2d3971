import { type AgentInfo, resourceFault } from '@mezzo/protocol';

/** What is wrong with what an agent says of itself, or undefined. */
export function agentFault(info: AgentInfo, version: string): string | undefined {
  if (!/^\d+\.\d+\.\d+/.test(version)) return `version '${version}' is not of the form 1.2.3`;
  for (const resource of info.resources) {
    const fault = resourceFault(resource);
    if (fault !== undefined) return fault;
    if (resource.allocationRole !== undefined) return `resource '${resource.name}' is allocated to a role already`;
  }
  return undefined;
}
