import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

import { root } from '../support/command.ts';
import { withNatsServer } from '../support/nats-server.ts';
import { skipBecause } from '../support/skip.ts';

describe("the NATS page's programs", function () {
  this.timeout(60_000);
  const server = withNatsServer({ credentials: 'none' });
  const page = readFileSync(join(root, 'docs', 'nats.md'), 'utf8');
  const blocks = (kind: string): string[] =>
    [...page.matchAll(new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text ?? '');
  // Inside the checkout, so that packages are found.
  const folder = join(root, 'test', 'docs', '.nats');
  const program = (index: number): string => join(folder, `program-${index}.ts`);
  const node = ['--import', 'tsx', '--conditions=mezzo:source'];

  before(() => {
    mkdirSync(folder, { recursive: true });
    for (const [index, code] of blocks('ts').entries()) writeFileSync(program(index), code);
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

  it('print the permissions that the page shows', () => {
    const printed = execFileSync(process.execPath, [...node, program(0)], { cwd: root, encoding: 'utf8' });
    expect(page).to.include(`\`\`\`\n${printed.trimEnd()}\n\`\`\``);
  });

  it('open a door that a shell alone can ask at', async function () {
    const bash = spawnSync('bash', ['--version']).status === 0;
    if (!bash) skipBecause(this, 'no bash on PATH');
    const opened = spawn(process.execPath, [...node, program(1)], {
      cwd: root,
      env: { ...process.env, NATS_URL: server.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(opened.stdout, 'data');
      const [script = ''] = blocks('sh');
      expect(script).to.include('4222');
      const asked = promisify(execFile);
      const { stdout } = await asked('bash', ['-c', script.replace('4222', `${server.port}`)], { timeout: 20_000 });
      expect(stdout.trim()).to.equal('{"n":42}');
      expect(page).to.include('prints `{"n":42}`');
    } finally {
      opened.kill('SIGKILL');
    }
  });
});
