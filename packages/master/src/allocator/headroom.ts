import type { Random } from '@mezzo/process';
import { ResourceQuantities, type Resources } from '@mezzo/protocol';
import type { AllocatorState } from './allocator-state.ts';
import type { RoleNode } from './role-tree.ts';

/**
 * What is free for anybody beside what is guaranteed and not had yet. It is reckoned once, and kept up to date with what a
 * run gives; after other changes a new one is needed.
 */
export class Headroom {
  /** Paths of roles that had something guaranteed to them that they did not have. */
  readonly #wanting = new Set<string>();
  #required = ResourceQuantities.empty;
  #available: ResourceQuantities;

  constructor({ clients, total, agents }: AllocatorState) {
    const { roles, held } = clients;
    for (const role of roles.nodes) {
      if (!role.hasQuota || role.missing.isEmpty) continue;
      this.#wanting.add(role.path);
      // Of those below it is a part.
      if (!role.isNested) this.#required = this.#required.plus(role.missing);
    }
    const { root } = roles;
    this.#available = total.quantities
      .minus(held.quantities)
      .minus(root.reservations.minus(root.heldReserved.quantities));
    for (const agent of agents.values()) {
      if (agent.total.hasRevocable) this.#available = this.#available.minus(agent.available.revocable().quantities);
    }
  }

  /** Some role may lack something of its guarantee. */
  get isWanted(): boolean {
    return this.#wanting.size > 0;
  }

  mayWant(path: string): boolean {
    return this.#wanting.has(path);
  }

  /** What of it can be given without touching what is guaranteed to others. */
  cut(extra: Resources, random: Pick<Random, 'next'>): Resources {
    if (this.#required.isEmpty || extra.isEmpty) return extra;
    return extra.shrink(this.#available.minus(this.#required), random);
  }

  /** The role was given this of its guarantee. */
  guaranteed(role: RoleNode, quantities: ResourceQuantities): void {
    this.#required = this.#required.minus(quantities);
    if (role.missing.isEmpty) this.#wanting.delete(role.path);
  }

  given(quantities: ResourceQuantities): void {
    this.#available = this.#available.minus(quantities);
  }
}
