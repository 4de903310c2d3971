import { type AgentID, ResourceQuantities, type Resources } from '@mezzo/protocol';

/** Sums of what somebody has on many agents. Copies of one shared resource on an agent count once, also in several roles. */
export class TrackedQuantities {
  /** Sorted. */
  readonly #names: string[] = [];
  readonly #thousandths: number[] = [];
  /** As immutable ones, once somebody asks: they change more often. */
  #quantities: ResourceQuantities | undefined = ResourceQuantities.empty;
  #shared: Map<AgentID, Resources> | undefined;

  /** The same object until something changes. */
  get quantities(): ResourceQuantities {
    return (this.#quantities ??= ResourceQuantities.ofThousandths(this.#names, this.#thousandths));
  }

  add(agentId: AgentID, resources: Resources): void {
    if (!resources.hasShared) return this.#sum(resources.quantities, 1);
    this.#sum(resources.nonShared().quantities, 1);
    const before = this.#shared?.get(agentId);
    const copies = resources.shared().unallocate();
    this.#changeShared(agentId, before, before === undefined ? copies : before.plus(copies));
  }

  subtract(agentId: AgentID, resources: Resources): void {
    if (!resources.hasShared) return this.#sum(resources.quantities, -1);
    this.#sum(resources.nonShared().quantities, -1);
    const before = this.#shared?.get(agentId);
    if (before !== undefined) this.#changeShared(agentId, before, before.minus(resources.shared().unallocate()));
  }

  #changeShared(agentId: AgentID, before: Resources | undefined, after: Resources): void {
    const shared = (this.#shared ??= new Map());
    if (after.isEmpty) shared.delete(agentId);
    else shared.set(agentId, after);
    if (before !== undefined) this.#sum(before.quantities, -1);
    this.#sum(after.quantities, 1);
  }

  /** Nothing becomes negative. */
  #sum(quantities: ResourceQuantities, sign: 1 | -1): void {
    if (quantities.isEmpty) return;
    this.#quantities = undefined;
    const amounts = this.#thousandths;
    for (const name of quantities.names) {
      const at = this.#placeOf(name);
      amounts[at] = Math.max(0, (amounts[at] ?? 0) + sign * quantities.thousandths(name));
    }
  }

  #placeOf(name: string): number {
    const names = this.#names;
    const known = names.indexOf(name);
    if (known !== -1) return known;
    const next = names.findIndex((other) => other > name);
    const at = next === -1 ? names.length : next;
    names.splice(at, 0, name);
    this.#thousandths.splice(at, 0, 0);
    return at;
  }
}
