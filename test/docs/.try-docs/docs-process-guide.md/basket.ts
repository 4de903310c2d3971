import { Process, request } from '@mezzo/process';

export const Keep = request<string, number>('keep');

/** Keeps what is put into it for half an hour. */
export class Basket extends Process {
  readonly #items = new Set<string>();

  protected override initialize(): void {
    this.answer(Keep, (item) => {
      this.#items.add(item);
      this.delay('30mins', () => this.#items.delete(item));
      return this.#items.size;
    });
  }

  size(): number {
    return this.#items.size;
  }
}
