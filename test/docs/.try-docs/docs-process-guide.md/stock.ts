import { Future, Process } from '@mezzo/process';
import { Reserve } from './messages.ts';

export class Stock extends Process {
  readonly #shelf = new Map([['lamp', 3]]);

  protected override initialize(): void {
    this.answer(Reserve, ({ item, count }) => {
      const left = (this.#shelf.get(item) ?? 0) - count;
      if (left < 0) return Future.failed(new Error(`not enough of '${item}'`));
      this.#shelf.set(item, left);
      return { left };
    });
  }
}
