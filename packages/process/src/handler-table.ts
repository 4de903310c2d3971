/** Above this many entries a search by name costs more than a Map. */
const listLimit = 8;

/** An entry: the table links them itself, so that one costs no more memory than it must. */
export interface Entry<T> {
  readonly name: string;
  next: T | undefined;
}

/**
 * What a process has for each kind of message, by name. Most processes have a few kinds, and there may be very many
 * processes: a short list takes a third of a Map's memory and is searched faster.
 */
export class HandlerTable<T extends Entry<T>> {
  #first: T | undefined = undefined;
  #map: Map<string, T> | undefined = undefined;

  get(name: string): T | undefined {
    if (this.#map !== undefined) return this.#map.get(name);
    for (let entry = this.#first; entry !== undefined; entry = entry.next) if (entry.name === name) return entry;
    return undefined;
  }

  /** The last one set for a name wins. */
  set(entry: T): void {
    if (this.#map !== undefined) {
      this.#map.set(entry.name, entry);
      return;
    }
    // It hides an older one of its name.
    entry.next = this.#first;
    this.#first = entry;
    let size = 0;
    for (let one: T | undefined = entry; one !== undefined; one = one.next) size++;
    if (size > listLimit) this.#spread();
  }

  #spread(): void {
    const map = new Map<string, T>();
    for (let entry = this.#first; entry !== undefined; entry = entry.next) {
      if (!map.has(entry.name)) map.set(entry.name, entry);
    }
    this.#map = map;
    this.#first = undefined;
  }
}
