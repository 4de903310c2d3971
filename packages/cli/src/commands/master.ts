import { Command } from 'commander';
import { resolveAllocator, startMaster } from '@mezzo/master';
import { loadModule } from '../load-module.ts';
import { failWith, runNodeProcess } from '../node-process.ts';
import { addAllocatorOptions, type AllocatorFlags } from './allocator-options.ts';
import { addNodeOptions, type NodeFlags, nodeProcessOptions, parseMilliseconds, wholeNumber } from './node-options.ts';

interface MasterFlags extends NodeFlags, AllocatorFlags {
  readonly agentPingTimeout: number;
  readonly maxAgentPingTimeouts: number;
  readonly allocationInterval: number;
}

export const master = addAllocatorOptions(addNodeOptions(new Command('master'), 5050))
  .description('run a master, with its web page')
  .option('--agent-ping-timeout <duration>', 'between two pings of an agent', parseMilliseconds, 15_000)
  .option('--max-agent-ping-timeouts <count>', 'unanswered pings until an agent is unreachable', wholeNumber(1), 5)
  .option('--allocation-interval <duration>', 'between two runs of the allocator', parseMilliseconds, 1000)
  .action(async (flags: MasterFlags) => {
    const { cluster, agentPingTimeout, maxAgentPingTimeouts, allocationInterval } = flags;
    // Before anything is started: what cannot be loaded is a mistyped command line.
    const allocator = await resolveAllocator(flags, loadModule).catch(failWith);
    await runNodeProcess(nodeProcessOptions(flags, 'master'), async (runtime) => {
      const times = { agentPingTimeout, maxAgentPingTimeouts, allocationInterval };
      const { master: started } = startMaster(runtime, { cluster, allocator, ...times });
      return { essential: [started] };
    }).catch(failWith);
  });
