import type { UpdateUUID } from '@mezzo/protocol';

/** So many updates are remembered: an agent sends again what was not acknowledged, one per task, so more are never open. */
const longest = 100_000;

/** Which updates the scheduler has seen, and which of them it has acknowledged. */
export class UpdateHistory {
  // In order of insertion, which makes the first key the oldest.
  readonly #acknowledged = new Map<UpdateUUID, boolean>();

  /** What became of an update: undefined if it is new, else whether it was acknowledged. */
  seen(uuid: UpdateUUID): boolean | undefined {
    return this.#acknowledged.get(uuid);
  }

  record(uuid: UpdateUUID, acknowledged: boolean): void {
    this.#acknowledged.set(uuid, acknowledged);
    if (this.#acknowledged.size <= longest) return;
    for (const oldest of this.#acknowledged.keys()) {
      this.#acknowledged.delete(oldest);
      return;
    }
  }
}
