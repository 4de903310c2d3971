import { parseQuantities } from './quantities-form.ts';
import { pairsOf, type ResourceQuantities, textOfQuantities } from './quantities.ts';
import { fromThousandths, scalarFault, toThousandths } from './scalar.ts';
import { ResourcesParseError } from './parse-error.ts';

// Not a static field: TypeScript 7.0 emits an initializer that runs before the class has its name.
let none: ResourceLimits | undefined;

/** Immutable upper bounds of scalars by name. What is absent is unlimited; 0 is a limit. */
export class ResourceLimits implements Iterable<[name: string, amount: number]> {
  static get empty(): ResourceLimits {
    return (none ??= new ResourceLimits(new Map()));
  }

  // In thousandths, sorted by name. Not a #private field: assertions compare enumerable ones.
  private readonly amounts: ReadonlyMap<string, number>;

  private constructor(amounts: ReadonlyMap<string, number>) {
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
    return new ResourceLimits(new Map([...amounts].sort(([a], [b]) => (a < b ? -1 : 1))));
  }

  /** True when nothing is limited. */
  get isEmpty(): boolean {
    return this.amounts.size === 0;
  }

  get names(): readonly string[] {
    return [...this.amounts.keys()];
  }

  /** undefined: unlimited. */
  get(name: string): number | undefined {
    const thousandths = this.amounts.get(name);
    return thousandths === undefined ? undefined : fromThousandths(thousandths);
  }

  /** As `get`, exact. */
  thousandths(name: string): number | undefined {
    return this.amounts.get(name);
  }

  /** What remains of each limit; 0 where more is taken away than there is. */
  minus(quantities: ResourceQuantities): ResourceLimits {
    if (this.amounts.size === 0 || quantities.isEmpty) return this;
    const rest = new Map<string, number>();
    for (const [name, amount] of this.amounts) rest.set(name, Math.max(0, amount - quantities.thousandths(name)));
    return new ResourceLimits(rest);
  }

  contains(quantities: ResourceQuantities): boolean {
    for (const [name, amount] of this.amounts) if (quantities.thousandths(name) > amount) return false;
    return true;
  }

  equals(other: ResourceLimits): boolean {
    if (this.amounts.size !== other.amounts.size) return false;
    for (const [name, amount] of this.amounts) if (other.amounts.get(name) !== amount) return false;
    return true;
  }

  *[Symbol.iterator](): Iterator<[string, number]> {
    for (const [name, thousandths] of this.amounts) yield [name, fromThousandths(thousandths)];
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this);
  }

  /** The form that `parse` reads. */
  toString(): string {
    return textOfQuantities(this);
  }
}
