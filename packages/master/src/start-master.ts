import { type LocalPID, PID, type Process, type Runtime, Supervisor } from '@mezzo/process';
import { type AllocatorFactory, allocatorNamed, type SorterFactory, sorterNamed } from './allocator/index.ts';
import { StandaloneContender } from './election/standalone-contender.ts';
import { Master } from './master.ts';
import { type MasterOptions, resolveOptions } from './options.ts';

export interface StartMasterOptions extends MasterOptions {
  /**
   * What allocates: the name of an allocator to run beside the master (`hierarchical`, `HierarchicalDRF` or
   * `HierarchicalRandom`), what makes one, or the address (`id@node`) of one that runs elsewhere. For modules see
   * `resolveAllocator`. Default `hierarchical`.
   */
  readonly allocator?: string | AllocatorFactory | PID;
  /** In which order roles are served: `drf`, `random`, or what makes a sorter. Default: as the allocator likes. */
  readonly roleSorter?: string | SorterFactory;
  /** The same for the frameworks of a role. */
  readonly frameworkSorter?: string | SorterFactory;
}

export interface StartedMaster {
  readonly master: LocalPID<Master>;
  /** Bare, so that it also finds an allocator that was started again. */
  readonly allocator: PID;
  readonly contender: LocalPID<Process>;
}

/** How long an allocator that crashed stays away: a bug that strikes at once must not keep the machine busy. */
const backoff = { first: '100ms', most: '30s' } as const;

/**
 * Spawns a leading master with its allocator and announces it; its pages and endpoints are served at the root of the
 * runtime's HTTP server. An allocator that crashes is started again, and told everything anew.
 *
 * @throws RangeError for an unknown allocator or sorter, DURATION_INVALID, ResourcesParseError, SpawnRefused, and whatever
 *   the factory of an allocator throws
 */
export function startMaster(runtime: Runtime, options: StartMasterOptions = {}): StartedMaster {
  const { allocator: given = 'hierarchical', roleSorter, frameworkSorter, ...masterOptions } = options;
  const { cluster } = resolveOptions(masterOptions);
  const term = { created: Math.floor(runtime.clock.now()), revision: 1 };
  const sorters = {
    ...(roleSorter === undefined ? undefined : { roleSorter: sorterOf(roleSorter) }),
    ...(frameworkSorter === undefined ? undefined : { frameworkSorter: sorterOf(frameworkSorter) }),
  };
  const factory = typeof given === 'string' ? allocatorNamed(given) : given;
  if (factory instanceof PID && Object.keys(sorters).length > 0)
    throw new RangeError(`The allocator ${factory.toString()} runs elsewhere and has its own sorters: give them there`);
  const allocator =
    factory instanceof PID
      ? runtime.pid(factory.toString())
      : spawnAllocator(runtime, () => factory({ master: runtime.pid(`master@${runtime.name}`), ...sorters }));
  const name = typeof given === 'function' ? given.name : given.toString();
  const allocatorName = name === '' ? allocator.toString() : name;
  const master = runtime.spawn(new Master({ ...masterOptions, allocator, allocatorName, term }));
  const contender = runtime.spawn(new StandaloneContender({ cluster, master, term }));
  runtime.router.delegate = 'master';
  return { master, allocator, contender };
}

/** Under a supervisor; the first one is made at once, so that whoever starts the master hears why it cannot be made. */
function spawnAllocator(runtime: Runtime, make: () => Process): PID {
  let made: Process | undefined = make();
  const id = made.cell.id === '' ? 'allocator' : made.cell.id;
  const start = (): Process => {
    const next = made ?? make();
    made = undefined;
    return next;
  };
  runtime.spawn(new Supervisor(`${id}-supervisor`, { children: [{ id, start }], backoff }));
  return runtime.pid(`${id}@${runtime.name}`);
}

function sorterOf(given: string | SorterFactory): SorterFactory {
  return typeof given === 'string' ? sorterNamed(given) : given;
}
