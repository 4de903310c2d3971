import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually, run, start } from '../support/command.ts';
import { withNatsServer } from '../support/nats-server.ts';

const mezzo = 'packages/cli/dist/mezzo.js';

/** What a refused command leaves: one line on standard error, a non-zero exit code, and nothing on standard output. */
async function refusal(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(mezzo, args, { environment: { NATS_URL: '' } });
  expect(code, stderr).to.equal(1);
  expect(stdout).to.equal('');
  const lines = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('{'));
  expect(lines, stderr).to.have.length(1);
  return lines[0] ?? '';
}

describe('a command that cannot be carried out leaves one line that names the cause', function () {
  this.timeout(60_000);
  const nats = withNatsServer();
  let folder: string;

  // For each test, since neither hook runs where the suite is skipped.
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mezzo-refusals-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const broker = (): string[] => ['--nats', nats.url, '--nats-seed', nats.credentialsFile ?? ''];

  it('when the NATS server cannot be reached', async () => {
    const line = await refusal(['master', '--nats', 'nats://127.0.0.1:9', '--port', '0']);
    expect(line)
      .to.include('nats://127.0.0.1:9')
      .and.match(/refused/i);
  });

  it('when the NATS server wants other credentials', async () => {
    const line = await refusal(['master', '--nats', nats.url, '--port', '0']);
    expect(line)
      .to.include(nats.url)
      .and.match(/credentials|authori[sz]ation/i);
  });

  it('when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      const line = await refusal(['master', ...broker(), '--name', 'refused-port', '--port', String(port)]);
      expect(line)
        .to.include(String(port))
        .and.match(/in use/);
    } finally {
      other.close();
    }
  });

  it('when the resources cannot be read', async () => {
    const args = ['agent', ...broker(), '--name', 'refused-resources', '--port', '0', '--work-dir', join(folder, 'a')];
    const { code, stderr } = await run(mezzo, [...args, '--resources', 'cpus:four'], { environment: { NATS_URL: '' } });
    expect(code).to.equal(1);
    expect(stderr).to.include('cpus:four').and.include('^');
  });

  it('when the work directory cannot be written to', async () => {
    // A file in the way refuses everybody, root too.
    await writeFile(join(folder, 'file'), '');
    const line = await refusal([
      ...['agent', ...broker(), '--name', 'refused-folder', '--port', '0'],
      ...['--work-dir', join(folder, 'file', 'work')],
    ]);
    expect(line).to.include(join(folder, 'file', 'work'));
  });

  it('when an option makes no sense', async () => {
    const line = await refusal(['master', '--port', 'http']);
    expect(line).to.include("'http'").and.match(/65535/);
  });

  it('when a living node has the name', async () => {
    const first = start(mezzo, ['master', ...broker(), '--name', 'twin', '--port', '0', '--exit-with-parent']);
    try {
      await eventually(() => first.stdout().includes('ready'), 20_000, first.stderr);
      expect(await refusal(['master', ...broker(), '--name', 'twin', '--port', '0'])).to.include("'twin'");
    } finally {
      first.child.stdin?.end();
      await first.finished;
    }
  });
});
