import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateNatsServer } from '@mezzo/cli';
import { expect } from 'chai';
import { eventually, run, type Running, start } from '../support/command.ts';
import { skipBecause } from '../support/skip.ts';
import { expectSequential, makeText, type Report } from '../support/wordcount.ts';

const demo = 'examples/wordcount/dist/start.js';
const limit = 120_000;

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

describe('npm start', function () {
  this.timeout(2 * limit);
  let text: Awaited<ReturnType<typeof makeText>>;
  let folder: string;

  before(async () => {
    text = await makeText(60, 60_000);
    folder = await mkdtemp(join(tmpdir(), 'mezzo-demo-'));
  });
  after(async () => {
    await text.remove();
    await rm(folder, { recursive: true, force: true });
  });

  function lastLine(stdout: string): Report {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Report;
  }

  async function expectExactRun(args: readonly string[]): Promise<string> {
    const manifest = join(folder, `manifest-${Math.random()}`);
    const given = ['--exit', '--json', '--port', '0', '--input', text.path, '--manifest', manifest, '--shards', '40'];
    const { code, stdout, stderr } = await run(demo, [...given, ...args], { limit });
    expect(code, stderr).to.equal(0);
    const report = lastLine(stdout);
    expect(Object.keys(report)).to.deep.equal(['files', 'bytes', 'words', 'distinct', 'top', 'tasks', 'seconds']);
    expect(report.files).to.equal(60);
    expect(report.bytes).to.equal(60 * 60_000);
    expect(report.tasks).to.deep.equal({ TASK_FINISHED: 40 });
    expect(report.top).to.have.length(20);
    expectSequential(report, manifest);
    return stderr;
  }

  it('-- --exit --json counts exactly, on OS processes over NATS', async function () {
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
    const stderr = await expectExactRun(['--agents', '2']);
    expect(stderr).to.match(/2 agents .* http:\/\/127\.0\.0\.1:\d+/);
  });

  it('-- --embedded counts exactly in one OS process', async () => {
    await expectExactRun(['--embedded']);
  });

  describe('leaves no process and no folder behind', () => {
    let temporary: string;

    beforeEach(async function () {
      if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
      temporary = await mkdtemp(join(folder, 'temporary-'));
    });

    function begin(...args: readonly string[]): Running {
      return start(demo, ['--port', '0', '--input', text.path, ...args], { TMPDIR: temporary });
    }

    /** The processes of the cluster are known by the folder, which is in the command line of each. */
    function processes(): readonly number[] {
      return readdirSync('/proc')
        .map(Number)
        .filter((pid) => pid > 0 && commandLine(pid).includes(temporary));
    }

    async function expectNothingLeft(): Promise<void> {
      await eventually(
        () => processes().length === 0,
        20_000,
        () => processes().map(commandLine).join('\n'),
      );
      expect(await readdir(temporary)).to.deep.equal([]);
    }

    const pageOf = (running: Running): Promise<string> =>
      eventually(
        () => /(?:web page|stays up:) (http:\S+)/.exec(running.stdout() + running.stderr())?.[1],
        limit,
        () => running.stdout() + running.stderr(),
      );

    it('when Ctrl-C comes after the job, until when it stays up with its page', async () => {
      const running = begin('--shards', '10');
      await eventually(() => running.stdout().includes('stays up'), limit, running.stderr);
      expect((await fetch(await pageOf(running))).status).to.equal(200);
      expect(processes()).to.have.length(5);
      running.child.kill('SIGINT');
      const { code, stdout } = await running.finished;
      expect(code).to.equal(0);
      expect(stdout).to.match(/\d+ words, \d+ distinct, in 60 files/);
      await expectNothingLeft();
    });

    it('when Ctrl-C comes mid-job', async () => {
      const running = begin('--shards', '60');
      await eventually(() => /in 60 shards/.test(running.stdout()), limit, running.stderr);
      running.child.kill('SIGINT');
      const { code, stderr } = await running.finished;
      expect(code).to.equal(1);
      expect(stderr).to.include('Interrupted');
      await expectNothingLeft();
    });

    it('when Ctrl-C comes while the cluster starts, and then counts nothing', async () => {
      const running = begin();
      // The cluster's folder is the first that there is of it.
      await eventually(async () => (await readdir(temporary)).length > 0, limit, running.stderr);
      running.child.kill('SIGINT');
      const { code, stdout } = await running.finished;
      expect(code).to.equal(1);
      expect(stdout).to.equal('');
      await expectNothingLeft();
    });

    it('when its master gets kill -9 mid-job: it says so and fails', async () => {
      const running = begin('--exit', '--shards', '60');
      await eventually(() => /in 60 shards/.test(running.stdout()), limit, running.stderr);
      const master = processes().find((pid) => / master /.test(commandLine(pid)));
      process.kill(master ?? 0, 'SIGKILL');
      const { code, stderr } = await running.finished;
      expect(code).to.equal(1);
      expect(stderr).to.include('the master has ended (SIGKILL)');
      await expectNothingLeft();
    });

    it('but its folder when it gets kill -9 itself, which the next start removes', async () => {
      const killed = begin('--shards', '60');
      await eventually(() => /in 60 shards/.test(killed.stdout()), limit, killed.stderr);
      killed.child.kill('SIGKILL');
      await killed.finished;
      await eventually(
        () => processes().length === 0,
        20_000,
        () => processes().map(commandLine).join('\n'),
      );
      expect(await readdir(temporary)).to.have.length(1);
      const next = begin('--exit', '--shards', '5');
      expect((await next.finished).code).to.equal(0);
      await expectNothingLeft();
    });
  });

  it('fails with one line when its port is in use', async function () {
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');

    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const { code, stderr } = await run(demo, ['--exit', '--port', String(port), '--input', text.path], { limit });
      expect(code).to.equal(1);
      expect(stderr.trimEnd().split('\n')).to.have.length(1);
      expect(stderr)
        .to.include(String(port))
        .and.match(/in use/);
    } finally {
      other.close();
    }
  });

  it('fails with the name of an input folder that does not exist', async function () {
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
    const { code, stderr } = await run(demo, ['--exit', '--port', '0', '--input', join(folder, 'missing')], { limit });
    expect(code).to.equal(1);
    expect(stderr.split('\n').filter((line) => line.includes(join(folder, 'missing')))).to.have.length(1);
  });
});
