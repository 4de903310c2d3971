import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateNatsServer } from '@mezzo/cli';
import { expect } from 'chai';
import { eventually, run, start } from '../support/command.ts';
import { skipBecause } from '../support/skip.ts';
import { expectSequential, makeText, type Report } from '../support/wordcount.ts';

const demo = 'examples/wordcount/dist/start.js';
const limit = 120_000;

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

  it('stays up until Ctrl-C, with its page, and leaves no process and no folder behind', async function () {
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
    const running = start(demo, ['--port', '0', '--input', text.path, '--shards', '10']);
    const url = await eventually(
      () => /stays up: (http:\S+)/.exec(running.stdout())?.[1],
      limit,
      () => running.stdout() + running.stderr(),
    );
    expect((await fetch(url)).status).to.equal(200);
    running.child.kill('SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).to.equal(0);
    expect(stdout).to.match(/\d+ words, \d+ distinct, in 60 files/);
    await eventually(
      () =>
        fetch(url).then(
          () => false,
          () => true,
        ),
      10_000,
      () => 'the page still answers',
    );
  });

  it('ends without counting when Ctrl-C comes while the cluster starts', async function () {
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
    const temporary = join(folder, 'temporary');
    await mkdir(temporary);
    const running = start(demo, ['--port', '0', '--input', text.path], { TMPDIR: temporary });
    // The cluster's folder is the first that there is of it.
    await eventually(async () => (await readdir(temporary)).length > 0, limit, running.stderr);
    running.child.kill('SIGINT');
    const { code, stdout } = await running.finished;
    expect(code).to.equal(1);
    expect(stdout).to.equal('');
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
