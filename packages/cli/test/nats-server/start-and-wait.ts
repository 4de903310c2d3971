import { startNatsServer } from '../../src/nats-server/index.ts';

// Starts a server in the directory given, prints its pid and stays up until it is killed.
const [, , directory = ''] = process.argv;
const server = await startNatsServer({ directory });
process.stdout.write(`${server.pid}\n`);
await server.exited;
