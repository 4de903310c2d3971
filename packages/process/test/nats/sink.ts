import { message, Process } from '@mezzo/process';

import { checked } from '../transport/processes.ts';

const isItem = (value: unknown): value is { readonly n: number; readonly filling: string } =>
  typeof value === 'object' && value !== null && 'n' in value && 'filling' in value;
const isRecord = (
  value: unknown,
): value is { readonly count: number; readonly sum: number; readonly disorder: number } =>
  typeof value === 'object' && value !== null && 'count' in value && 'sum' in value && 'disorder' in value;
const isNothing = (_value: unknown): _value is unknown => true;

export const Item = message('item', checked(isItem));
export const Report = message('report', checked(isNothing));
export const Record = message('record', checked(isRecord));

/** Takes numbered items from senders that number theirs from 0, and can tell whether any is missing, doubled or out of order. */
export class Sink extends Process {
  readonly #next = new Map<string, number>();
  #count = 0;
  #sum = 0;
  #disorder = 0;

  protected override initialize(): void {
    this.install(Item, ({ n }, from) => {
      this.#count++;
      this.#sum += n;
      if (n !== (this.#next.get(from.node) ?? 0)) this.#disorder++;
      this.#next.set(from.node, n + 1);
    });
    this.install(
      Report,
      () => void this.reply(Record, { count: this.#count, sum: this.#sum, disorder: this.#disorder }),
    );
  }
}

/** What a sink tells that got each of so many items of one sender once and in order. */
export function all(items: number): { count: number; sum: number; disorder: number } {
  return { count: items, sum: (items * items - items) / 2, disorder: 0 };
}
