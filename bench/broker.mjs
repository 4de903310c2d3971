import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer } from '../packages/cli/dist/nats-server/index.js';

/** A NATS server for the time of a group, and a subject prefix of its own for each measurement: none hears what another left. */
export class Broker {
  #directory;
  #server;
  #measured = 0;

  async open() {
    this.#directory = await mkdtemp(join(tmpdir(), 'mezzo-bench-'));
    this.#server = await startNatsServer({ directory: this.#directory });
  }

  /** What a side needs to connect: address, file with the seed, prefix. */
  next() {
    return [this.#server.url, this.#server.credentialsFile, `bench${++this.#measured}`];
  }

  async close() {
    await this.#server.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
