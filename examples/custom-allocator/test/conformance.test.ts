import { HierarchicalAllocator } from '@mezzo/master';
import { allocatorConformance } from '@mezzo/master/allocator/testing';
import bestFitAllocator from '../src/best-fit.ts';
import firstComeFirstServed from '../src/first-come-first-served.ts';
import leastRecentlyServed from '../src/least-recently-served.ts';

describe('the hierarchical allocator with the sorter of the example', () => {
  const sorters = { roleSorter: leastRecentlyServed, frameworkSorter: leastRecentlyServed };
  const create = (): HierarchicalAllocator => new HierarchicalAllocator(sorters);
  // It shares by turns, whatever the weights of roles are.
  const capabilities = { weights: false };
  for (const { title, run } of allocatorConformance({ create, capabilities })) it(title, run);
});

describe('the hierarchical allocator with the placement policy of the example', () => {
  for (const { title, run } of allocatorConformance({ create: () => bestFitAllocator({}) })) it(title, run);
});

describe('the allocator of the example', () => {
  const capabilities = {
    quota: false,
    whitelist: false,
    minAllocatable: false,
    frameworkCapabilities: false,
    conversions: false,
    maintenance: false,
    offerConstraints: false,
    faultDomains: false,
    weights: false,
  };
  for (const { title, run } of allocatorConformance({ create: () => firstComeFirstServed({}), capabilities })) {
    it(title, run);
  }
});
