import { ResourceQuantities, type Resources } from '@mezzo/protocol';

/** What an offer must at least hold (min_allocatable_resources): one of several alternatives. */
export class MinAllocatable {
  readonly #alternatives: readonly ResourceQuantities[];
  // Many are asked about the same agent one after another.
  #asked: Resources | undefined;
  #answer = false;

  /** @param alternatives such as `{ cpus: 0.01 }` and `{ mem: 32 }`. None: whatever is not empty will do. */
  constructor(alternatives: readonly Readonly<Record<string, number>>[]) {
    this.#alternatives = alternatives.map((amounts) => ResourceQuantities.of(amounts));
  }

  allows(resources: Resources): boolean {
    if (resources === this.#asked) return this.#answer;
    this.#asked = resources;
    this.#answer = !resources.isEmpty && this.#isEnough(resources);
    return this.#answer;
  }

  #isEnough(resources: Resources): boolean {
    if (this.#alternatives.length === 0) return true;
    for (const alternative of this.#alternatives) if (resources.containsQuantities(alternative)) return true;
    return false;
  }
}
