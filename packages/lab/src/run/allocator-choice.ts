import { resolveAllocator, type StartMasterOptions } from '@mezzo/master';

/** What `startMaster` takes as its allocator. */
export type AllocatorOfMaster = Pick<StartMasterOptions, 'allocator' | 'roleSorter' | 'frameworkSorter'>;

/** An allocator, or a sorter, as somebody chose it. */
export interface Choice {
  /** In his words: a name that the master knows, the path or `file:` URL of a module, or an installed package. */
  readonly name: string;
  /** Where a relative path begins: a `file:` URL. */
  readonly base: URL | undefined;
}

/**
 * Names are those that the master knows; anything else is loaded.
 *
 * @param sorter of roles and of frameworks; undefined for the allocator's own
 * @throws RangeError or TypeError for a module that cannot be loaded, or makes something else
 */
export async function chooseAllocator(allocator: Choice, sorter: Choice | undefined): Promise<AllocatorOfMaster> {
  const loaded = await resolveAllocator({ allocator: allocator.name, sorter: sorter?.name }, (given, flag) =>
    load(given, (flag === '--sorter' ? sorter : allocator)?.base),
  );
  return { allocator: loaded };
}

async function load(given: string, base: URL | undefined): Promise<unknown> {
  if (!isModule(given)) return import(given);
  if (base === undefined && given.startsWith('.')) throw new Error('it is not known where this path begins');
  // In a URL these would end the path.
  const url = given.startsWith('file:') ? given : new URL(given.replace(/[%?#]/g, encodeURIComponent), base ?? 'file:');
  try {
    return await import(url.toString());
  } catch (error) {
    const [missing, importer] = error instanceof Error ? error.message.split(' imported from ') : [];
    // That this file imports it tells nobody anything; what a module itself misses is another matter.
    if (importer === decodeURIComponent(new URL(import.meta.url).pathname)) throw new Error(missing, { cause: error });
    throw error;
  }
}

export function isModule(name: string): boolean {
  return /^(\.{0,2}\/|file:)/.test(name);
}
