import type { Random } from '@mezzo/process';
import type { AgentID, FrameworkID, Resources } from '@mezzo/protocol';
import type { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorFramework } from './allocator-framework.ts';
import type { AllocatorState } from './allocator-state.ts';
import type { MinAllocatable } from './min-allocatable.ts';
import { shuffled } from './shuffle.ts';

export interface Allocation {
  readonly role: string;
  readonly agentId: AgentID;
  /** They carry the role. */
  readonly resources: Resources;
}

/**
 * One run of fair sharing: each candidate agent, in random order, is offered as a whole to whoever is next by role and
 * then by framework. Fairness comes about across agents, as the order is looked up anew for each.
 */
export function allocate(
  state: AllocatorState,
  candidates: Iterable<AgentID>,
  minAllocatable: MinAllocatable,
  random: Random,
): ReadonlyMap<FrameworkID, readonly Allocation[]> {
  const allocations = new Map<FrameworkID, Allocation[]>();
  for (const id of shuffled(candidates, random)) {
    const agent = state.agents.get(id);
    if (agent === undefined || !agent.isActive) continue;
    for (const role of state.roleSorter.sort()) {
      if (!minAllocatable.allows(agent.available)) break;
      for (const [frameworkId, resources] of allocateToRole(state, role, agent, minAllocatable)) {
        const list = allocations.get(frameworkId);
        const allocation = { role, agentId: id, resources };
        if (list === undefined) allocations.set(frameworkId, [allocation]);
        else list.push(allocation);
      }
    }
  }
  return allocations;
}

function* allocateToRole(
  state: AllocatorState,
  role: string,
  agent: AllocatorAgent,
  minAllocatable: MinAllocatable,
): Iterable<readonly [FrameworkID, Resources]> {
  for (const client of state.roles.get(role)?.sorter.sort() ?? []) {
    const framework = state.frameworks.get(client as FrameworkID);
    if (framework === undefined || !canUse(framework, agent)) continue;
    const resources = agent.available.allocatableTo(role);
    if (!minAllocatable.allows(resources)) return;
    if (framework.filters.refuse(role, agent.id, resources)) continue;
    yield [framework.id, state.allocate(framework, role, agent, resources)];
  }
}

/** Agents with GPUs are kept for frameworks that know of them (filter_gpu_resources). */
function canUse(framework: AllocatorFramework, agent: AllocatorAgent): boolean {
  return framework.capabilities.has('GPU_RESOURCES') || agent.total.scalar('gpus') === 0;
}
