import { type AgentID, type FrameworkID, Resources } from '@mezzo/protocol';

/** An agent as the allocator sees it. What is held carries the role it was allocated to. */
export class AllocatorAgent {
  readonly id: AgentID;
  readonly total: Resources;
  isActive = true;
  readonly #held = new Map<FrameworkID, Resources>();
  #heldByAll = Resources.empty;
  #available: Resources | undefined;

  constructor(id: AgentID, total: Resources) {
    this.id = id;
    this.total = total;
  }

  get frameworks(): Iterable<FrameworkID> {
    return this.#held.keys();
  }

  get held(): Resources {
    return this.#heldByAll;
  }

  /** What nobody holds, without roles of allocations. */
  get available(): Resources {
    this.#available ??= this.total.minus(this.#heldByAll);
    return this.#available;
  }

  heldBy(frameworkId: FrameworkID): Resources {
    return this.#held.get(frameworkId) ?? Resources.empty;
  }

  take(frameworkId: FrameworkID, resources: Resources): void {
    this.#held.set(frameworkId, this.heldBy(frameworkId).plus(resources));
    this.#heldByAll = this.#heldByAll.plus(resources.unallocate());
    this.#available = undefined;
  }

  /** Takes back what the framework holds of it, and says what that was. */
  giveBack(frameworkId: FrameworkID, resources: Resources): Resources {
    const held = this.heldBy(frameworkId);
    const rest = held.minus(resources);
    const returned = held.contains(resources) ? resources : held.minus(rest);
    if (rest.isEmpty) this.#held.delete(frameworkId);
    else this.#held.set(frameworkId, rest);
    this.#heldByAll = this.#heldByAll.minus(returned.unallocate());
    this.#available = undefined;
    return returned;
  }
}
