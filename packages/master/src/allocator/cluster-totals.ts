import type { AgentID, Resources } from '@mezzo/protocol';
import { Quantities } from './quantities.ts';

/** What all agents have together: the denominators of every share. One object serves all sorters of an allocator. */
export class ClusterTotals {
  readonly #agents = new Map<AgentID, Resources>();
  readonly #sum = new Quantities();
  #version = 0;

  /** Grows with every change, so that a sorter knows when its shares are stale. */
  get version(): number {
    return this.#version;
  }

  get names(): Iterable<string> {
    return this.#sum.names;
  }

  get(name: string): number {
    return this.#sum.get(name);
  }

  /** Adds an agent, or replaces what it had. */
  set(agentId: AgentID, total: Resources): void {
    this.remove(agentId);
    this.#agents.set(agentId, total);
    this.#sum.add(total);
    this.#version++;
  }

  remove(agentId: AgentID): void {
    const total = this.#agents.get(agentId);
    if (total === undefined) return;
    this.#agents.delete(agentId);
    this.#sum.subtract(total);
    this.#version++;
  }
}
