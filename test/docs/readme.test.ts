import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../support/command.ts';

describe("the README's programs", function () {
  this.timeout(120_000);
  // Inside the checkout, so that packages are found.
  const folder = join(root, 'test', 'docs', '.readme');
  const programs = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
    ([, code]) => code ?? '',
  );

  before(() => {
    mkdirSync(folder, { recursive: true });
    for (const [index, code] of programs.entries()) writeFileSync(join(folder, `program-${index}.ts`), code);
    const config = {
      extends: '../../../tsconfig.base.json',
      compilerOptions: { composite: false, noEmit: true },
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

  it('do what they say', () => {
    const run = (index: number): string =>
      execFileSync(process.execPath, ['--import', 'tsx', join(folder, `program-${index}.ts`)], {
        cwd: root,
        encoding: 'utf8',
        timeout: 60_000,
      });
    expect(run(0)).to.equal('{ n: 1 }\n42\necho has ended: terminated\n');
    expect(run(2)).to.equal('{ a: 3, b: 2 }\n');
  });
});
