import { Resources } from '@mezzo/protocol';

/** Amounts by name: of scalars the value, of ranges how many numbers, of sets how many items. */
type Requirement = ReadonlyMap<string, number>;

/** What is worth an offer: it holds at least one of several alternatives (min_allocatable_resources). */
export class MinAllocatable {
  readonly #alternatives: readonly Requirement[];

  /**
   * @param alternatives such as `cpus:0.01` and `mem:32`, parts of one joined by `;`. None: whatever is not empty will do.
   * @throws {ResourcesParseError}
   */
  constructor(alternatives: readonly string[]) {
    this.#alternatives = alternatives.map((text) => Resources.parse(text).scalarQuantities());
  }

  allows(resources: Resources): boolean {
    if (resources.isEmpty) return false;
    return this.#alternatives.length === 0 || this.#alternatives.some((required) => contains(resources, required));
  }
}

function contains(resources: Resources, required: Requirement): boolean {
  for (const [name, amount] of required) if (amountOf(resources, name) < amount) return false;
  return true;
}

function amountOf(resources: Resources, name: string): number {
  let amount = resources.scalar(name) + resources.set(name).size;
  for (const { begin, end } of resources.ranges(name)) amount += end - begin + 1;
  return amount;
}
