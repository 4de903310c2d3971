import type { Resource } from '@mezzo/protocol';
import type { Amounts } from '../result.ts';

/** Amounts of the scalars that a cluster has, by their index in `ResourceNames`, in thousandths: sums are exact. */
export type Quantities = number[];

/** The names of a cluster's scalars, in the order in which quantities hold them. */
export class ResourceNames {
  readonly names: readonly string[];
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(names: Iterable<string>) {
    this.names = [...new Set(names)];
    this.#indexes = new Map(this.names.map((name, index) => [name, index]));
  }

  zero(): Quantities {
    return this.names.map(() => 0);
  }

  /** What is no scalar of the cluster is left out. */
  quantities(resources: Iterable<Resource>): Quantities {
    const sum = this.zero();
    for (const resource of resources) {
      if (resource.type !== 'SCALAR') continue;
      const index = this.#indexes.get(resource.name);
      if (index !== undefined) sum[index] = (sum[index] ?? 0) + Math.round(resource.scalar * 1000);
    }
    return sum;
  }

  amounts(quantities: Quantities): Amounts {
    const amounts: Record<string, number> = {};
    for (let i = 0; i < this.names.length; i++) amounts[this.names[i] ?? ''] = (quantities[i] ?? 0) / 1000;
    return amounts;
  }
}

export function add(sum: Quantities, more: Quantities): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (more[i] ?? 0);
}

export function subtract(sum: Quantities, less: Quantities): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) - (less[i] ?? 0);
}

export function fits(needed: Quantities, into: Quantities): boolean {
  for (let i = 0; i < needed.length; i++) if ((needed[i] ?? 0) > (into[i] ?? 0)) return false;
  return true;
}

/** The largest part of the total that it is of any one resource, 0 to 1. */
export function dominantShare(of: Quantities, total: Quantities): number {
  let share = 0;
  for (let i = 0; i < of.length; i++) {
    const all = total[i] ?? 0;
    if (all > 0) share = Math.max(share, (of[i] ?? 0) / all);
  }
  return share;
}
