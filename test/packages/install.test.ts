import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { readPage } from '../docs/page.ts';
import { eventually, root } from '../support/command.ts';
import { skipBecause } from '../support/skip.ts';
import { entryPoints, manifestOf, packageFolders, readmePrograms } from './package-folder.ts';

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

/** Starts what runs until it is interrupted, waits until it says so much, and interrupts it. */
async function runUntil(folder: string, command: string, said: RegExp): Promise<void> {
  // In a group of its own: npx and what it started are both interrupted, as with Ctrl-C.
  const child = spawn('bash', ['-c', `exec ${command}`], { cwd: folder, env: environment, detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += String(data);
    });
  const ended = once(child, 'exit');
  try {
    await eventually(
      () => said.exec(output)?.[1],
      60_000,
      () => output,
    );
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    await ended;
  }
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
function compile(project: string, programs: Readonly<Record<string, string>>, ...further: string[]): Ended {
  for (const [file, code] of Object.entries(programs)) writeFileSync(join(project, file), code);
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable', ...further],
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
  const peered = join(place, 'peered');
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
    const actors = tarballOf.get('@mezzo/process') ?? '';
    const { peerDependencies = {}, devDependencies = {} } = manifestOf(join(root, 'packages/process'));
    const peers = Object.keys(peerDependencies).map((peer) => `${peer}@${devDependencies[peer]}`);
    for (const [project, tarballs] of [
      [alone, [actors]],
      [peered, [actors, ...peers]],
      [whole, [...tarballOf.values(), `mocha@${manifestOf(root).devDependencies?.['mocha']}`]],
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
    for (const peer of ['nats', 'prom-client', 'xstate', 'tinypool', '@opentelemetry/api']) {
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

  it('load nothing but msgpackr with the core of @mezzo/process, even where its peers are installed', () => {
    const files = {
      'hooks.mjs': `import { writeSync } from 'node:fs';
        export async function load(url, context, next) {
          writeSync(1, url + String.fromCharCode(10));
          return next(url, context);
        }`,
      'program.mjs': `import { createRequire, register } from 'node:module';
        register('./hooks.mjs', import.meta.url);
        const { Runtime } = await import('@mezzo/process');
        await (await Runtime.start()).stop();
        for (const file of Object.keys(createRequire(import.meta.url).cache)) console.log(file);`,
    };
    for (const [file, code] of Object.entries(files)) writeFileSync(join(peered, file), code);
    const { status, output } = run(peered, process.execPath, ['program.mjs']);
    expect(status, output).to.equal(0);
    const lines = output.split('\n').filter((line) => line.includes('/node_modules/'));
    const packages = lines.map((line) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line)?.[1] ?? line);
    expect(packages).to.include('@mezzo/process');
    // Whatever else comes is msgpackr's own: it decodes text natively where that could be installed.
    const natively = /msgpackr-extract|^node-gyp-build-optional-packages$|^detect-libc$/;
    expect(new Set(packages.filter((name) => !natively.test(name)))).to.deep.equal(
      new Set(['@mezzo/process', 'msgpackr']),
    );
    const own = lines.flatMap((line) => /@mezzo\/process\/dist\/([^/]+)\//.exec(line)?.[1] ?? []);
    for (const apart of ['nats', 'http', 'testing', 'xstate', 'pool', 'prometheus-text', 'opentelemetry'])
      expect(own, apart).not.to.include(apart);
  });

  for (const [entry, peer] of [
    ['nats', 'nats'],
    ['metrics', 'prom-client'],
    ['xstate', 'xstate'],
    ['tracing', '@opentelemetry/api'],
  ] as const) {
    it(`name ${peer} where @mezzo/process/${entry} misses it`, () => {
      const code = `import('@mezzo/process/${entry}').catch(({ code, message }) => console.log(code, message))`;
      const { status, output } = run(alone, process.execPath, ['--input-type=module', '-e', code]);
      expect(output).to.match(/^ERR_MODULE_NOT_FOUND /);
      expect(output).to.include(`Cannot find package '${peer}'`).and.to.include('@mezzo/process');
      expect(status).to.equal(0);
    });
  }

  it('name tinypool where a worker pool misses it', () => {
    const files = {
      'work.mjs': 'export const nothing = () => 0;',
      'pool.mjs': `import { Runtime } from '@mezzo/process';
        import { WorkerPool } from '@mezzo/process/pool';
        const runtime = await Runtime.start();
        const file = new URL('work.mjs', import.meta.url);
        await WorkerPool.start(runtime, { file }).then(undefined, ({ code, message }) => console.log(code, message));
        await runtime.stop();`,
    };
    for (const [file, code] of Object.entries(files)) writeFileSync(join(alone, file), code);
    const { status, output } = run(alone, process.execPath, ['pool.mjs']);
    expect(output)
      .to.match(/^WORK_UNAVAILABLE /)
      .and.to.include('npm install tinypool');
    expect(status).to.equal(0);
  });

  it('have types at every entry point of @mezzo/process', () => {
    const program = `import { message, Process, Runtime } from '@mezzo/process';
      import { httpServer } from '@mezzo/process/http';
      import { jetStreamLog } from '@mezzo/process/jetstream';
      import { memoryLease } from '@mezzo/process/lease';
      import { memoryLog } from '@mezzo/process/log';
      import { prometheusText } from '@mezzo/process/metrics';
      import { nats } from '@mezzo/process/nats';
      import { PortHub, WorkerPool } from '@mezzo/process/pool';
      import { Simulation } from '@mezzo/process/testing';
      import { openTelemetry } from '@mezzo/process/tracing';
      import { compile } from '@mezzo/process/xstate';

      const all = { message, Process, Runtime, httpServer, jetStreamLog, memoryLease, memoryLog, prometheusText, nats, PortHub, WorkerPool, Simulation, openTelemetry, compile };
      type Untyped<T> = { [K in keyof T]: 0 extends 1 & T[K] ? K : never }[keyof T];
      const untyped: Untyped<typeof all>[] = [];
      const none: never[] = untyped;
      // @ts-expect-error -- servers are text
      const wrong = () => nats({ servers: 4222 });
      console.log(Object.values(all).every((it) => typeof it === 'function'), none.length, typeof wrong);`;
    // The declarations of nats name types of browsers.
    expect(compile(peered, { 'entries.ts': program }, 'dom')).to.deep.equal({ status: 0, output: '' });
    expect(run(peered, process.execPath, ['entries.js'])).to.deep.equal({ status: 0, output: 'true 0 function\n' });
    // Nobody may forget one that is added.
    const { manifest } = folders.find(({ path }) => path === 'packages/process') ?? {};
    for (const entry of manifest === undefined ? ['packages/process'] : entryPoints(manifest))
      expect(program).to.include(`'${entry}'`);
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

  it('take whoever follows docs/allocators.md from an empty folder to a cluster with an allocator of his own', async function () {
    if (run(root, 'bash', ['--version']).status !== 0) skipBecause(this, 'no bash on PATH');
    const folder = join(place, 'allocator');
    mkdirSync(folder);
    const text = /^## From an empty folder\n([\s\S]*?)^## /m.exec(readPage('docs/allocators.md').text)?.[1] ?? '';
    const done: string[] = [];
    for (const [, kind, words = '', content = ''] of text.matchAll(/^```(\w+) *(.*)\n([\s\S]*?)^```$/gm)) {
      const file = /title="([\w.-]+)"/.exec(words)?.[1];
      if (file !== undefined) writeFileSync(join(folder, file), content);
      else if (words === 'background') await runUntil(folder, content, /web page {2}(http:\S+)/);
      else {
        expect(kind).to.equal('sh');
        for (const command of content.trim().split('\n')) {
          if (command.startsWith('npm install ')) {
            for (const name of command.split(' ').slice(2))
              expect(existsSync(join(whole, 'node_modules', name))).to.equal(true);
            symlinkSync(join(whole, 'node_modules'), join(folder, 'node_modules'));
            continue;
          }
          const { status, output } = run(folder, 'bash', ['-c', command]);
          expect(status, `${command}\n${output}`).to.equal(0);
          if (command.includes('mocha')) expect(output).to.match(/\d\d passing/);
        }
      }
      done.push(file ?? content);
    }
    expect(done.join('\n'))
      .to.match(/mocha/)
      .and.to.match(/lab run/)
      .and.to.match(/cluster --allocator/);
    expect(existsSync(join(folder, 'report')) && existsSync(join(folder, 'comparison'))).to.equal(true);
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
