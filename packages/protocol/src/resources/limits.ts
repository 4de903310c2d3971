import { parseQuantities } from './quantities-form.ts';
import { pairsOf, type ResourceQuantities, textOfQuantities } from './quantities.ts';
import { fromThousandths, scalarFault, toThousandths } from './scalar.ts';
import { ResourcesParseError } from './parse-error.ts';

// Not a static field: TypeScript 7.0 emits an initializer that runs before the class has its name.
let none: ResourceLimits | undefined;

/** Immutable upper bounds of scalars by name. What is absent is unlimited; 0 is a limit. */
export class ResourceLimits implements Iterable<[name: string, amount: number]> {
  static get empty(): ResourceLimits {
    return (none ??= new ResourceLimits([], []));
  }

  /** Each name once, sorted. */
  readonly names: readonly string[];
  // In thousandths, in the order of names. Not a #private field: assertions compare enumerable ones.
  private readonly amounts: readonly number[];

  private constructor(names: readonly string[], amounts: readonly number[]) {
    this.names = names;
    this.amounts = amounts;
  }

  /**
   * Reads `cpus:1;mem:0`: scalars only.
   *
   * @throws {ResourcesParseError} also for a name that appears twice
   */
  static parse(text: string): ResourceLimits {
    const amounts = new Map<string, number>();
    for (const { name, scalar, position } of parseQuantities(text)) {
      if (amounts.has(name)) {
        throw new ResourcesParseError(text, position, 'each limit once', `${JSON.stringify(name)} again`);
      }
      amounts.set(name, toThousandths(scalar));
    }
    return ResourceLimits.#sorted(amounts);
  }

  /** @throws {RangeError} for a name twice, and an amount that is negative, not finite, or too small or large */
  static of(limits: Readonly<Record<string, number>> | Iterable<readonly [string, number]>): ResourceLimits {
    const amounts = new Map<string, number>();
    for (const [name, amount] of pairsOf(limits)) {
      const fault = amounts.has(name) ? 'it is given twice' : scalarFault(amount);
      if (fault !== undefined) throw new RangeError(`Invalid limit of ${JSON.stringify(name)}: ${fault}`);
      amounts.set(name, toThousandths(amount));
    }
    return ResourceLimits.#sorted(amounts);
  }

  static #sorted(amounts: ReadonlyMap<string, number>): ResourceLimits {
    if (amounts.size === 0) return ResourceLimits.empty;
    const sorted = [...amounts].sort(([a], [b]) => (a < b ? -1 : 1));
    return new ResourceLimits(
      sorted.map(([name]) => name),
      sorted.map(([, thousandths]) => thousandths),
    );
  }

  /** True when nothing is limited. */
  get isEmpty(): boolean {
    return this.names.length === 0;
  }

  /** undefined: unlimited. */
  get(name: string): number | undefined {
    const thousandths = this.thousandths(name);
    return thousandths === undefined ? undefined : fromThousandths(thousandths);
  }

  /** As `get`, exact. */
  thousandths(name: string): number | undefined {
    const { names } = this;
    for (let i = 0; i < names.length; i += 1) if (names[i] === name) return this.amounts[i];
    return undefined;
  }

  /** What remains of each limit; 0 where more is taken away than there is. */
  minus(quantities: ResourceQuantities): ResourceLimits {
    if (this.isEmpty || quantities.isEmpty) return this;
    const rest = this.amounts.map((amount, i) => Math.max(0, amount - quantities.thousandths(this.names[i] ?? '')));
    return new ResourceLimits(this.names, rest);
  }

  /** Some of the quantities, if only a part, is within them. */
  hasRoomFor(quantities: ResourceQuantities): boolean {
    for (const name of quantities.names) if (this.thousandths(name) !== 0) return true;
    return false;
  }

  contains(quantities: ResourceQuantities): boolean {
    return this.amounts.every((amount, i) => quantities.thousandths(this.names[i] ?? '') <= amount);
  }

  equals(other: ResourceLimits): boolean {
    const { names, amounts } = other;
    return (
      this.names.length === names.length &&
      this.names.every((name, i) => name === names[i] && this.amounts[i] === amounts[i])
    );
  }

  *[Symbol.iterator](): Iterator<[string, number]> {
    for (const [i, name] of this.names.entries()) yield [name, fromThousandths(this.amounts[i] ?? 0)];
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this);
  }

  /** The form that `parse` reads. */
  toString(): string {
    return textOfQuantities(this);
  }
}
