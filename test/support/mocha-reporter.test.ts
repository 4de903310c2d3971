import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

const root = fileURLToPath(new URL('../..', import.meta.url));
const skipModule = fileURLToPath(new URL('skip.ts', import.meta.url));

describe('the report of a test run', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mezzo-report-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs mocha on a file with these tests, then what closes a CI run. */
  async function report(tests: string, environment: NodeJS.ProcessEnv = {}) {
    const file = join(directory, 'some.test.ts');
    const totals = join(directory, 'totals.json');
    await writeFile(file, `import { skipBecause } from ${JSON.stringify(skipModule)};\n${tests}`);
    const { CI: _, MEZZO_REQUIRE_ALL: __, ...inherited } = process.env;
    const env = { ...inherited, MEZZO_TEST_TOTALS: totals, ...environment };
    const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const options = { cwd: root, env, encoding: 'utf8' } as const;
    const args = [mocha, '--no-config', '--node-option', 'import=tsx', '--extension', 'ts'];
    const run = spawnSync(process.execPath, [...args, '--reporter', './scripts/mocha-reporter.mjs', file], options);
    const closing = spawnSync(process.execPath, [join(root, 'scripts', 'test-totals.mjs'), totals], options);
    return { output: run.stdout, totals, closing };
  }

  it('closes with the counts of mocha', async () => {
    const { closing } = await report("it('a', () => {}); it('b', () => {});");
    expect(closing.stdout).to.equal('2 passed, 0 failed, 0 skipped\n');
    expect(closing.status).to.equal(0);
  });

  it('fails a run with a failed test', async () => {
    const { closing } = await report("it('a', () => {}); it('b', () => { throw new Error('no'); });");
    expect(closing.stdout).to.equal('1 passed, 1 failed, 0 skipped\n');
    expect(closing.status).to.equal(1);
  });

  it('names the skipped tests with their reasons, and fails the run that may not skip', async () => {
    const { output, closing } = await report(`
      describe('one', () => {
        before(function () { skipBecause(this, 'no anvil'); });
        it('a', () => {});
        describe('inner', () => { it('b', () => {}); });
      });
      describe('two', () => {
        beforeEach(function () { if (this.currentTest.title === 'c') skipBecause(this, 'no bellows'); });
        it('c', () => {});
        it('d', function () { skipBecause(this, 'no coal'); });
        it('e');
        it('f', () => {});
      });
    `);
    const told = output.slice(output.indexOf('5 skipped:'));
    expect(
      told
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    ).to.deep.equal([
      '5 skipped:',
      '- no anvil (2)',
      'one a',
      'one inner b',
      '- no bellows (1)',
      'two c',
      '- no coal (1)',
      'two d',
      '- no reason given (1)',
      'two e',
    ]);
    expect(closing.stdout).to.equal('1 passed, 0 failed, 5 skipped\n');
    expect(closing.status).to.equal(1);
  });

  for (const environment of [{ CI: 'true' }, { MEZZO_REQUIRE_ALL: '1' }]) {
    it(`fails instead of skipping with ${JSON.stringify(environment)}`, async () => {
      const tests = "it('a', function () { skipBecause(this, 'no anvil'); });";
      const { output, closing } = await report(tests, environment);
      expect(output).to.include('cannot run this test: no anvil');
      expect(closing.stdout).to.equal('0 passed, 1 failed, 0 skipped\n');
    });
  }

  it('fails a run without tests', async () => {
    const { closing } = await report('export {};');
    expect(closing.stdout).to.equal('0 passed, 0 failed, 0 skipped\n');
    expect(closing.status).to.equal(1);
  });

  it('fails a run that ended before it could report', async () => {
    const { closing, totals } = await report("it('a', () => process.exit(0));");
    expect(closing.status).to.equal(1);
    expect(closing.stdout).to.equal('');
    expect(closing.stderr).to.include('left no report');
    expect(await readFile(totals).catch(() => 'none')).to.equal('none');
  });
});
