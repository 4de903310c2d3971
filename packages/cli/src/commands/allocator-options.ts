import type { Command } from 'commander';
import type { AllocatorChoice } from '@mezzo/master';

/** What allocates, as an operator chooses it. */
export type AllocatorFlags = AllocatorChoice;

export function addAllocatorOptions(command: Command): Command {
  const module = 'a path such as ./mine.js, or a package';
  return command
    .option('--allocator <name>', `what allocates: hierarchical, HierarchicalDRF, HierarchicalRandom, ${module}`)
    .option('--role-sorter <name>', `the order in which roles are served: drf, random, ${module}`)
    .option('--framework-sorter <name>', `the same for the frameworks of a role: drf, random, ${module}`);
}
