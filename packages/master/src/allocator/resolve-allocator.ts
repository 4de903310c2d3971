import { messageOf, Process, type Random } from '@mezzo/process';
import { ClusterTotals } from './cluster-totals.ts';
import { type AllocatorFactory, allocators, sorters } from './create-allocator.ts';
import type { Sorter, SorterFactory } from './sorter.ts';

/** What an operator chose: names that the master knows, or modules of his own. */
export interface AllocatorChoice {
  /** `hierarchical` (default), `HierarchicalDRF`, `HierarchicalRandom`, or a module (flag `--allocator`). */
  readonly allocator?: string | undefined;
  /** `drf`, `random`, or a module (flag `--role-sorter`). Default: the allocator's own. */
  readonly roleSorter?: string | undefined;
  /** The same for the frameworks of a role (flag `--framework-sorter`). */
  readonly frameworkSorter?: string | undefined;
  /** Both of them, where they are chosen as one (flag `--sorter`). */
  readonly sorter?: string | undefined;
}

/**
 * Imports the module that somebody gave in these words, with a flag such as `--sorter`. Where a relative path begins is for the
 * loader to know.
 */
export type ModuleLoader = (given: string, flag: string) => PromiseLike<unknown>;

/** What a module can be chosen as. */
interface Kind<Factory> {
  readonly flag: string;
  readonly known: ReadonlyMap<string, Factory>;
  /** What its default export must be. */
  readonly expected: string;
  /** Makes sure of what it makes. Throws TypeError. */
  readonly checked: (given: string, factory: (options: never) => unknown, kind: Kind<Factory>) => Factory;
}

const allocatorKind: Kind<AllocatorFactory> = {
  flag: '--allocator',
  known: allocators,
  expected: 'an AllocatorFactory: (options) => a Process that speaks allocatorMessages',
  checked: checkedAllocator,
};

const sorterKind: Omit<Kind<SorterFactory>, 'flag'> = {
  known: sorters,
  expected: 'a SorterFactory: (options) => a Sorter',
  checked: checkedSorter,
};

const sorterMethods: readonly (keyof Sorter)[] = [
  ...(['add', 'remove', 'has', 'activate', 'deactivate', 'updateWeight'] as const),
  ...(['allocated', 'unallocated', 'updated', 'share', 'sort'] as const),
];

/**
 * Makes of names and modules what `startMaster` takes as its allocator. Modules have a default export: an AllocatorFactory, or
 * a SorterFactory. Sorters are handed to the allocator; one of your own may do without.
 *
 * @param load usually `(given) => import(given)`, with paths made absolute first
 * @throws (rejects with) RangeError for what is neither a name nor can be loaded, and TypeError for a module that exports
 *   something else, each with what was given and what was expected
 */
export function resolveAllocator(choice: AllocatorChoice, load: ModuleLoader): Promise<AllocatorFactory> {
  const { allocator = 'hierarchical', sorter } = choice;
  const sorterOf = (given: string | undefined, flag: string): Promise<SorterFactory> | undefined => {
    if (given !== undefined) return resolved(given, { ...sorterKind, flag }, load);
    return sorter === undefined ? undefined : resolved(sorter, { ...sorterKind, flag: '--sorter' }, load);
  };
  return Promise.all([
    resolved(allocator, allocatorKind, load),
    sorterOf(choice.roleSorter, '--role-sorter'),
    sorterOf(choice.frameworkSorter, '--framework-sorter'),
  ]).then(([factory, ofRoles, ofFrameworks]) => {
    const given = {
      ...(ofRoles === undefined ? undefined : { roleSorter: ofRoles }),
      ...(ofFrameworks === undefined ? undefined : { frameworkSorter: ofFrameworks }),
    };
    // Its name is what logs call it.
    return named(allocator, (options) => factory({ ...options, ...given }));
  });
}

function resolved<Factory>(given: string, kind: Kind<Factory>, load: ModuleLoader): Promise<Factory> {
  const { flag, known, expected, checked } = kind;
  const byName = known.get(given);
  if (byName !== undefined) return Promise.resolve(byName);
  return Promise.resolve(given)
    .then((path) => load(path, flag))
    .then(
      (module) => checked(given, functionIn(given, module, flag, expected), kind),
      (error: unknown) => {
        const names = [...known.keys()].join(', ');
        const module = `the path of a module (./mine.js) or an installed package, with \`export default\` ${expected}`;
        throw new RangeError(`${flag} '${given}' cannot be loaded: ${messageOf(error)}. Expected ${names}, ${module}`, {
          cause: error,
        });
      },
    );
}

function functionIn(given: string, module: unknown, flag: string, expected: string): (options: never) => unknown {
  const exports = typeof module === 'object' && module !== null ? Object.entries(module) : [];
  const found = exports.find(([name]) => name === 'default')?.[1];
  if (typeof found === 'function' && !isClass(found)) return found as (options: never) => unknown;
  const list = exports.map(([name, value]) => `${name} (${described(value)})`).join(', ');
  throw new TypeError(
    `${flag} '${given}' must \`export default\` ${expected}; it exports ${list === '' ? 'nothing' : list}`,
  );
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

function described(value: unknown): string {
  if (isClass(value)) return 'a class';
  if (value === null || value === undefined) return String(value);
  const type = Array.isArray(value) ? 'array' : typeof value;
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function checkedAllocator(
  given: string,
  factory: (options: never) => unknown,
  { flag, expected }: Kind<AllocatorFactory>,
): AllocatorFactory {
  return (options) => {
    const made = told(`${flag} '${given}'`, () => (factory as (given: typeof options) => unknown)(options));
    if (made instanceof Process) return made;
    throw new TypeError(
      `The default export of '${given}' made ${described(made)}, not a Process of the @mezzo/process that runs here; expected ${expected}`,
    );
  };
}

/** Tried on an empty cluster: later it would be the allocator that crashes over it. */
function checkedSorter(
  given: string,
  factory: (options: never) => unknown,
  { flag, expected }: Kind<SorterFactory>,
): SorterFactory {
  const make: SorterFactory = (options) => told(`${flag} '${given}'`, () => (factory as SorterFactory)(options));
  const made: unknown = make({ totals: new ClusterTotals(), excluded: new Set(), random: noRandom });
  const methods = typeof made === 'object' && made !== null ? (made as Record<string, unknown>) : {};
  const missing = sorterMethods.filter((method) => typeof methods[method] !== 'function');
  if (missing.length === 0) return named(factory.name, make);
  throw new TypeError(
    `The default export of '${given}' made ${described(made)} without ${missing.join(', ')}; expected ${expected}`,
  );
}

/** Somebody's factory may throw anything: that it was his must be said. */
function told<Made>(choice: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    throw new Error(`The default export of ${choice} threw: ${messageOf(error)}`, { cause: error });
  }
}

const noRandom: Random = {
  next: () => 0.5,
  uuid: () => '00000000-0000-4000-8000-000000000000',
  bytes: (length) => new Uint8Array(length),
};

function named<Factory extends object>(name: string, factory: Factory): Factory {
  return Object.defineProperty(factory, 'name', { value: name });
}
