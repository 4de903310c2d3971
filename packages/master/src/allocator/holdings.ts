import { Resources, type AgentID } from '@mezzo/protocol';
import type { ClusterTotals } from './cluster-totals.ts';

/**
 * What a client, or all clients of a branch, hold on all agents together. Of shared resources every copy is remembered
 * by agent, as they count once however many copies are held.
 */
export class Holdings {
  readonly #totals: ClusterTotals;
  readonly #thousandths: number[];
  #shared: Map<AgentID, Resources> | undefined;

  constructor(totals: ClusterTotals, thousandths: number[] = []) {
    this.#totals = totals;
    this.#thousandths = thousandths;
  }

  change(agentId: AgentID, from: Resources, to: Resources): void {
    if (from.hasShared || to.hasShared) {
      this.#changeShared(agentId, from.shared().unallocate(), to.shared().unallocate());
      this.#sum(from.nonShared(), -1);
      this.#sum(to.nonShared(), 1);
    } else {
      this.#sum(from, -1);
      this.#sum(to, 1);
    }
  }

  /** Takes away all that somebody holds who belongs to the branch. */
  subtract(other: Holdings): void {
    for (let slot = 0; slot < other.#thousandths.length; slot++) {
      this.#thousandths[slot] = (this.#thousandths[slot] ?? 0) - (other.#thousandths[slot] ?? 0);
    }
    if (other.#shared === undefined) return;
    for (const [agentId, shared] of other.#shared) {
      this.#sum(shared, 1);
      this.#changeShared(agentId, shared, Resources.empty);
    }
  }

  copy(): Holdings {
    const copy = new Holdings(this.#totals, [...this.#thousandths]);
    if (this.#shared !== undefined) copy.#shared = new Map(this.#shared);
    return copy;
  }

  /** The largest part of any of the denominators; those that are 0 do not count. */
  dominantShare(denominators: readonly number[]): number {
    let share = 0;
    const amounts = this.#thousandths;
    for (let slot = 0; slot < amounts.length; slot++) {
      const total = denominators[slot] ?? 0;
      const part = total > 0 ? (amounts[slot] ?? 0) / total : 0;
      if (part > share) share = part;
    }
    return share;
  }

  #changeShared(agentId: AgentID, from: Resources, to: Resources): void {
    this.#shared ??= new Map();
    const before = this.#shared.get(agentId) ?? Resources.empty;
    const after = before.minus(from).plus(to);
    this.#sum(before, -1);
    this.#sum(after, 1);
    if (after.isEmpty) this.#shared.delete(agentId);
    else this.#shared.set(agentId, after);
  }

  #sum(resources: Resources, sign: 1 | -1): void {
    this.#totals.sum(this.#thousandths, resources, sign);
  }
}
