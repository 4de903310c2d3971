import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type AgentOptions, startAgent } from '@mezzo/agent';
import { dispatch, messageOf } from '@mezzo/process';
import { parseAttributes } from '@mezzo/protocol';
import { failWith, runNodeProcess } from '../node-process.ts';
import { addNodeOptions, type NodeFlags, nodeProcessOptions, parseMilliseconds } from './node-options.ts';

/** Those that are called as the agent's own options are. */
type SameFlags = Pick<
  AgentOptions,
  | 'attributes'
  | 'diskWatchInterval'
  | 'executorRegistrationTimeout'
  | 'executorReregistrationTimeout'
  | 'executorShutdownGracePeriod'
  | 'gcDelay'
  | 'gcDiskHeadroom'
  | 'killTasksOnStop'
  | 'reconfigurationPolicy'
  | 'recover'
  | 'recoveryTimeout'
  | 'strict'
>;

interface AgentFlags extends NodeFlags, SameFlags {
  readonly workDir: string;
  readonly resources: string;
  readonly hostname: string;
}

export const agent = addNodeOptions(new Command('agent'), 5051)
  .description('run an agent, which runs tasks')
  .requiredOption('--work-dir <folder>', 'where sandboxes and checkpoints are')
  .option('--resources <text>', 'what it offers', 'cpus:1;mem:1024;disk:10240;ports:[31000-32000]')
  .option('--attributes <text>', 'what else there is to know of it, such as rack:r1;os:linux', attributes)
  .option('--hostname <name>', 'the name it is known by', hostname())
  .option(
    '--kill-tasks-on-stop',
    'end with all tasks, for good; without it they run on, and the next start takes them up',
  )
  .addOption(
    new Option('--recover <how>', 'take up what an earlier start left, or end it and then the agent')
      .choices(['reconnect', 'cleanup'])
      .default('reconnect'),
  )
  .option('--strict', 'do not start if any checkpoint cannot be read')
  .addOption(
    new Option('--reconfiguration-policy <policy>', 'whether it may have more than at the start before')
      .choices(['equal', 'additive'])
      .default('equal'),
  )
  .option(
    '--recovery-timeout <duration>',
    'how long executors wait for an agent that is away',
    parseMilliseconds,
    900_000,
  )
  .option('--executor-registration-timeout <duration>', 'how long they may take to start', parseMilliseconds, 60_000)
  .option('--executor-reregistration-timeout <duration>', 'and to come back to it', parseMilliseconds, 2000)
  .option('--executor-shutdown-grace-period <duration>', 'and to end', parseMilliseconds, 5000)
  .option('--gc-delay <duration>', 'how long old sandboxes are kept', parseMilliseconds, 7 * 24 * 3600 * 1000)
  .option('--gc-disk-headroom <part>', 'part of the disk for whose sake they go earlier', part, 0.1)
  .option('--disk-watch-interval <duration>', 'how often to look how full the disk is', parseMilliseconds, 60_000)
  .action(async (flags: AgentFlags) => {
    const { nats, natsSeed, prefix, port, workDir, killTasksOnStop = false } = flags;
    await runNodeProcess(nodeProcessOptions(flags, `agent-${port}`), async (runtime) => {
      const started = await startAgent(runtime, {
        ...flags,
        killTasksOnStop,
        workDirectory: resolve(workDir),
        executorEnvironment: {
          NATS_URL: nats,
          MEZZO_PREFIX: prefix,
          ...(natsSeed === undefined ? {} : { NATS_SEED_FILE: resolve(natsSeed) }),
        },
        onShutdown: (message) => failWith(new Error(`The agent has ended: ${message}`)),
      });
      const farewell = (): PromiseLike<unknown> => dispatch(started, (it) => it.shutdown());
      return { essential: [started], ...(killTasksOnStop ? { farewell } : {}) };
    }).catch(failWith);
  });

function attributes(text: string): Readonly<Record<string, string>> {
  try {
    parseAttributes(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
  const pairs = text.split(/[;\n]/).filter((pair) => pair !== '');
  return Object.fromEntries(pairs.map((pair) => [pair.replace(/:.*$/s, ''), pair.replace(/^[^:]*:/, '')]));
}

function part(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('expected a number from 0 to 1.');
}
