import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { root } from '../support/command.ts';
import { withNatsServer } from '../support/nats-server.ts';
import { skipBecause } from '../support/skip.ts';
import { commandOf, type Page, readPage } from './page.ts';

/** Inside the checkout, so that packages are found. */
const folder = join(root, 'test', 'docs', '.programs');

const pages = [
  'README.md',
  'packages/process/README.md',
  ...['docs', 'docs/process'].flatMap((place) =>
    readdirSync(join(root, place))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${place}/${name}`),
  ),
]
  .map(readPage)
  .filter(({ programs }) => programs.length > 0);

const folderOf = ({ path }: Page): string => join(folder, path.replace(/\.md$/, '').replaceAll('/', '-'));

describe('the programs of the documentation', function () {
  this.timeout(120_000);
  const server = withNatsServer({ credentials: 'none' });

  before(() => {
    for (const page of pages) {
      mkdirSync(folderOf(page), { recursive: true });
      for (const { file, code } of page.programs) writeFileSync(join(folderOf(page), file), code);
    }
    const config = {
      extends: '../../../tsconfig.base.json',
      compilerOptions: { composite: false, noEmit: true, customConditions: ['mezzo:source'] },
      include: ['**/*.ts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('compile', () => {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout, status } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
    expect(status, stdout).to.equal(0);
  });

  for (const page of pages) {
    describe(page.path, () => {
      const started: ChildProcess[] = [];
      after(() => {
        for (const child of started) child.kill('SIGKILL');
      });

      for (const { file, use, output } of page.programs) {
        if (use === 'compiled') continue;
        it(`${file} ${output === undefined ? 'runs' : 'prints what the page says'}`, async function () {
          const [command, program] = commandOf(join(folderOf(page), file));
          if (command === 'bash' && spawnSync('bash', ['--version']).status !== 0) skipBecause(this, 'no bash on PATH');
          const env = { ...process.env, NATS_URL: server.url, NATS_PORT: `${server.port}` };
          const options = { cwd: root, env, timeout: 60_000 };
          if (use === 'background') {
            const child = spawn(command, program, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
            started.push(child);
            const [said] = (await once(child.stdout, 'data')) as [Buffer];
            if (output !== undefined) expect(String(said)).to.equal(output);
            return;
          }
          const { stdout } = await promisify(execFile)(command, program, options);
          if (output !== undefined) expect(stdout).to.equal(output);
        });
      }
    });
  }
});
