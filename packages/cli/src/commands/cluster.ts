import { Command } from 'commander';
import { startLocalCluster } from '../local-cluster/index.ts';
import { failWith } from '../node-process.ts';
import { addAllocatorOptions, type AllocatorFlags } from './allocator-options.ts';
import { wholeNumber } from './node-options.ts';

interface ClusterFlags extends AllocatorFlags {
  readonly agents: number;
  readonly port: number;
  readonly embedded?: boolean;
}

export const cluster = addAllocatorOptions(new Command('cluster'))
  .description('run a whole cluster on this machine until Ctrl-C')
  .option('--agents <count>', 'number of agents', wholeNumber(1), 3)
  .option('--port <port>', 'port of the web page', wholeNumber(0, 65_535), 5050)
  .option('--embedded', 'everything in one OS process, without a NATS server')
  .action(async (flags: ClusterFlags) => {
    const say = (line: string): void => void process.stderr.write(`mezzo: ${line}\n`);
    const interrupt = new AbortController();
    const abort = (): void => interrupt.abort(new Error('Interrupted'));
    process.once('SIGINT', abort).once('SIGTERM', abort);
    const running = await startLocalCluster({ ...flags, report: say, signal: interrupt.signal }).catch(failWith);
    say(`web page  ${running.url}`);
    if (running.nats !== undefined) say(`NATS      ${running.nats.url}  seed ${running.nats.seedFile ?? 'none'}`);
    say(`logs      ${running.directory}/logs`);
    const interrupted = new Promise<undefined>((resolve) => {
      interrupt.signal.addEventListener('abort', () => resolve(undefined));
    });
    const broken = await Promise.race([interrupted, running.broken]);
    await running.stop();
    if (broken !== undefined) failWith(new Error(broken));
    process.exit(0);
  });
