import type { Timer } from '@mezzo/process';
import type { AgentID, Resources } from '@mezzo/protocol';

interface OfferFilter {
  /** Without the role it was allocated to. */
  readonly refused: Resources;
  readonly timer: Timer;
}

/** What one framework does not want to be offered for a while, by role and agent. */
export class OfferFilters {
  readonly #filters = new Map<string, Map<AgentID, Set<OfferFilter>>>();

  /** @param arm starts the timer that calls `expire`. */
  add(role: string, agentId: AgentID, refused: Resources, arm: (expire: () => void) => Timer): void {
    const agents = this.#filters.get(role) ?? new Map<AgentID, Set<OfferFilter>>();
    const filters = agents.get(agentId) ?? new Set();
    const filter: OfferFilter = { refused, timer: arm(() => this.#remove(role, agentId, filter)) };
    this.#filters.set(role, agents.set(agentId, filters.add(filter)));
  }

  /** True if something at least as large was refused. */
  refuse(role: string, agentId: AgentID, offered: Resources): boolean {
    const filters = this.#filters.get(role)?.get(agentId);
    if (filters === undefined) return false;
    for (const { refused } of filters) if (refused.contains(offered)) return true;
    return false;
  }

  count(role: string): number {
    let count = 0;
    for (const filters of this.#filters.get(role)?.values() ?? []) count += filters.size;
    return count;
  }

  clear(): void {
    for (const role of [...this.#filters.keys()]) this.clearRole(role);
  }

  clearRole(role: string): void {
    for (const filters of this.#filters.get(role)?.values() ?? []) cancel(filters);
    this.#filters.delete(role);
  }

  clearAgent(agentId: AgentID): void {
    for (const agents of this.#filters.values()) {
      cancel(agents.get(agentId) ?? []);
      agents.delete(agentId);
    }
  }

  #remove(role: string, agentId: AgentID, filter: OfferFilter): void {
    const agents = this.#filters.get(role);
    const filters = agents?.get(agentId);
    filters?.delete(filter);
    if (filters?.size === 0) agents?.delete(agentId);
  }
}

function cancel(filters: Iterable<OfferFilter>): void {
  for (const { timer } of filters) timer.cancel();
}
