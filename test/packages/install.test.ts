import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { readPage } from '../docs/page.ts';
import { root } from '../support/command.ts';
import { skipBecause } from '../support/skip.ts';
import { entryPoints, packageFolders, readmePrograms } from './package-folder.ts';

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** What an npm around this test has set is about the checkout, except where packages come from. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) =>
      name !== 'NODE_OPTIONS' && !/^npm_(?!config_(registry|cache|userconfig|globalconfig|.*proxy)$)/.test(name),
  ),
);

function run(folder: string, command: string, args: readonly string[]): Ended {
  const options = { cwd: folder, env: environment, encoding: 'utf8', timeout: 120_000 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  return { status, output: error === undefined ? stdout + stderr : error.message };
}

/** A project with nothing but what npm installs from the tarballs. */
function install(project: string, tarballs: readonly string[]): Ended {
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  return run(project, 'npm', [
    'install',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefer-offline',
    ...tarballs,
  ]);
}

/** Compiles TypeScript files of a project as their author would, and leaves JavaScript beside them. */
function compile(project: string, programs: Readonly<Record<string, string>>): Ended {
  for (const [file, code] of Object.entries(programs)) writeFileSync(join(project, file), code);
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    module: 'nodenext',
    strict: true,
    noEmitOnError: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(programs) }));
  return run(project, process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', project]);
}

/** Errors of npm that tell of the network and not of what is installed. */
const NO_NETWORK = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/;

describe('the packages, installed from their tarballs', function () {
  this.timeout(300_000);
  const folders = packageFolders('packages');
  const place = join(tmpdir(), `mezzo-install-${process.pid}`);
  const alone = join(place, 'alone');
  const whole = join(place, 'whole');
  const tarballOf = new Map<string, string>();

  before(function () {
    const { status: present, output: missing } = run(root, 'npm', ['--version']);
    if (present !== 0) skipBecause(this, `npm cannot be run (${missing.trim()})`);
    mkdirSync(place);
    const args = folders.flatMap(({ path }) => ['--workspace', path]);
    const { status, output } = run(root, 'npm', ['pack', '--pack-destination', place, ...args]);
    expect(status, output).to.equal(0);
    for (const { manifest } of folders) {
      const tarball = join(place, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
      expect(existsSync(tarball), tarball).to.equal(true);
      tarballOf.set(manifest.name, tarball);
    }
    for (const [project, tarballs] of [
      [alone, [tarballOf.get('@mezzo/process') ?? '']],
      [whole, [...tarballOf.values()]],
    ] as const) {
      const installed = install(project, tarballs);
      if (installed.status !== 0 && NO_NETWORK.test(installed.output))
        skipBecause(this, 'npm cannot reach its registry');
      expect(installed.status, installed.output).to.equal(0);
    }
  });
  after(() => rmSync(place, { recursive: true, force: true }));

  it('have a license, a README, sources and declarations, and nothing of the build', () => {
    for (const { manifest } of folders) {
      const folder = join(whole, 'node_modules', manifest.name);
      const present = readdirSync(folder, { recursive: true, encoding: 'utf8' });
      expect(present).to.include.members(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']);
      expect(present.filter((file) => basename(file) === '.tsbuildinfo' || /(^|\/)test\//.test(file))).to.deep.equal(
        [],
      );
    }
  });

  it('run actors with @mezzo/process alone, which brings one dependency', () => {
    const folder = join(alone, 'node_modules', '@mezzo');
    expect(readdirSync(folder)).to.deep.equal(['process']);
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'process', 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    expect(Object.keys(dependencies)).to.deep.equal(['msgpackr']);
    for (const peer of ['nats', 'prom-client', 'xstate']) {
      expect(existsSync(join(alone, 'node_modules', peer)), peer).to.equal(false);
    }
    const [program] = readPage('packages/process/README.md').programs;
    expect(compile(alone, { 'program.ts': program?.code ?? '' })).to.deep.equal({ status: 0, output: '' });
    expect(run(alone, process.execPath, ['program.js'])).to.deep.equal({ status: 0, output: program?.output });
  });

  it('serve HTTP and simulate with @mezzo/process alone', () => {
    const code = "for (const it of ['', '/http', '/testing']) await import(`@mezzo/process${it}`)";
    expect(run(alone, process.execPath, ['--input-type=module', '-e', code])).to.deep.equal({ status: 0, output: '' });
  });

  it('give every entry point', () => {
    const modules = folders.flatMap(({ manifest }) => entryPoints(manifest));
    expect(modules).to.include.members(['@mezzo/process/xstate', '@mezzo/process/nats', '@mezzo/cli']);
    const code = `for (const it of ${JSON.stringify(modules)}) if (Object.keys(await import(it)).length === 0) console.log(it)`;
    expect(run(whole, process.execPath, ['--input-type=module', '-e', code])).to.deep.equal({ status: 0, output: '' });
  });

  it("compile the READMEs' programs", () => {
    const programs = folders.flatMap(({ path }) =>
      readmePrograms(path).map((code, index) => [`${basename(path)}-${index}.ts`, code] as const),
    );
    expect(programs).to.have.length.at.least(folders.length);
    expect(compile(whole, Object.fromEntries(programs))).to.deep.equal({ status: 0, output: '' });
  });

  it('start the mezzo command', () => {
    const { status, output } = run(whole, 'npx', ['--no-install', 'mezzo', '--help']);
    expect(output).to.include('Usage: mezzo ').and.to.include('cluster');
    expect(status).to.equal(0);
  });

  it('run a cluster', () => {
    const program = `import { startLocalCluster } from '@mezzo/cli';
      const cluster = await startLocalCluster({ agents: 1, port: 0, embedded: true, resources: 'cpus:1;mem:64' });
      console.log((await fetch(cluster.url)).status);
      await cluster.stop();`;
    expect(run(whole, process.execPath, ['--input-type=module', '-e', program])).to.deep.equal({
      status: 0,
      output: '200\n',
    });
  });
});
