import { Command } from 'commander';
import { startLocalCluster } from '../local-cluster/index.ts';
import { failWith } from '../node-process.ts';
import { parsePort } from './node-options.ts';

interface ClusterFlags {
  readonly agents: number;
  readonly port: number;
  readonly embedded?: boolean;
}

export const cluster = new Command('cluster')
  .description('run a whole cluster on this machine until Ctrl-C')
  .option('--agents <count>', 'number of agents', Number, 3)
  .option('--port <port>', 'port of the web page', parsePort, 5050)
  .option('--embedded', 'everything in one OS process, without a NATS server')
  .action(async (flags: ClusterFlags) => {
    const say = (line: string): void => void process.stderr.write(`mezzo: ${line}\n`);
    const running = await startLocalCluster({ ...flags, report: say }).catch(failWith);
    say(`web page  ${running.url}`);
    if (running.nats !== undefined) say(`NATS      ${running.nats.url}  seed ${running.nats.seedFile ?? 'none'}`);
    say(`logs      ${running.directory}/logs`);
    await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
    await running.stop();
  });
