import { type AgentID, ResourceQuantities, type Resources } from '@mezzo/protocol';

/** Sums of what somebody has on many agents. Copies of one shared resource on an agent count once. */
export class TrackedQuantities {
  #quantities = ResourceQuantities.empty;
  #shared: Map<AgentID, Resources> | undefined;

  get quantities(): ResourceQuantities {
    return this.#quantities;
  }

  add(agentId: AgentID, resources: Resources): void {
    if (!resources.hasShared) {
      this.#quantities = this.#quantities.plus(resources.quantities);
      return;
    }
    this.#quantities = this.#quantities.plus(resources.nonShared().quantities);
    const before = this.#shared?.get(agentId);
    const copies = resources.shared();
    this.#changeShared(agentId, before, before === undefined ? copies : before.plus(copies));
  }

  subtract(agentId: AgentID, resources: Resources): void {
    if (!resources.hasShared) {
      this.#quantities = this.#quantities.minus(resources.quantities);
      return;
    }
    this.#quantities = this.#quantities.minus(resources.nonShared().quantities);
    const before = this.#shared?.get(agentId);
    if (before !== undefined) this.#changeShared(agentId, before, before.minus(resources.shared()));
  }

  #changeShared(agentId: AgentID, before: Resources | undefined, after: Resources): void {
    const shared = (this.#shared ??= new Map());
    if (after.isEmpty) shared.delete(agentId);
    else shared.set(agentId, after);
    const counted = before === undefined ? this.#quantities : this.#quantities.minus(before.quantities);
    this.#quantities = counted.plus(after.quantities);
  }
}
