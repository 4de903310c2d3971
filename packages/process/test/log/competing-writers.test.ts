import { nodePlatform } from '@mezzo/process';
import { fileLog } from '@mezzo/process/log';
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('./competing-writer.ts', import.meta.url));

describe('a log in files', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mezzo-log-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('has every entry that was confirmed to several OS processes, once, and no other', async () => {
    const writers = ['one', 'two', 'three'];
    const confirmed = await Promise.all(
      writers.map(async (name) => {
        const flags = ['--import', 'tsx', '--conditions=mezzo:source'];
        const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, folder, name, '40']);
        const sequences: number[] = JSON.parse(stdout);
        return sequences;
      }),
    );
    expect(new Set(confirmed.flat()).size).to.equal(confirmed.flat().length);
    expect(confirmed.flat()).to.have.length.within(40, 120);
    const { snapshot, entries } = await fileLog(nodePlatform().files, folder).read();
    const counts = new Map<string, number>(
      JSON.parse(new TextDecoder().decode(snapshot?.state ?? Uint8Array.of(91, 93))),
    );
    for (const { records } of entries) {
      const writer = new TextDecoder().decode(records[0]);
      counts.set(writer, (counts.get(writer) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).to.deep.equal({ one: 40, two: 40, three: 40 });
  });
});
