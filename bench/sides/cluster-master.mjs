// node cluster-master.mjs URL SEED_FILE PREFIX [REGISTRY] with an IPC channel: the shipping master in an OS process of its own.
import { Runtime } from '@mezzo/process';
import { fileLog } from '@mezzo/process/log';
import { nats } from '@mezzo/process/nats';
import { startMaster } from '@mezzo/master';
import { heap } from '../measure.mjs';

const [servers, nkeySeedFile, prefix, registry] = process.argv.slice(2);
const runtime = await Runtime.start({ name: 'master', transport: nats({ servers, nkeySeedFile, prefix }) });
startMaster(runtime, registry === undefined ? {} : { registry: fileLog(runtime.platform.files, registry) });

const answers = {
  /** Microseconds of the processor so far, with what collects garbage. */
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /** Bytes in use. */
  heap: () => heap(),
  metrics: async () => Object.fromEntries(await runtime.metrics.snapshot()),
};
process.on('message', async ({ id, question }) => process.send({ id, answer: await answers[question]() }));
// A regular end, so that a profile is written.
process.on('SIGTERM', () => process.exit());
process.on('disconnect', () => process.exit());
process.send({ id: 0 });
