import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { backupRegistry, restoreRegistry } from '@mezzo/master';
import type { FencedLog } from '@mezzo/process/log';
import { failWith } from '../node-process.ts';
import { addBrokerOptions, type NodeFlags } from './node-options.ts';
import { addRegistryOptions, openRegistry, type RegistryFlags } from './registry-options.ts';

type Flags = RegistryFlags & Pick<NodeFlags, 'nats' | 'natsSeed' | 'prefix' | 'cluster'>;

const backup = addRegistryOptions(addBrokerOptions(new Command('backup')))
  .description('write what must survive the master into one JSON file; the cluster may go on meanwhile')
  .argument('[file]', 'where to; without it to standard output')
  .action(async (file: string | undefined, flags: Flags) => {
    const text = await withRegistry(flags, async (log) => backupRegistry(log));
    if (file === undefined) process.stdout.write(text);
    // A file that is there may be the only backup.
    else await writeFile(file, text, { flag: 'wx' }).catch(failWith);
  });

const restore = addRegistryOptions(addBrokerOptions(new Command('restore')))
  .description('put a backup in place of the registry; no master may lead meanwhile')
  .argument('<file>', 'what `backup` wrote')
  .option('--force', 'also in place of what is there')
  .action(async (file: string, flags: Flags & { readonly force?: boolean }) => {
    const text = await readFile(file, 'utf8').catch(failWith);
    const restored = await withRegistry(flags, async (log) =>
      restoreRegistry(log, text, { force: flags.force === true }),
    );
    const { agents, unreachable, gone } = restored;
    process.stdout.write(`restored: ${agents.length} agents, ${unreachable.length} unreachable, ${gone.length} gone\n`);
  });

export const registry = new Command('registry')
  .description('back up and restore what must survive the master')
  .addCommand(backup)
  .addCommand(restore);

async function withRegistry<T>(flags: Flags, use: (log: FencedLog) => Promise<T>): Promise<T> {
  if (flags.registry.kind === 'memory')
    failWith(new Error('A registry in memory is its master’s alone: give --registry jetstream, or a folder'));
  try {
    const log = openRegistry(flags);
    try {
      return await use(log);
    } finally {
      await log.close();
    }
  } catch (error) {
    return failWith(error);
  }
}
