import { gunzipSync } from 'node:zlib';

/** A word and how often it occurs. */
export type WordCount = readonly [word: string, count: number];

/** What a task delivered is not the result of a count. */
export class ResultInvalid extends Error {
  override readonly name = 'ResultInvalid';
}

/** Results above this size, in bytes, are refused: words are many, but not that many. */
const largestResult = 256 * 1024 * 1024;

/** The merged counts of shards, each of which counts once however often its result comes. */
export class WordCounts {
  readonly #counts = new Map<string, number>();
  readonly #shards = new Set<number>();
  #words = 0;

  /**
   * Adds a shard's result, whole or not at all; false if the shard's result is held already.
   *
   * @param data what the task's command wrote, gzipped or plain
   * @throws ResultInvalid if it is damaged or cut off
   */
  add(shard: number, data: Uint8Array): boolean {
    if (this.#shards.has(shard)) return false;
    const { counts, total } = parse(data);
    for (const [word, count] of counts) this.#counts.set(word, (this.#counts.get(word) ?? 0) + count);
    this.#words += total;
    this.#shards.add(shard);
    return true;
  }

  has(shard: number): boolean {
    return this.#shards.has(shard);
  }

  /** Shards held. */
  get shards(): number {
    return this.#shards.size;
  }

  get words(): number {
    return this.#words;
  }

  get distinct(): number {
    return this.#counts.size;
  }

  /** The most frequent words; among equals in alphabetical order. */
  top(length: number): readonly WordCount[] {
    return [...this.#counts].sort(byFrequency).slice(0, length);
  }
}

export function byFrequency([a, countOfA]: WordCount, [b, countOfB]: WordCount): number {
  return countOfB - countOfA || (a < b ? -1 : 1);
}

function parse(data: Uint8Array): { readonly counts: readonly WordCount[]; readonly total: number } {
  const lines = textOf(data).split('\n');
  // The last line ends with a newline too.
  const rest = lines.pop();
  const last = /^\. (\d+)$/.exec(lines.pop() ?? '');
  if (rest !== '' || last === null) throw new ResultInvalid('The result has no total: it was cut off');
  const counts = lines.map((line): WordCount => {
    const [, word, count] = /^([a-z]+) (\d+)$/.exec(line) ?? [];
    if (word === undefined)
      throw new ResultInvalid(`The result has a line '${line.slice(0, 80)}': expected 'word count'`);
    return [word, Number(count)];
  });
  const total = Number(last[1]);
  const sum = counts.reduce((partial, [, count]) => partial + count, 0);
  if (sum !== total) throw new ResultInvalid(`The result's counts add up to ${sum}, but its total is ${total}`);
  return { counts, total };
}

function textOf(data: Uint8Array): string {
  const isGzip = data[0] === 0x1f && data[1] === 0x8b;
  try {
    return Buffer.from(isGzip ? gunzipSync(data, { maxOutputLength: largestResult }) : data).toString('latin1');
  } catch (error) {
    throw new ResultInvalid(`The result cannot be unpacked: ${String(error)}`, { cause: error });
  }
}
