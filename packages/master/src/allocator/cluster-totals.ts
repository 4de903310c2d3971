import type { Resources } from '@mezzo/protocol';

/**
 * What all agents have together: the denominators of every share. One object serves all sorters of an allocator.
 *
 * It also numbers the names of scalars, so that sums are plain arrays of thousandths: whole numbers, which come back to
 * exactly 0 when what was added is taken away.
 */
export class ClusterTotals {
  readonly #slots = new Map<string, number>();
  readonly #thousandths: number[] = [];
  #version = 0;

  /** Grows with every change, so that a sorter knows when its shares are stale. */
  get version(): number {
    return this.#version;
  }

  /** Names of which there is something. */
  get names(): readonly string[] {
    return [...this.#slots.keys()].filter((name) => this.get(name) !== 0);
  }

  /** 0 for a name that is not there. */
  get(name: string): number {
    return (this.#thousandths[this.#slots.get(name) ?? -1] ?? 0) / 1000;
  }

  add(resources: Resources): void {
    this.sum(this.#thousandths, resources, 1);
    this.#version++;
  }

  subtract(resources: Resources): void {
    this.sum(this.#thousandths, resources, -1);
    this.#version++;
  }

  /** Adds scalars to, or takes them from, a sum in which every name has the place that it has in all sums of this cluster. */
  sum(thousandths: number[], resources: Resources, sign: 1 | -1): void {
    const { quantities } = resources;
    for (const name of quantities.names) {
      let slot = this.#slots.get(name);
      if (slot === undefined) this.#slots.set(name, (slot = this.#slots.size));
      while (thousandths.length <= slot) thousandths.push(0);
      thousandths[slot] = (thousandths[slot] ?? 0) + sign * quantities.thousandths(name);
    }
  }

  /** The totals by place in such a sum, 0 for excluded names. */
  denominators(excluded: ReadonlySet<string>): readonly number[] {
    return [...this.#slots].map(([name, slot]) => (excluded.has(name) ? 0 : (this.#thousandths[slot] ?? 0)));
  }
}
