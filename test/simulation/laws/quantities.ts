import type { Resources } from '@mezzo/protocol';

/** Thousandths, by name. */
export type Amounts = Map<string, number>;

const known = new WeakMap<Resources, readonly (readonly [string, number])[]>();

/** Scalars only: the cluster has nothing else. */
function amountsOf(resources: Resources): readonly (readonly [string, number])[] {
  let amounts = known.get(resources);
  if (amounts === undefined) {
    amounts = [...resources].flatMap((part) =>
      part.type === 'SCALAR' ? [[part.name, Math.round(part.scalar * 1000)] as const] : [],
    );
    known.set(resources, amounts);
  }
  return amounts;
}

export function add(sum: Amounts, resources: Resources): void {
  for (const [name, amount] of amountsOf(resources)) sum.set(name, (sum.get(name) ?? 0) + amount);
}

export function sumOf(...all: readonly Resources[]): Amounts {
  const sum: Amounts = new Map();
  for (const resources of all) add(sum, resources);
  return sum;
}

export function difference(sum: Amounts, less: Amounts): Amounts {
  return new Map([...sum].map(([name, amount]) => [name, amount - (less.get(name) ?? 0)]));
}

/** What of it is more than there is. */
export function excess(sum: Amounts, total: Amounts): string | undefined {
  for (const [name, amount] of sum) {
    const most = total.get(name) ?? 0;
    if (amount > most) return `${amount / 1000} ${name} of ${most / 1000}`;
  }
  return undefined;
}

export function same(one: Amounts, other: Amounts): boolean {
  for (const [name, amount] of one) if ((other.get(name) ?? 0) !== amount) return false;
  for (const [name, amount] of other) if ((one.get(name) ?? 0) !== amount) return false;
  return true;
}

export function textOf(sum: Amounts): string {
  return [...sum].map(([name, amount]) => `${name}:${amount / 1000}`).join(';') || 'nothing';
}
