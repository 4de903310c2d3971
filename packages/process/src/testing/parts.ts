/**
 * The drawn faults (`crash.2`) and acts (`act.7`) of a run that may take place, by name; a fault perhaps for a fraction of
 * its time only. Leaving parts out is how a failing history gets shorter.
 */
export class Parts {
  readonly #only: ReadonlyMap<string, number> | undefined;
  readonly #taken = new Map<string, number>();

  /** @param only part names with the fraction of the time they last. Default: all of them. */
  constructor(only?: ReadonlyMap<string, number>) {
    this.#only = only;
  }

  /** The fraction of its time that the part lasts; undefined if it is left out. */
  take(name: string): number | undefined {
    const fraction = this.#only === undefined ? 1 : this.#only.get(name);
    if (fraction !== undefined) this.#taken.set(name, fraction);
    return fraction;
  }

  /** What took place so far. */
  get taken(): ReadonlyMap<string, number> {
    return this.#taken;
  }
}

/** `act.7,pause.1/4`: the parts as text, a fraction as its divisor. */
export function formatParts(parts: ReadonlyMap<string, number>): string {
  return [...parts].map(([name, fraction]) => (fraction === 1 ? name : `${name}/${1 / fraction}`)).join(',');
}

/** Reads what formatParts gave. */
export function parseParts(text: string): ReadonlyMap<string, number> {
  const parts = new Map<string, number>();
  for (const part of text.split(',')) {
    const [name = '', divisor = '1'] = part.split('/');
    if (name !== '') parts.set(name, 1 / Number(divisor));
  }
  return parts;
}
