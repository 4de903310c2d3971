import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

import { root } from '../support/command.ts';

describe("the streams page's programs", function () {
  this.timeout(60_000);
  const page = readFileSync(join(root, 'docs', 'streams.md'), 'utf8');
  const programs = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  // Inside the checkout, so that packages are found.
  const folder = join(root, 'test', 'docs', '.streams');
  const program = (index: number): string => join(folder, `program-${index}.ts`);

  before(() => {
    mkdirSync(folder, { recursive: true });
    for (const [index, code] of programs.entries()) writeFileSync(program(index), code);
    const config = {
      extends: '../../../tsconfig.base.json',
      compilerOptions: { composite: false, noEmit: true, customConditions: ['mezzo:source'] },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('compile', () => {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
    expect(status, stdout).to.equal(0);
  });

  it('print what the page says', () => {
    const node = ['--import', 'tsx', '--conditions=mezzo:source'];
    const run = (index: number): string =>
      execFileSync(process.execPath, [...node, program(index)], { cwd: root, encoding: 'utf8', timeout: 30_000 });
    expect(run(0)).to.equal('1 working\n2 done\n');
    expect(page).to.include('prints `1 working` and `2 done`');
    expect(run(1)).to.equal('begun\ndone\nnobody follows any more\n');
    expect(page).to.include('prints `begun`, `done` and `nobody follows any more`');
  });
});
