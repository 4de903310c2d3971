export { createAllocator, type AllocatorFactory, type AllocatorOptions } from './create-allocator.ts';
export { ClusterTotals } from './cluster-totals.ts';
export { DrfSorter } from './drf-sorter.ts';
export { HierarchicalAllocator, type HierarchicalAllocatorOptions } from './hierarchical-allocator.ts';
export type { Sorter, SorterFactory } from './sorter.ts';
