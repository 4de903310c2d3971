import { expect } from 'chai';
import fc from 'fast-check';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  countSequentially,
  listTextFiles,
  makeShards,
  ShardFolder,
  type Totals,
  WordCounts,
} from '@mezzo/example-wordcount';
import { nastyFiles, writeNastyFiles } from './nasty-files.ts';
import { runTask } from './run-task.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** The definition: maximal runs of ASCII letters, lower-cased. */
function wordsOf(contents: readonly Buffer[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const content of contents) {
    for (const [word] of content.toString('latin1').matchAll(/[A-Za-z]+/g)) {
      const key = word.toLowerCase();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

async function countByTasks(input: string, work: string, count: number): Promise<Totals> {
  const { files } = await listTextFiles(input);
  await using folder = await ShardFolder.create(work, makeShards(files, count));
  const counts = new WordCounts();
  for (const task of folder.tasks) {
    const { code, data } = await runTask(task, join(work, `sandbox-${task.index}-of-${count}`));
    expect(code).to.equal(0);
    counts.add(task.index, data);
  }
  return { words: counts.words, distinct: counts.distinct, top: counts.top(20) };
}

describe('countCommand', () => {
  it('counts nasty files as one sequential pipeline and as the definition does', async () => {
    await using folder = await TemporaryFolder.create();
    await using work = await TemporaryFolder.create();
    await writeNastyFiles(folder);
    const defined = wordsOf(nastyFiles.map(([, content]) => Buffer.from(content)));
    const { files } = await listTextFiles(folder.path);
    const sequential = await countSequentially(files);
    expect(sequential.words).to.equal([...defined.values()].reduce((sum, count) => sum + count, 0));
    expect(sequential.distinct).to.equal(defined.size);
    expect(await countByTasks(folder.path, work.path, 1)).to.deep.equal(sequential);
    expect(await countByTasks(folder.path, work.path, 5)).to.deep.equal(sequential);
  });

  it('counts any bytes as the definition does', async () => {
    await using work = await TemporaryFolder.create();
    const piece = fc.oneof(
      fc
        .constantFrom('a', 'Ab', 'zebra', ' ', '\n', '\r\n', '1', '_', '\0', 'é', '\uFEFF')
        .map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 8 }).map((data) => Buffer.from(data)),
    );
    const content = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.concat(pieces));
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 5 }), async (contents) => {
        await using folder = await TemporaryFolder.create();
        for (const [index, data] of contents.entries()) await folder.write(`${index}`, data);
        const files = contents.map((data, index) => ({
          path: Buffer.from(`${folder.path}/${index}`),
          size: data.length,
        }));
        await using lists = await ShardFolder.create(work.path, makeShards(files, 1));
        const defined = wordsOf(contents);
        const counts = new WordCounts();
        for (const task of lists.tasks) counts.add(0, (await runTask(task, join(work.path, `run-${runs++}`))).data);
        expect(new Map(counts.top(Infinity))).to.deep.equal(defined);
        const { words, distinct } = await countSequentially(files);
        expect([words, distinct]).to.deep.equal([counts.words, counts.distinct]);
      }),
      { numRuns: 25 },
    );
  });

  it('fails and names the file when one has vanished since it was listed', async () => {
    await using folder = await TemporaryFolder.create();
    await using work = await TemporaryFolder.create();
    await folder.write('here', 'some words');
    await folder.write('vanished', 'more words');
    const { files } = await listTextFiles(folder.path);
    await unlink(join(folder.path, 'vanished'));
    await using lists = await ShardFolder.create(work.path, makeShards(files, 1));
    const [task] = lists.tasks;
    if (task === undefined) throw new Error('there is no shard');
    const { code, data } = await runTask(task, join(work.path, 'sandbox'));
    expect(code).to.equal(1);
    expect(data.toString()).to.match(/^Reading the files failed\n.*vanished: No such file or directory/);
  });

  it('fails when the list itself is gone', async () => {
    await using work = await TemporaryFolder.create();
    const { code, data } = await runTask(
      { index: 0, list: join(work.path, 'nowhere'), bytes: 0 },
      join(work.path, 'sandbox'),
    );
    expect(code).to.equal(1);
    expect(data.toString()).to.match(/^Reading the files failed\n.*nowhere/);
  });
});
