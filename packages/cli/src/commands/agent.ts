import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { startAgent } from '@mezzo/agent';
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
    await runNodeProcess(nodeProcessOptions(flags, `agent-${flags.port}`), (runtime) => {
      const { cluster, resources } = flags;
      return startAgent(runtime, { cluster, resources, hostname: flags.hostname, workDirectory: resolve(flags.workDir) });
    }).catch(failWith);
  });
