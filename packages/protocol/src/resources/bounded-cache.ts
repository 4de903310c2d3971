/** Remembers up to `limit` values; forgets them all and begins anew when it is full, so that strangers' keys cannot fill memory. */
export class BoundedCache<Value> {
  readonly #limit: number;
  readonly #values = new Map<string, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    if (this.#values.size >= this.#limit) this.#values.clear();
    this.#values.set(key, value);
  }

  get size(): number {
    return this.#values.size;
  }
}
