import type { Resources } from '@mezzo/protocol';

/** Amounts of scalars by name, kept in whole thousandths so that what is added and taken back sums up exactly. */
export class Quantities {
  readonly #thousandths = new Map<string, number>();

  get names(): Iterable<string> {
    return this.#thousandths.keys();
  }

  /** 0 for a name that is not there. */
  get(name: string): number {
    return (this.#thousandths.get(name) ?? 0) / 1000;
  }

  add(resources: Resources): void {
    this.#change(resources, 1);
  }

  subtract(resources: Resources): void {
    this.#change(resources, -1);
  }

  #change(resources: Resources, sign: 1 | -1): void {
    for (const [name, amount] of resources.scalarQuantities()) {
      const rest = (this.#thousandths.get(name) ?? 0) + sign * Math.round(amount * 1000);
      if (rest === 0) this.#thousandths.delete(name);
      else this.#thousandths.set(name, rest);
    }
  }
}
