import { hostname } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import {
  masterInfo,
  resolveAllocator,
  startCandidate,
  type StartCandidateOptions,
  startMaster,
  ZooKeeperContender,
} from '@mezzo/master';
import type { PID, Runtime } from '@mezzo/process';
import { loadModule } from '../load-module.ts';
import { failWith, type Residents, runNodeProcess } from '../node-process.ts';
import { addAllocatorOptions, type AllocatorFlags } from './allocator-options.ts';
import { addNodeOptions, type NodeFlags, nodeProcessOptions, parseMilliseconds, wholeNumber } from './node-options.ts';
import { addRegistryOptions, openLease, openRegistry, type RegistryFlags } from './registry-options.ts';

/** How it is decided who leads. */
type Election =
  | { readonly kind: 'none' }
  | { readonly kind: 'jetstream' }
  | { readonly kind: 'zk'; readonly url: string };

interface MasterFlags extends NodeFlags, AllocatorFlags, RegistryFlags {
  readonly agentPingTimeout: number;
  readonly maxAgentPingTimeouts: number;
  readonly agentReregisterTimeout: number;
  readonly agentRemovalRateLimit?: string;
  readonly allocationInterval: number;
  readonly election: Election;
  readonly leaseDuration: number;
  readonly roles?: readonly string[];
}

export const master = addRegistryOptions(addAllocatorOptions(addNodeOptions(new Command('master'), 5050)))
  .description('run a master, with its web page')
  .option('--election <how>', 'who leads, of several masters: none, jetstream, or zk://host:2181/path', parseElection, {
    kind: 'none',
  })
  .option('--lease-duration <duration>', 'a leader that is silent for this long is replaced', parseMilliseconds, 12_000)
  .option('--agent-ping-timeout <duration>', 'between two pings of an agent', parseMilliseconds, 15_000)
  .option('--max-agent-ping-timeouts <count>', 'unanswered pings until an agent is unreachable', wholeNumber(1), 5)
  .option('--agent-reregister-timeout <duration>', 'how long an agent may stay away', parseMilliseconds, 600_000)
  .option('--agent-removal-rate-limit <rate>', 'agents that may be given up in a time, such as 1/10mins')
  .option('--roles <names>', 'the only roles that frameworks may have beside *, separated by commas', commaSeparated)
  .option('--allocation-interval <duration>', 'between two runs of the allocator', parseMilliseconds, 1000)
  .action(async (flags: MasterFlags) => {
    if (flags.election.kind !== 'none' && flags.registry.kind === 'memory')
      failWith(new Error('Masters that elect a leader share a registry: give --registry jetstream, or a folder'));
    // Before anything is started: what cannot be loaded is a mistyped command line.
    const allocator = await resolveAllocator(flags, loadModule).catch(failWith);
    await runNodeProcess(nodeProcessOptions(flags, 'master'), async (runtime) => lead(runtime, flags, allocator)).catch(
      failWith,
    );
  });

function lead(
  runtime: Runtime,
  flags: MasterFlags,
  allocator: Awaited<ReturnType<typeof resolveAllocator>>,
): Residents {
  const { cluster, agentPingTimeout, maxAgentPingTimeouts, agentReregisterTimeout, allocationInterval } = flags;
  const { agentRemovalRateLimit } = flags;
  const registry = openRegistry(flags, runtime.platform.files);
  const options = {
    ...{ cluster, allocator, registry, agentPingTimeout, maxAgentPingTimeouts, agentReregisterTimeout },
    allocationInterval,
    ...(agentRemovalRateLimit === undefined ? {} : { agentRemovalRateLimit }),
    ...(flags.roles === undefined ? {} : { roles: flags.roles }),
  };
  if (flags.election.kind === 'none') return { essential: [startMaster(runtime, options).master] };
  const { candidacy } = startCandidate(runtime, { ...options, election: electionOf(runtime, flags, flags.election) });
  return { essential: [candidacy] };
}

function electionOf(
  runtime: Runtime,
  flags: MasterFlags,
  election: Exclude<Election, { kind: 'none' }>,
): StartCandidateOptions['election'] {
  if (election.kind === 'jetstream') return { lease: openLease(flags), duration: flags.leaseDuration };
  const { url } = election;
  const info = masterInfo({
    id: runtime.random.uuid(),
    ip: '127.0.0.1',
    port: Number(new URL(runtime.url ?? 'http://127.0.0.1:5050').port),
    hostname: hostname(),
    version: '1.12.0',
  });
  return (owner: PID) => new ZooKeeperContender({ cluster: flags.cluster, url, info, owner });
}

function commaSeparated(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

function parseElection(text: string): Election {
  if (text === 'none' || text === 'jetstream') return { kind: text };
  if (text.startsWith('zk://')) return { kind: 'zk', url: text };
  throw new InvalidArgumentError(`'${text}' is no election: expected none, jetstream, or zk://host:2181/path.`);
}
