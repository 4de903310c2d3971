import { parseQuantities } from './quantities-form.ts';
import { wordText } from './print.ts';
import { fromThousandths, scalarFault, toThousandths } from './scalar.ts';

// Not a static field: TypeScript 7.0 emits an initializer that runs before the class has its name.
let nothing: ResourceQuantities | undefined;

/**
 * Immutable amounts of scalars by name, without anything more about them; what is absent is 0. Sums past
 * 9,007,199,254,740 are inexact.
 */
export class ResourceQuantities implements Iterable<[name: string, amount: number]> {
  static get empty(): ResourceQuantities {
    return (nothing ??= new ResourceQuantities([], []));
  }

  /** Each name once, sorted. */
  readonly names: readonly string[];
  // In the order of names; none is 0. Not a #private field: assertions compare enumerable ones.
  private readonly amounts: readonly number[];

  private constructor(names: readonly string[], amounts: readonly number[]) {
    this.names = names;
    this.amounts = amounts;
  }

  /**
   * Reads `cpus:1;mem:32`: scalars only, the same name again is added.
   *
   * @throws {ResourcesParseError}
   */
  static parse(text: string): ResourceQuantities {
    return ResourceQuantities.of(parseQuantities(text).map(({ name, scalar }) => [name, scalar]));
  }

  /**
   * The same name again is added.
   *
   * @throws {RangeError} for an amount that is negative, not finite, or too small or large for three decimals
   */
  static of(amounts: Readonly<Record<string, number>> | Iterable<readonly [string, number]>): ResourceQuantities {
    const names: string[] = [];
    const sums: number[] = [];
    for (const [name, amount] of pairsOf(amounts)) {
      const fault = scalarFault(amount);
      if (fault !== undefined) throw new RangeError(`Invalid quantity of ${JSON.stringify(name)}: ${fault}`);
      if (amount > 0) addTo(names, sums, name, toThousandths(amount));
    }
    return ResourceQuantities.wrap(names, sums);
  }

  /** The sums of scalars, each shared one once. For `Resources`, which asks often. */
  static ofEntries(entries: readonly QuantityEntry[]): ResourceQuantities {
    const names: string[] = [];
    const amounts: number[] = [];
    for (const { metadata, thousandths } of entries) {
      if (thousandths > 0) addTo(names, amounts, metadata.name, thousandths);
    }
    return ResourceQuantities.wrap(names, amounts);
  }

  /** @param names each once, sorted */
  static ofThousandths(names: readonly string[], amounts: readonly number[]): ResourceQuantities {
    const there = (_: unknown, i: number): boolean => (amounts[i] ?? 0) > 0;
    return ResourceQuantities.wrap(names.filter(there), amounts.filter(there));
  }

  private static wrap(names: readonly string[], amounts: readonly number[]): ResourceQuantities {
    return names.length === 0 ? ResourceQuantities.empty : new ResourceQuantities(names, amounts);
  }

  get isEmpty(): boolean {
    return this.names.length === 0;
  }

  get(name: string): number {
    return fromThousandths(this.thousandths(name));
  }

  /** Exact, unlike `get` whose sums are not. */
  thousandths(name: string): number {
    const { names } = this;
    for (let i = 0; i < names.length; i += 1) if (names[i] === name) return this.amounts[i] ?? 0;
    return 0;
  }

  plus(other: ResourceQuantities): ResourceQuantities {
    if (other.names.length === 0) return this;
    if (this.names.length === 0) return other;
    const names: string[] = [];
    const amounts: number[] = [];
    let l = 0;
    let r = 0;
    for (;;) {
      const left = this.names[l];
      const right = other.names[r];
      if (left !== undefined && (right === undefined || left < right)) {
        names.push(left);
        amounts.push(this.amounts[l] ?? 0);
        l += 1;
      } else if (right !== undefined) {
        names.push(right);
        amounts.push((other.amounts[r] ?? 0) + (left === right ? (this.amounts[l] ?? 0) : 0));
        if (left === right) l += 1;
        r += 1;
      } else {
        return new ResourceQuantities(names, amounts);
      }
    }
  }

  /** Nothing becomes negative. */
  minus(other: ResourceQuantities): ResourceQuantities {
    if (this.names.length === 0 || other.names.length === 0) return this;
    if (other === this) return ResourceQuantities.empty;
    const names: string[] = [];
    const amounts: number[] = [];
    let isChanged = false;
    for (let i = 0; i < this.names.length; i += 1) {
      const name = this.names[i] ?? '';
      const amount = this.amounts[i] ?? 0;
      const taken = other.thousandths(name);
      if (taken > 0) isChanged = true;
      if (taken >= amount) continue;
      names.push(name);
      amounts.push(amount - taken);
    }
    return isChanged ? ResourceQuantities.wrap(names, amounts) : this;
  }

  contains(other: ResourceQuantities): boolean {
    for (let i = 0; i < other.names.length; i += 1) {
      if (this.thousandths(other.names[i] ?? '') < (other.amounts[i] ?? 0)) return false;
    }
    return true;
  }

  equals(other: ResourceQuantities): boolean {
    return this.names.length === other.names.length && this.contains(other) && other.contains(this);
  }

  *[Symbol.iterator](): Iterator<[string, number]> {
    for (const name of this.names) yield [name, this.get(name)];
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this);
  }

  /** The form that `parse` reads. */
  toString(): string {
    return textOfQuantities(this);
  }
}

interface QuantityEntry {
  readonly metadata: { readonly name: string };
  readonly thousandths: number;
}

/** Into sorted names and their amounts. */
function addTo(names: string[], amounts: number[], name: string, thousandths: number): void {
  let at = names.length;
  while (at > 0) {
    const before = names[at - 1] ?? '';
    if (before === name) {
      amounts[at - 1] = (amounts[at - 1] ?? 0) + thousandths;
      return;
    }
    if (before < name) break;
    at -= 1;
  }
  names.push(name);
  amounts.push(thousandths);
  for (let i = names.length - 1; i > at; i -= 1) {
    names[i] = names[i - 1] ?? '';
    amounts[i] = amounts[i - 1] ?? 0;
  }
  names[at] = name;
  amounts[at] = thousandths;
}

export function pairsOf(
  amounts: Readonly<Record<string, number>> | Iterable<readonly [string, number]>,
): Iterable<readonly [string, number]> {
  return isIterable(amounts) ? amounts : Object.entries(amounts);
}

function isIterable<Item>(value: Iterable<Item> | object): value is Iterable<Item> {
  return Symbol.iterator in value;
}

export function textOfQuantities(quantities: Iterable<readonly [string, number]>): string {
  return [...quantities].map(([name, amount]) => `${wordText(name)}:${amount}`).join(';');
}
