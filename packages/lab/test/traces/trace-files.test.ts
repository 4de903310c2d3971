import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';

import { readScenario } from '../../src/scenario/read-scenario.ts';
import { convertTraceFiles, readTrace, traceFile } from '../../src/traces/index.ts';

describe('files of traces', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mezzo-traces-'));
    mkdirSync(join(folder, 'parts'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const part = (jobs: readonly number[], type: number): string =>
    jobs.map((job) => `${600_000_000 + type * 1_000_000},,${job},0,,${type},u,1,9,0.5,0.5,0,0\n`).join('');

  it('are read from folders in the order of their names, packed or not, and written beside each other', async () => {
    writeFileSync(join(folder, 'parts', 'part-00001-of-00002.csv.gz'), gzipSync(part([2, 1], 5)));
    writeFileSync(join(folder, 'parts', 'part-00000-of-00002.csv'), part([1, 2], 0) + part([1, 2], 1));
    writeFileSync(join(folder, 'parts', 'README'), 'not a part');
    const out = join(folder, 'out', 'deep');
    const { files, counts } = await convertTraceFiles({
      format: 'google-2011',
      tasks: [join(folder, 'parts')],
      folder: out,
      name: 'cell',
    });
    expect(counts).to.include({ tasks: 2, lines: 6 });
    expect(files).to.deep.equal([join(out, 'cell.csv'), join(out, 'cell.yaml')]);
    expect(readdirSync(out).sort()).to.deep.equal(['cell.csv', 'cell.yaml']);
    expect(readTrace(readFileSync(join(out, 'cell.csv'), 'utf8')).map(({ duration }) => duration)).to.deep.equal([
      4000, 4000,
    ]);
    const scenario = readScenario(readFileSync(join(out, 'cell.yaml'), 'utf8'), 'cell.yaml');
    expect(scenario.frameworks[0]).to.include({ trace: 'cell.csv' });
    let read = 0;
    for await (const task of readTrace(traceFile(join(out, 'cell.csv')))) read += task.duration;
    expect(read).to.equal(8000);
  });

  it('are sorted in the folder when they do not fit in memory', async () => {
    const table = join(folder, 'batch_task.csv');
    writeFileSync(table, 'M1,130000,j_1,1,Terminated,20,30,100,1\nM2,120000,j_2,1,Terminated,10,40,50,1\n');
    const out = join(folder, 'out');
    const { counts } = await convertTraceFiles({ format: 'alibaba-2018', tasks: [table], folder: out });
    expect(counts.tasks).to.equal(250_000);
    expect(readdirSync(out).sort()).to.deep.equal(['alibaba-2018.csv', 'alibaba-2018.yaml']);
    const lines = readFileSync(join(out, 'alibaba-2018.csv'), 'utf8').split('\n');
    expect(lines).to.have.lengthOf(250_002);
    expect([1, 120_000, 120_001, 250_000].map((at) => lines[at]?.slice(0, 3))).to.deep.equal([
      '10,',
      '10,',
      '20,',
      '20,',
    ]);
  });

  it('leave nothing behind when they cannot be converted', async () => {
    const bad = join(folder, 'bad.csv');
    writeFileSync(bad, `${part([1], 0)}nonsense\n`);
    const out = join(folder, 'out');
    const refused = async (tasks: readonly string[]): Promise<string> => {
      const outcome = await convertTraceFiles({ format: 'google-2011', tasks, folder: out }).then(
        () => 'converted',
        String,
      );
      expect(readdirSync(out)).to.deep.equal([]);
      return outcome;
    };
    expect(await refused([bad])).to.include(`${bad}, line 2: has 1 columns`);
    const expected = 'expected the table task_events, as a file (.csv, .csv.gz) or a folder of such files';
    const missing = join(folder, 'missing.csv');
    expect(await refused([missing])).to.equal(
      `Error: Cannot read ${missing}: there is no such file or folder; ${expected}`,
    );
    expect(await refused([join(folder, 'parts')])).to.include(`has no files called *.csv or *.csv.gz; ${expected}`);
    writeFileSync(join(folder, 'packed.tar.gz'), '');
    expect(await refused([join(folder, 'packed.tar.gz')])).to.include('unpack it first');
    const empty = join(folder, 'empty.csv');
    writeFileSync(empty, '');
    expect(await refused([empty])).to.match(
      new RegExp(`^Error: ${empty} is empty: expected the table task_events, with the columns time, missing info, `),
    );
    const broken = join(folder, 'broken.csv.gz');
    writeFileSync(broken, gzipSync(part([1, 2, 3], 0)).subarray(0, 30));
    expect(await refused([broken])).to.match(/unexpected end of file/);
    expect(() => traceFile('x/batch_task.tar.gz')).to.throw('unpack it first');
  });
});
