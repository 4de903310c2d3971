import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../support/command.ts';
import { commandOf, readPage } from './page.ts';

describe("the simulation page's program", function () {
  this.timeout(60_000);
  // Inside the checkout, so that packages are found.
  const folder = join(root, 'test', 'docs', '.simulation');
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('fails with a diagram when it is careless', () => {
    const [counter] = readPage('docs/process/simulation.md').programs;
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'counter.ts');
    writeFileSync(file, counter?.code ?? '');
    const [command, program] = commandOf(file);
    const options = { cwd: root, encoding: 'utf8', timeout: 50_000 } as const;
    const { stderr } = spawnSync(command, [...program, '--careless'], options);
    expect(stderr).to.match(/Seed \d+ fails: \d+ were acknowledged, \d+ are stored/);
    expect(stderr).to.include('sequenceDiagram').and.include('power lost server');
  });
});
