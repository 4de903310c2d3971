import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer } from '../../packages/cli/dist/nats-server/index.js';
import { pair } from '../subprocess.mjs';

let server;
let rounds = 0;

const measure = (file, name) => pair(file, [name, server.url, server.credentialsFile, `bench${++rounds}`]);

/** Two OS processes and a broker: @mezzo/process, sessions on, beside the client library alone. */
export const nats = {
  name: 'nats',
  cases: [
    { case: 'oneway.16', unit: 'msg/s', referenceName: 'raw nats publish' },
    { case: 'oneway.100', unit: 'msg/s', referenceName: 'raw nats publish' },
    { case: 'oneway.1024', unit: 'msg/s', referenceName: 'raw nats publish' },
    { case: 'typed', unit: 'msg/s', referenceName: 'raw nats, JSON per message' },
    {
      case: 'oneway.loaded',
      unit: 'us p99',
      referenceName: 'raw nats beside hand-written mailboxes',
      lowerIsBetter: true,
    },
    { case: 'ask.sequential', unit: 'us p50', referenceName: 'raw nats, plain publish both ways', lowerIsBetter: true },
    { case: 'ask.inflight100', unit: 'ask/s', referenceName: 'raw nats request' },
  ].map((one) => ({
    ...one,
    name: `nats.${one.case}`,
    ours: () => measure('nats-ours.mjs', one.case),
    reference: () => measure('nats-raw.mjs', one.case),
  })),
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'mezzo-bench-'));
    server = await startNatsServer({ directory });
    return {
      async close() {
        await server.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};
