import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/command.ts';

/** A TypeScript program that a page shows. */
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
    words,
    content,
  }));
  const programs = blocks.flatMap(({ kind, words, content }, index): readonly Program[] => {
    if (kind !== 'ts') return [];
    const next = blocks.slice(index + 1);
    const end = next.findIndex((block) => block.kind === 'ts');
    const output = next.slice(0, end === -1 ? undefined : end).find((block) => block.kind === 'text');
    const [, title = `program-${index}.ts`] = /title="([\w-]+\.ts)"/.exec(words) ?? [];
    const [use = 'run'] = (['background', 'compiled'] as const).filter((word) => words.split(' ').includes(word));
    return [{ file: title, code: content, use, output: output?.content }];
  });
  return { path, text, programs };
}
