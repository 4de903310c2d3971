import { Command } from 'commander';
import { startMaster } from '@mezzo/master';
import { failWith, runNodeProcess } from '../node-process.ts';
import { addNodeOptions, type NodeFlags, nodeProcessOptions, parseMilliseconds, wholeNumber } from './node-options.ts';

interface MasterFlags extends NodeFlags {
  readonly agentPingTimeout: number;
  readonly maxAgentPingTimeouts: number;
  readonly allocationInterval: number;
}

export const master = addNodeOptions(new Command('master'), 5050)
  .description('run a master, with its web page')
  .option('--agent-ping-timeout <duration>', 'between two pings of an agent', parseMilliseconds, 15_000)
  .option('--max-agent-ping-timeouts <count>', 'unanswered pings until an agent is unreachable', wholeNumber(1), 5)
  .option('--allocation-interval <duration>', 'between two runs of the allocator', parseMilliseconds, 1000)
  .action(async (flags: MasterFlags) => {
    const { cluster, agentPingTimeout, maxAgentPingTimeouts, allocationInterval } = flags;
    await runNodeProcess(nodeProcessOptions(flags, 'master'), async (runtime) => {
      const started = startMaster(runtime, { cluster, agentPingTimeout, maxAgentPingTimeouts, allocationInterval });
      return { essential: [started.master, started.allocator] };
    }).catch(failWith);
  });
