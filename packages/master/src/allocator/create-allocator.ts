import type { PID, Process } from '@mezzo/process';
import { DrfSorter } from './drf-sorter.ts';
import { HierarchicalAllocator } from './hierarchical-allocator.ts';
import { RandomSorter } from './random-sorter.ts';
import type { SorterFactory } from './sorter.ts';

export interface AllocatorOptions {
  /** The only address (`id@node`) it takes a master from. Default: whoever comes while it has none. */
  readonly master?: PID;
  /** In which order roles are served (role_sorter). */
  readonly roleSorter?: SorterFactory;
  /** In which order the frameworks of a role are served (framework_sorter). */
  readonly frameworkSorter?: SorterFactory;
}

/** Anything that speaks `allocatorMessages` can allocate. */
export type AllocatorFactory = (options: AllocatorOptions) => Process;

/** Mesos's sorters by name: `drf`, dominant resource fairness, and `random`, by chance and weight. */
export const sorters: ReadonlyMap<string, SorterFactory> = new Map<string, SorterFactory>([
  ['drf', (options) => new DrfSorter(options)],
  ['random', (options) => new RandomSorter(options)],
]);

/** Mesos's allocators by name. */
export const allocators: ReadonlyMap<string, AllocatorFactory> = new Map<string, AllocatorFactory>([
  ['hierarchical', (options) => new HierarchicalAllocator(options)],
  // Mesos's names for the same with sorters of one kind.
  ['HierarchicalDRF', (options) => new HierarchicalAllocator(options)],
  ['HierarchicalRandom', (options) => new HierarchicalAllocator({ ...randomly, ...options })],
]);

const random: SorterFactory = (options) => new RandomSorter(options);
const randomly = { roleSorter: random, frameworkSorter: random };

/** Makes the allocator of that name (flag `--allocator`). Throws RangeError for an unknown one. */
export function createAllocator(name = 'hierarchical', options: AllocatorOptions = {}): Process {
  return allocatorNamed(name)(options);
}

/** Throws RangeError for an unknown one. */
export function allocatorNamed(name: string): AllocatorFactory {
  return found('allocator', allocators, name);
}

/** Throws RangeError for an unknown one. */
export function sorterNamed(name: string): SorterFactory {
  return found('sorter', sorters, name);
}

function found<F>(what: string, known: ReadonlyMap<string, F>, name: string): F {
  const factory = known.get(name);
  if (factory !== undefined) return factory;
  throw new RangeError(`Unknown ${what} '${name}': expected one of ${[...known.keys()].join(', ')}`);
}
