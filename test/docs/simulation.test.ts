import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../support/command.ts';

describe("the simulation page's program", function () {
  this.timeout(60_000);
  // Inside the checkout, so that packages are found.
  const folder = join(root, 'test', 'docs', '.simulation');
  const program = join(folder, 'program.ts');
  const page = readFileSync(join(root, 'docs', 'simulation.md'), 'utf8');
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];

  before(() => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(program, code);
    const config = {
      extends: '../../../tsconfig.base.json',
      compilerOptions: { composite: false, noEmit: true, customConditions: ['mezzo:source'] },
      include: ['*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(...given: string[]): { readonly stdout: string; readonly stderr: string } {
    const node = ['--import', 'tsx', '--conditions=mezzo:source', program, ...given];
    return spawnSync(process.execPath, node, { cwd: root, encoding: 'utf8', timeout: 50_000 });
  }

  it('compiles', () => {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
    expect(status, stdout).to.equal(0);
  });

  it('prints what the page says', () => {
    expect(run().stdout).to.equal('200 seeds, many events, nothing forgotten\n');
  });

  it('fails with a diagram when it is careless', () => {
    const { stderr } = run('--careless');
    expect(stderr).to.match(/Seed \d+ fails: \d+ were acknowledged, \d+ are stored/);
    expect(stderr).to.include('sequenceDiagram').and.include('power lost server');
  });
});
