import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { expect } from 'chai';
import { connect } from 'nats';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { locateNatsServer } from '../../../cli/src/nats-server/index.ts';
import { skipBecause } from '../../../../test/support/skip.ts';
import { Add, Adder, First, Listener, Sum } from '../transport/processes.ts';
import { poll } from '../transport/worlds.ts';

/** What the design gives a node: it listens under its own name and signs with its own name. */
function user(name: string): string {
  return `{ user: ${name}, password: pw, permissions: {
    publish: ["mezzo.*.${name}", "mezzo.@.topic.>"], subscribe: ["mezzo.${name}.*", "mezzo.@.topic.>"] } }`;
}

describe('a broker with a permission per node', () => {
  let directory: string | undefined;
  let child: ChildProcess | undefined;
  let url: string;

  before(async function () {
    const executable = locateNatsServer();
    if (executable === undefined) skipBecause(this, 'no nats-server on PATH or in .cache/nats-server');
    directory = await mkdtemp(join(tmpdir(), 'mezzo-permissions-'));
    const configuration = join(directory, 'server.conf');
    const users = ['a', 'b', 'mallory'].map(user).join(',\n');
    await writeFile(
      configuration,
      `listen: "127.0.0.1:-1"\nports_file_dir: "${directory}"\nauthorization { users: [ ${users} ] }\n`,
    );
    child = spawn(executable, ['-c', configuration], { stdio: 'ignore' });
    url = await serverUrl(directory);
  });

  after(async () => {
    if (child !== undefined && child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const start = (name: string, as = name, errors: unknown[] = []): Promise<Runtime> =>
    Runtime.start({
      name,
      transport: nats({ servers: url, user: as, password: 'pw' }),
      onError: (error) => errors.push(error),
    });

  it('lets nodes talk, ask and announce', async () => {
    await using a = await start('a');
    await using b = await start('b');
    b.spawn(new Adder('adder'));
    expect(await a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum })).to.deep.equal({ n: 2 });
    const heard: Uint8Array[] = [];
    b.listen('leader', (data) => heard.push(data));
    await poll(() => {
      a.announce('leader', Buffer.from('me'));
      return heard.length > 0;
    });
  });

  it('refuses a forged sender', async () => {
    await using b = await start('b');
    const listener = new Listener('listener');
    b.spawn(listener);
    const mallory = await connect({ servers: url, user: 'mallory', pass: 'pw' });
    const refused: string[] = [];
    void (async () => {
      for await (const status of mallory.status()) refused.push(String(status.permissionContext?.subject));
    })();
    mallory.publish('mezzo.b.a', Buffer.from('as if from a'));
    mallory.publish('mezzo.b.mallory', Buffer.from('garbage, but her own'));
    await mallory.flush();
    await poll(() => b.metrics.wireRejected === 1 && refused.length > 0);
    expect(refused).to.deep.equal(['mezzo.b.a']);
    await mallory.close();
    await using a = await start('a');
    a.send(a.pid('listener@b'), First, { n: 1 });
    await poll(() => listener.heard.length === 1);
  });

  it('does not let a node start under the name of another', async () => {
    let told = '';
    try {
      await start('a', 'mallory');
    } catch (error) {
      told = String(error);
    }
    expect(told).to.include(url).and.include("does not permit node 'a'").and.include('mezzo.a');
  });
});

async function serverUrl(directory: string): Promise<string> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const file = (await readdir(directory)).find((name) => name.endsWith('.ports'));
    const text = file === undefined ? '' : await readFile(join(directory, file), 'utf8');
    const [, found] = /"(nats:\/\/127\.0\.0\.1:\d+)"/.exec(text) ?? [];
    if (found !== undefined) return found;
    await pause(10);
  }
  throw new Error('the NATS server was not ready within 10 s');
}
