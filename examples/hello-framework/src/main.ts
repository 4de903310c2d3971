// node dist/main.js 'echo one' 'sleep 1; false' — with NATS_URL and NATS_SEED_FILE as `mezzo cluster` prints them.
import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { runCommands } from './hello-framework.ts';

const {
  NATS_URL: servers = 'nats://127.0.0.1:4222',
  NATS_SEED_FILE: nkeySeedFile,
  MEZZO_CLUSTER: cluster = 'mezzo',
} = process.env;

await using runtime = await Runtime.start({
  name: `hello-${process.pid}`,
  transport: nats({ servers, prefix: cluster, ...(nkeySeedFile === undefined ? {} : { nkeySeedFile }) }),
});
await runtime.wait(runCommands(runtime, cluster, process.argv.slice(2), console.log));
