import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer } from '../../packages/cli/dist/nats-server/index.js';
import { pair } from '../subprocess.mjs';

let directory;
let server;
let measured = 0;

/** A subject prefix of its own for each, so that none hears what another left. */
const measure = (file, work) => pair(file, [work, server.url, server.credentialsFile, `bench${++measured}`]);

const publish = 'raw nats publish';

/** Two OS processes and a broker: @mezzo/process, sessions on, beside the client library alone. */
export const nats = {
  name: 'nats',
  runs: [
    { work: 'oneway.16', unit: 'messages/s', referenceName: publish, target: { of: 'ratio', atLeast: 4 } },
    { work: 'oneway.100', unit: 'messages/s', referenceName: publish, target: { of: 'ratio', atLeast: 2.5 } },
    { work: 'oneway.1024', unit: 'messages/s', referenceName: publish },
    {
      work: 'typed',
      unit: 'messages/s',
      referenceName: 'raw nats, JSON per message',
      target: { of: 'ratio', atLeast: 2.5 },
    },
    {
      work: 'oneway.loaded',
      unit: 'us',
      lowerIsBetter: true,
      referenceName: 'raw nats beside hand-written mailboxes',
    },
    {
      work: 'ask.sequential',
      unit: 'us',
      lowerIsBetter: true,
      referenceName: 'raw nats, plain publish both ways',
      target: { of: 'ratio', atMost: 1.2 },
    },
    {
      work: 'ask.inflight100',
      unit: 'asks/s',
      referenceName: 'raw nats request',
      target: { of: 'ratio', atLeast: 5 },
    },
  ].map(({ work, ...one }) => ({
    ours: () => measure('nats-ours.mjs', work),
    reference: () => measure('nats-raw.mjs', work),
    cases: [{ name: `nats.${work}`, ...one }],
  })),
  async open() {
    directory = await mkdtemp(join(tmpdir(), 'mezzo-bench-'));
    server = await startNatsServer({ directory });
  },
  async close() {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  },
};
