/** A FIFO in a growing ring of a power-of-two size; it gives its memory back when a burst has drained. */
export class Ring<T> {
  #slots: (T | undefined)[];
  #mask: number;
  #head = 0;
  #tail = 0;

  constructor(capacity = 8) {
    this.#slots = new Array<T | undefined>(capacity);
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  push(value: T): void {
    if (this.#tail - this.#head > this.#mask) this.#resize((this.#mask + 1) * 2);
    this.#slots[this.#tail++ & this.#mask] = value;
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const index = this.#head++ & this.#mask;
    const value = this.#slots[index];
    this.#slots[index] = undefined;
    if (this.#head === this.#tail) this.#drained();
    return value;
  }

  /** Beginning anew keeps the positions small integers, and the slots in use in the processor's cache. */
  #drained(): void {
    this.#head = this.#tail = 0;
    if (this.#mask >= 4095) this.#resize(64);
  }

  /** What `shift` would give, left in place. */
  peek(): T | undefined {
    return this.#head === this.#tail ? undefined : this.#slots[this.#head & this.#mask];
  }

  *[Symbol.iterator](): Generator<T> {
    for (let at = this.#head; at < this.#tail; at++) yield this.#slots[at & this.#mask] as T;
  }

  #resize(capacity: number): void {
    const slots = new Array<T | undefined>(capacity);
    const size = this.size;
    for (let index = 0; index < size; index++) slots[index] = this.#slots[(this.#head + index) & this.#mask];
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
    this.#tail = size;
  }
}
