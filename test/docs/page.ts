import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../support/command.ts';

/** A program that a page shows: every block marked `ts`, and those marked `sh run`. */
export interface Program {
  /** Its name in the folder where the page's programs lie beside each other. */
  readonly file: string;
  readonly code: string;
  /**
   * What the words behind `ts` ask for: to run it to its end (nothing), to leave it running for those behind it
   * (`background`), or to compile it only, because it needs what no test of a page has (`compiled`).
   */
  readonly use: 'run' | 'background' | 'compiled';
  /** What the page says that it prints: the next block marked `text`, if there is one before the next program. */
  readonly output: string | undefined;
}

export interface Page {
  /** Such as `docs/process/guide.md`. */
  readonly path: string;
  readonly text: string;
  readonly programs: readonly Program[];
}

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8');
  const blocks = [...text.matchAll(/^```(\w*) *(.*)\n([\s\S]*?)^```$/gm)].map(([, kind, words = '', content = '']) => ({
    kind,
    title: /title="([\w-]+\.ts)"/.exec(words)?.[1],
    words: words.split(' '),
    content,
  }));
  const isProgram = ({ kind, words }: (typeof blocks)[number]): boolean =>
    kind === 'ts' || (kind === 'sh' && words.includes('run'));
  const programs = blocks.flatMap((block, index): readonly Program[] => {
    if (!isProgram(block)) return [];
    const { kind, words, content, title = `program-${index}.${kind}` } = block;
    const next = blocks.slice(index + 1);
    const end = next.findIndex(isProgram);
    const output = next.slice(0, end === -1 ? undefined : end).find((other) => other.kind === 'text');
    const [use = 'run'] = (['background', 'compiled'] as const).filter((word) => words.includes(word));
    return [{ file: title, code: content, use, output: output?.content }];
  });
  return { path, text, programs };
}

const inThreads = join(root, 'packages/process/test/pool/fixtures/typescript-in-threads.mjs');

/** What runs a program that was written to `file`, and its arguments. */
export function commandOf(file: string): readonly [string, readonly string[]] {
  if (file.endsWith('.sh')) return ['bash', [file]];
  const node = ['--import', 'tsx', '--import', pathToFileURL(inThreads).href, '--conditions=mezzo:source'];
  return [process.execPath, [...node, file]];
}
