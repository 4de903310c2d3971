import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { startAgent } from '@mezzo/agent';
import { dispatch } from '@mezzo/process';
import { failWith, runNodeProcess } from '../node-process.ts';
import { addNodeOptions, type NodeFlags, nodeProcessOptions } from './node-options.ts';

interface AgentFlags extends NodeFlags {
  readonly workDir: string;
  readonly resources: string;
  readonly hostname: string;
}

export const agent = addNodeOptions(new Command('agent'), 5051)
  .description('run an agent, which runs tasks')
  .requiredOption('--work-dir <folder>', 'where sandboxes and checkpoints are')
  .option('--resources <text>', 'what it offers', 'cpus:1;mem:1024;disk:10240;ports:[31000-32000]')
  .option('--hostname <name>', 'the name it is known by', hostname())
  .action(async (flags: AgentFlags) => {
    await runNodeProcess(nodeProcessOptions(flags, `agent-${flags.port}`), async (runtime) => {
      const { cluster, resources, hostname: host, workDir } = flags;
      const started = await startAgent(runtime, {
        ...{ cluster, resources, hostname: host, workDirectory: resolve(workDir) },
        onShutdown: (message) => failWith(new Error(`The agent has ended: ${message}`)),
      });
      return { essential: [started], farewell: () => dispatch(started, (it) => it.shutdown()) };
    }).catch(failWith);
  });
