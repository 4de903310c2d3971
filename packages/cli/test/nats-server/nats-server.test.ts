import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

import {
  NatsServerError,
  startNatsServer,
  type NatsServer,
  type NatsServerOptions,
} from '../../src/nats-server/index.ts';
import { withNatsServer } from '../../../../test/support/nats-server.ts';
import { skipBecause } from '../../../../test/support/skip.ts';
import { NatsConnection } from './nats-connection.ts';

const PATIENCE_MS = 10_000;

describe('startNatsServer', () => {
  // Skips this suite where there is no NATS server, and is the neighbour that holds a port.
  const neighbour = withNatsServer();
  let directory: string;
  let started: NatsServer[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mezzo-launch-'));
    started = [];
  });

  afterEach(async () => {
    for (const server of started) await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function start(options: Partial<NatsServerOptions> = {}): Promise<NatsServer> {
    const server = await startNatsServer({ directory, ...options });
    started.push(server);
    return server;
  }

  async function refusal(options: Partial<NatsServerOptions>): Promise<NatsServerError> {
    try {
      await start(options);
    } catch (error) {
      if (error instanceof NatsServerError) {
        expect(error.message).not.to.include('\n');
        return error;
      }
      throw error;
    }
    throw new Error('the server started');
  }

  it('lets in who holds the seed of its credentials file', async () => {
    const server = await start();
    const connection = await NatsConnection.open(server.port, server.credentialsFile);
    connection.close();
  });

  it('refuses who signs in as nobody, and who holds the seed of another server', async () => {
    const server = await start();
    expect(await rejection(NatsConnection.open(server.port))).to.include('Authorization Violation');
    const stranger = NatsConnection.open(server.port, neighbour.credentialsFile);
    expect(await rejection(stranger)).to.include('Authorization Violation');
  });

  it('makes new credentials at every start in the same directory', async () => {
    const first = await start();
    const copy = join(directory, 'copy');
    await writeFile(copy, await readFile(credentialsOf(first)));
    await first.stop();
    const second = await start();
    expect(await rejection(NatsConnection.open(second.port, copy))).to.include('Authorization');
  });

  it('lets everybody in and writes no seed with credentials none', async () => {
    const server = await start({ credentials: 'none' });
    expect(server.credentialsFile).to.equal(undefined);
    (await NatsConnection.open(server.port)).close();
  });

  it('keeps configuration, seed and log from other users, also where older files were open to them', async () => {
    for (const name of ['nats-server.conf', 'nats-server.nk', 'nats-server.log']) {
      await writeFile(join(directory, name), 'old');
      await chmod(join(directory, name), 0o666);
    }
    const server = await start({ jetstream: true });
    const kept = ['nats-server.conf', 'nats-server.nk', 'nats-server.log', 'jetstream'];
    for (const name of kept) {
      const { mode } = await stat(join(directory, name));
      expect(mode & 0o077, name).to.equal(0);
    }
    expect(await readFile(server.logFile, 'utf8')).to.include('Server is ready');
    const seed = (await readFile(join(directory, 'nats-server.nk'), 'utf8')).trim();
    expect(seed).to.match(/^SU[A-Z2-7]{56}$/);
    expect(await readFile(join(directory, 'nats-server.conf'), 'utf8')).not.to.include(seed);
  });

  it('listens on loopback only', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    const server = await start();
    const log = await readFile(server.logFile, 'utf8');
    const listening = [...log.matchAll(/Listening for .* on (\S+)/g)].map(([, address]) => address);
    expect(listening).to.deep.equal([`127.0.0.1:${server.port}`]);
    if (outside !== undefined) {
      // Free there, so nobody listens on that address.
      const socket = createServer().listen(server.port, outside.address);
      await once(socket, 'listening');
      socket.close();
    }
  });

  it('creates its directory, also with spaces and quotes in the name', async () => {
    const odd = join(directory, 'a "b" c', "d'e");
    const server = await start({ directory: odd, jetstream: true });
    expect(server.directory).to.equal(odd);
    expect((await stat(join(odd, 'jetstream'))).isDirectory()).to.equal(true);
  });

  it('passes the largest payload on to the server', async () => {
    const server = await start({ maxPayload: 2048, credentials: 'none' });
    const connection = await NatsConnection.open(server.port);
    connection.write('PUB a 2049', 'x'.repeat(2049), 'PING');
    expect(await rejection(connection.expect(/PONG/))).to.include('Maximum Payload');
    connection.close();
  });

  it('names the port that is in use', async () => {
    const { code, message } = await refusal({ port: neighbour.port });
    expect(code).to.equal('port-in-use');
    expect(message).to.include(`port ${neighbour.port} on 127.0.0.1 is in use`);
  });

  it('names the port that something else than a NATS server uses', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = addressOf(other.address());
      expect((await refusal({ port })).code).to.equal('port-in-use');
    } finally {
      other.close();
    }
  });

  it('names the directory that cannot be written to', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const { code, message } = await refusal({ directory: join(file, 'below') });
    expect(code).to.equal('directory-unwritable');
    expect(message).to.include(join(file, 'below')).and.to.include('ENOTDIR');
  });

  it('tells the last line of the log of a server that dies', async () => {
    const broken = join(directory, 'broken');
    await writeFile(broken, '#!/bin/sh\necho "[1] 2020/01/01 00:00:00 [FTL] no more memory" >&2\nexit 3\n');
    await chmod(broken, 0o755);
    const { code, message } = await refusal({ executable: broken });
    expect(code).to.equal('died');
    expect(message).to.include('exit code 3').and.to.include('no more memory');
  });

  it('tells why the server does not accept its JetStream store', async () => {
    await writeFile(join(directory, 'jetstream'), 'a file where the store should be');
    const { message } = await refusal({ jetstream: true });
    expect(message).to.include(join(directory, 'jetstream'));
  });

  it('ends a server that is not ready in time', async () => {
    const idle = join(directory, 'idle');
    await writeFile(idle, '#!/bin/sh\necho $$\nexec sleep 600\n');
    await chmod(idle, 0o755);
    const { code, message } = await refusal({ executable: idle, readyTimeoutMs: 300 });
    expect(code).to.equal('not-ready');
    const pid = Number(/last line: (\d+)/.exec(message)?.[1]);
    expect(isThere(pid)).to.equal(false);
  });

  it('names the option that makes no sense', async () => {
    for (const options of [{ port: 70_000 }, { port: 1.5 }, { maxPayload: 0 }, { executable: 'nats-server' }]) {
      const { code, message } = await refusal(options);
      expect(code).to.equal('bad-option');
      expect(message).to.include(Object.keys(options)[0]).and.to.include('expected');
    }
  });

  it('stops at once, and a second stop does nothing', async () => {
    const server = await start();
    const { pid } = server;
    await server.stop();
    await server.stop();
    expect(isThere(pid)).to.equal(false);
    expect(server.running).to.equal(false);
    expect(server.kill('SIGTERM')).to.equal(false);
  });

  it('stops a frozen server too', async () => {
    const server = await start();
    server.kill('SIGSTOP');
    await server.stop();
    expect(isThere(server.pid)).to.equal(false);
  });

  it('tells when its server was killed by somebody else', async () => {
    const server = await start();
    process.kill(server.pid, 'SIGKILL');
    const exit = await server.exited;
    expect(exit.signal).to.equal('SIGKILL');
    expect(exit.lastLine).to.include('Server is ready');
    expect(server.running).to.equal(false);
  });

  it('comes back after a kill on the same port with the same credentials and streams', async () => {
    const server = await start({ jetstream: true });
    const { port, pid } = server;
    const before = await NatsConnection.open(port, server.credentialsFile);
    const stream = { name: 'KEPT', subjects: ['kept'], storage: 'file', retention: 'limits' };
    expect(await before.request('$JS.API.STREAM.CREATE.KEPT', stream)).to.include('"did_create":true');
    const { exited } = server;
    server.kill('SIGKILL');
    await exited;

    await server.restart();
    expect(server.port).to.equal(port);
    expect(server.pid).not.to.equal(pid);
    expect(server.running).to.equal(true);
    const after = await NatsConnection.open(port, server.credentialsFile);
    expect(await after.request('$JS.API.STREAM.NAMES', {})).to.include('"KEPT"');
    after.close();
  });

  it('ends the running server when it restarts', async () => {
    const server = await start();
    const { pid } = server;
    await server.restart();
    expect(isThere(pid)).to.equal(false);
    expect(server.pid).not.to.equal(pid);
    (await NatsConnection.open(server.port, server.credentialsFile)).close();
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`leaves no server behind when the OS process that started it gets ${signal}`, async function () {
      if (process.platform !== 'linux') skipBecause(this, 'it takes the Linux kernel');
      const program = fileURLToPath(new URL('start-and-wait.ts', import.meta.url));
      const parent = spawn(process.execPath, [...process.execArgv, program, directory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = await once(parent.stdout, 'data');
      const pid = Number(String(line));
      expect(isThere(pid)).to.equal(true);
      parent.kill(signal);
      await eventually(() => !isThere(pid));
    });
  }
});

async function rejection(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    return String(error);
  }
  throw new Error('it was not refused');
}

function credentialsOf(server: NatsServer): string {
  if (server.credentialsFile === undefined) throw new Error('the server has no credentials');
  return server.credentialsFile;
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  return address;
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
