import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { locateNatsServer } from '@mezzo/cli';
import { connect, type NatsConnection, type StreamInfo } from 'nats';
import { boundToParent } from '../../packages/cli/src/nats-server/lifeline.ts';
import { eventually } from '../support/command.ts';
import type { Machine } from './machines.ts';
import { freePorts } from './machines.ts';
import { Program } from './program.ts';

const limit = 60_000;
/** Milliseconds for one question. */
const timeout = 1000;

/** NATS servers with JetStream in one cluster, a machine for each. */
export class NatsServers {
  readonly programs: readonly Program[];
  readonly urls: readonly string[];

  private constructor(programs: readonly Program[], urls: readonly string[]) {
    this.programs = programs;
    this.urls = urls;
  }

  static async create(folder: string, machines: readonly Machine[]): Promise<NatsServers> {
    const executable = locateNatsServer();
    if (executable === undefined) throw new Error('There is no nats-server: node scripts/setup.mjs fetches one');
    const ports = await freePorts(machines.length * 2);
    const peer = (index: number): string => `${machines[index]?.address}:${ports[machines.length + index]}`;
    const client = (index: number): string => `${machines[index]?.address}:${ports[index]}`;
    const routes = machines.map((_, index) => `"nats://${peer(index)}"`).join(', ');
    const programs = machines.map((machine, index) => {
      const home = join(folder, `nats-${index + 1}`);
      const file = join(home, 'server.conf');
      mkdirSync(home, { recursive: true });
      writeFileSync(
        file,
        `server_name: "n${index + 1}"\nlisten: "${client(index)}"\njetstream { store_dir: "${home}/store" }\n` +
          `cluster { name: "chaos", listen: "${peer(index)}", routes: [${routes}] }\n`,
      );
      const [command, args] = boundToParent(executable, ['-c', file]);
      return new Program(`nats-${index + 1}`, machine, join(folder, `nats-${index + 1}.log`), [command, ...args]);
    });
    return new NatsServers(
      programs,
      machines.map((_, index) => `nats://${client(index)}`),
    );
  }

  async start(): Promise<void> {
    for (const program of this.programs) program.start();
    await this.ready();
  }

  /** Until all of them answer and JetStream has a leader. */
  async ready(): Promise<void> {
    for (const [index, url] of this.urls.entries()) {
      await eventually(
        async () => (await withConnection(url, (connection) => connection.jetstreamManager({ timeout }))) !== undefined,
        limit,
        () => `nats-${index + 1}: ${this.programs[index]?.tail()}`,
      );
    }
  }

  /** Which server leads a stream, by its place; -1 if nobody says. */
  async leaderOf(stream: string): Promise<number> {
    const info = await this.#info(stream);
    return Number(info?.cluster?.leader?.slice(1) ?? 0) - 1;
  }

  /** Sequence number of the last message of a stream; undefined if nobody says. */
  async lastOf(stream: string): Promise<number | undefined> {
    return (await this.#info(stream))?.state.last_seq;
  }

  async #info(stream: string): Promise<StreamInfo | undefined> {
    for (const url of this.urls) {
      const found = await withConnection(url, async (connection) => {
        const manager = await connection.jetstreamManager({ timeout, checkAPI: false });
        return await manager.streams.info(stream);
      });
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Undefined if the server, or JetStream in it, does not answer. */
async function withConnection<T>(url: string, use: (connection: NatsConnection) => Promise<T>): Promise<T | undefined> {
  let connection: NatsConnection | undefined;
  try {
    connection = await connect({ servers: url, timeout, reconnect: false });
    return await use(connection);
  } catch {
    return undefined;
  } finally {
    await connection?.close();
  }
}
