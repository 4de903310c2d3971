import type { AgentID } from '@mezzo/protocol';

/** What a scheduler has under way and the agent it is on, as far as that is known. */
export interface OpenItem<Id extends string> {
  readonly id: Id;
  readonly agentId?: AgentID;
}

/** What has not ended as far as the scheduler knows, and that of it whose state it has asked for in vain so far. */
export class OpenItems<Id extends string> {
  readonly #agents = new Map<Id, AgentID | undefined>();
  readonly #unanswered = new Set<Id>();

  opened(id: Id, agentId: AgentID | undefined): void {
    this.#agents.set(id, agentId);
  }

  /** Any word of it answers the question about it. */
  heard(id: Id, agentId: AgentID | undefined, isEnded: boolean): void {
    this.#unanswered.delete(id);
    if (isEnded) this.#agents.delete(id);
    else this.#agents.set(id, agentId ?? this.#agents.get(id));
  }

  /** Begins to ask for all that is open. */
  question(): void {
    this.#unanswered.clear();
    for (const id of this.#agents.keys()) this.#unanswered.add(id);
  }

  get unanswered(): readonly OpenItem<Id>[] {
    return [...this.#unanswered].map((id) => {
      const agentId = this.#agents.get(id);
      return agentId === undefined ? { id } : { id, agentId };
    });
  }
}
