export {
  type AllocatorFactory,
  allocatorNamed,
  type AllocatorOptions,
  allocators,
  createAllocator,
  sorterNamed,
  sorters,
} from './create-allocator.ts';
export { ClusterTotals } from './cluster-totals.ts';
export { DrfSorter } from './drf-sorter.ts';
export { HierarchicalAllocator, type HierarchicalAllocatorOptions } from './hierarchical-allocator.ts';
export type { Candidate, Placement } from './placement.ts';
export { RandomSorter } from './random-sorter.ts';
export { type AllocatorChoice, type ModuleLoader, resolveAllocator } from './resolve-allocator.ts';
export type { Sorter, SorterFactory, SorterOptions } from './sorter.ts';
