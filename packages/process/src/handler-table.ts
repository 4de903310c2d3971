/** Above this many entries a search by name costs more than a Map. */
const listLimit = 8;

class Entry<T> {
  readonly name: string;
  value: T;
  next: Entry<T> | undefined;

  constructor(name: string, value: T, next: Entry<T> | undefined) {
    this.name = name;
    this.value = value;
    this.next = next;
  }
}

/**
 * What a process has for each kind of message, by name. Most processes have a few kinds, and there may be very many
 * processes: a short list takes a third of a Map's memory and is searched faster.
 */
export class HandlerTable<T> {
  #first: Entry<T> | undefined = undefined;
  #map: Map<string, T> | undefined = undefined;
  #size = 0;

  get(name: string): T | undefined {
    if (this.#map !== undefined) return this.#map.get(name);
    for (let entry = this.#first; entry !== undefined; entry = entry.next) if (entry.name === name) return entry.value;
    return undefined;
  }

  /** The last one set for a name wins. */
  set(name: string, value: T): void {
    if (this.#map !== undefined) {
      this.#map.set(name, value);
      return;
    }
    for (let entry = this.#first; entry !== undefined; entry = entry.next) {
      if (entry.name !== name) continue;
      entry.value = value;
      return;
    }
    this.#first = new Entry(name, value, this.#first);
    if (++this.#size > listLimit) this.#spread();
  }

  #spread(): void {
    const map = new Map<string, T>();
    for (let entry = this.#first; entry !== undefined; entry = entry.next) map.set(entry.name, entry.value);
    this.#map = map;
    this.#first = undefined;
  }
}
