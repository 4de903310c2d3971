import { resolveAllocator, type StartMasterOptions } from '@mezzo/master';

/** What `startMaster` takes as its allocator. */
export type AllocatorOfMaster = Pick<StartMasterOptions, 'allocator' | 'roleSorter' | 'frameworkSorter'>;

/**
 * Names are left to the master; modules, as absolute paths or `file:` URLs, are loaded.
 *
 * @param sorter of roles and of frameworks; undefined for the allocator's own
 * @throws RangeError or TypeError for a module that cannot be loaded, or makes something else
 */
export async function chooseAllocator(allocator: string, sorter: string | undefined): Promise<AllocatorOfMaster> {
  const sorters = sorter === undefined ? {} : { roleSorter: sorter, frameworkSorter: sorter };
  if (!isModule(allocator) && (sorter === undefined || !isModule(sorter))) return { allocator, ...sorters };
  return { allocator: await resolveAllocator({ allocator, sorter }, load) };
}

function load(path: string): Promise<unknown> {
  return import(path).catch((error: unknown) => {
    const [missing, importer] = error instanceof Error ? error.message.split(' imported from ') : [];
    // That this file imports it tells nobody anything; what a module itself misses is another matter.
    if (importer === decodeURIComponent(new URL(import.meta.url).pathname)) throw new Error(missing, { cause: error });
    throw error;
  });
}

function isModule(name: string): boolean {
  return /^(\/|file:)/.test(name);
}
