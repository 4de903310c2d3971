import type { PID, Process } from '@mezzo/process';
import { HierarchicalAllocator } from './hierarchical-allocator.ts';

export interface AllocatorOptions {
  /** fair_sharing_excluded_resource_names. Default: none. */
  readonly fairnessExcludedNames?: readonly string[];
  /** The only address (`id@node`) it takes a master from. Default: whoever comes while it has none. */
  readonly master?: PID;
}

/** Anything that speaks `allocatorMessages` can allocate. */
export type AllocatorFactory = (options: AllocatorOptions) => Process;

const allocators: ReadonlyMap<string, AllocatorFactory> = new Map([
  ['hierarchical', (options: AllocatorOptions) => new HierarchicalAllocator(options)],
  // Mesos's older name for the same.
  ['HierarchicalDRF', (options: AllocatorOptions) => new HierarchicalAllocator(options)],
]);

/** Makes the allocator of that name (flag `--allocator`). Throws RangeError for an unknown one. */
export function createAllocator(name = 'hierarchical', options: AllocatorOptions = {}): Process {
  const factory = allocators.get(name);
  if (factory === undefined) {
    throw new RangeError(`Unknown allocator '${name}': expected one of ${[...allocators.keys()].join(', ')}`);
  }
  return factory(options);
}
