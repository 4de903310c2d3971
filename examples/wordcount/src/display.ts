import type { Report } from './count-words.ts';
import type { Progress } from './word-count-scheduler.ts';

export type DisplayMode = 'json' | 'bar' | 'plain';

interface ManifestTotals {
  readonly files: number;
  readonly bytes: number;
  readonly shards: number;
}

/** Milliseconds between two reports of progress: a terminal's line is drawn again, a log gets one more. */
const interval = { json: 100, bar: 100, plain: 5000 };
const barWidth = 30;

/** What the job says on standard output. */
export class Display {
  readonly #mode: DisplayMode;
  readonly #write: (text: string) => void;
  #last = Number.NEGATIVE_INFINITY;

  constructor(mode: DisplayMode, write: (text: string) => void = (text) => void process.stdout.write(text)) {
    this.#mode = mode;
    this.#write = write;
  }

  manifest(manifest: ManifestTotals): void {
    if (this.#mode === 'json') this.#json({ manifest });
    else this.#write(`${manifest.files} files, ${manifest.bytes} bytes, in ${manifest.shards} shards\n`);
  }

  progress(progress: Progress): void {
    const { total, finished } = progress.shards;
    const now = performance.now();
    if (now - this.#last < interval[this.#mode] && finished < total) return;
    this.#last = now;
    if (this.#mode === 'json') this.#json({ progress });
    else if (this.#mode === 'plain') this.#write(`${barOf(progress)}\n`);
    else this.#write(`\r\u001b[2K${barOf(progress)}`);
  }

  result(report: Report): void {
    if (this.#mode === 'json') this.#json({ result: report });
    else this.#write(`${this.#mode === 'bar' ? '\n' : ''}${tableOf(report)}`);
  }

  error(message: string): void {
    // Who reads JSON tells people: a line on standard error, which is often shared, would tell them twice.
    if (this.#mode === 'json') return this.#json({ error: message });
    if (this.#mode === 'bar') this.#write('\n');
    process.stderr.write(`wordcount: ${message}\n`);
  }

  #json(line: object): void {
    this.#write(`${JSON.stringify(line)}\n`);
  }
}

/** One line: a bar, the numbers of shards, and how tasks have ended. */
export function barOf({ shards, tasks }: Progress): string {
  const { total, finished, staging, running, waiting } = shards;
  const done = total === 0 ? barWidth : Math.floor((finished / total) * barWidth);
  const bar = '#'.repeat(done).padEnd(barWidth, '.');
  const ends = Object.entries(tasks).map(([state, count]) => `${state} ${count}`);
  return [
    `[${bar}] ${finished}/${total}`,
    `waiting ${waiting}`,
    `staging ${staging}`,
    `running ${running}`,
    ...ends,
  ].join('  ');
}

/** The most frequent words and the totals, for people. */
export function tableOf({ top, files, bytes, words, distinct, tasks, seconds }: Report): string {
  const width = String(top[0]?.[1] ?? 0).length;
  const lines = top.map(([word, count]) => `${String(count).padStart(width + 2)}  ${word}`);
  const ends = Object.entries(tasks).map(([state, count]) => `${state} ${count}`);
  return `${[...lines, '', `${words} words, ${distinct} distinct, in ${files} files (${bytes} bytes)`, `${ends.join(', ')}; ${seconds} s`].join('\n')}\n`;
}
