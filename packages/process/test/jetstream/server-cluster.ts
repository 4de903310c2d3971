import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { connect, type NatsConnection, type StreamInfo } from 'nats';

import { locateNatsServer } from '../../../cli/src/nats-server/index.ts';
import { boundToParent } from '../../../cli/src/nats-server/lifeline.ts';
import { skipBecause } from '../../../../test/support/skip.ts';
import { poll } from '../transport/worlds.ts';

/** NATS servers with JetStream in one cluster. */
export interface ServerCluster {
  readonly urls: readonly string[];
  /** SIGKILL; returns once it is gone. */
  kill(index: number): Promise<void>;
  start(index: number): Promise<void>;
  /** Index of the server that leads the stream; -1 if none does. */
  leader(stream: string): Promise<number>;
}

/** Called in a `describe`: a cluster of servers on 127.0.0.1, from before its tests until after them. */
export function withServerCluster(size: number): ServerCluster {
  let directory = '';
  let executable = '';
  let ports: number[] = [];
  const children: (ChildProcess | undefined)[] = [];

  const start = async (index: number): Promise<void> => {
    const home = join(directory, `${index}`);
    mkdirSync(home, { recursive: true });
    const routes = Array.from({ length: size }, (_, peer) => `"nats://127.0.0.1:${ports[size + peer]}"`).join(', ');
    writeFileSync(
      join(home, 'server.conf'),
      `server_name: "s${index}"\nlisten: "127.0.0.1:${ports[index]}"\njetstream { store_dir: "${home}/store" }\n` +
        `cluster { name: "c", listen: "127.0.0.1:${ports[size + index]}", routes: [${routes}] }\n`,
    );
    const [command, args] = boundToParent(executable, ['-c', join(home, 'server.conf'), '-l', join(home, 'log')]);
    children[index] = spawn(command, args, { stdio: 'ignore' });
  };
  const kill = async (index: number): Promise<void> => {
    const child = children[index];
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const urls = (): string[] => ports.slice(0, size).map((port) => `nats://127.0.0.1:${port}`);
  const ask = async <T>(question: (connection: NatsConnection) => Promise<T>): Promise<T | undefined> => {
    let connection: NatsConnection | undefined;
    try {
      connection = await connect({ servers: urls(), timeout: 500, reconnect: false });
      return await question(connection);
    } catch {
      return undefined;
    } finally {
      await connection?.close();
    }
  };

  before('start a cluster of NATS servers', async function () {
    const found = locateNatsServer();
    if (found === undefined) skipBecause(this, 'no nats-server on PATH or in .cache/nats-server');
    executable = found;
    directory = mkdtempSync(join(tmpdir(), 'mezzo-cluster-'));
    ports = await freePorts(size * 2);
    for (let index = 0; index < size; index++) await start(index);
    let ready = false;
    const account = async (): Promise<void> => {
      while (!ready) {
        ready = (await ask((connection) => connection.jetstreamManager())) !== undefined;
        if (!ready) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const asking = account();
    await poll(() => ready, 'the cluster has a leader');
    await asking;
  });
  after('stop the cluster', async () => {
    for (let index = 0; index < size; index++) await kill(index);
    if (directory !== '') rmSync(directory, { recursive: true, force: true });
  });

  return {
    get urls() {
      return urls();
    },
    kill,
    start,
    async leader(stream) {
      const info = await ask(async (connection): Promise<StreamInfo> => {
        const manager = await connection.jetstreamManager({ timeout: 500, checkAPI: false });
        return await manager.streams.info(stream);
      });
      const name = info?.cluster?.leader ?? '';
      return name === '' ? -1 : Number(name.slice(1));
    },
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
