import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TextFile } from './manifest.ts';
import { plainListOf } from './shard-folder.ts';
import type { WordCount } from './word-counts.ts';

export interface Totals {
  readonly words: number;
  readonly distinct: number;
  /** The twenty most frequent words; among equals in alphabetical order. */
  readonly top: readonly WordCount[];
}

// grep, sort and uniq share nothing with a task's pipeline; bash for pipefail. grep says 1 for files without words.
const script = `
set -o pipefail
xargs -0 -r sh -c 'grep -ohaE "[A-Za-z]+" "$@" || test $? = 1' grep < "$1" |
  tr A-Z a-z | sort | uniq -c | sort -k1,1nr -k2,2 |
  awk '{ words += $1; if (NR <= 20) print $2, $1 } END { printf "%.0f %d\\n", words, NR }'
`;

/** Counts the files of a manifest with one shell pipeline: what the cluster's totals are checked against. */
export async function countSequentially(files: readonly TextFile[]): Promise<Totals> {
  const folder = await mkdtemp(join(tmpdir(), 'wordcount-sequential-'));
  try {
    const list = join(folder, 'list');
    await writeFile(list, plainListOf(files));
    const { stdout } = await promisify(execFile)('bash', ['-c', script, 'sequential', list], {
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    });
    const lines = stdout.trimEnd().split('\n');
    const [words, distinct] = lines.pop()?.split(' ') ?? [];
    const top = lines.map((line): WordCount => {
      const [word = '', count] = line.split(' ');
      return [word, Number(count)];
    });
    return { words: Number(words), distinct: Number(distinct), top };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
