import { type LocalPID, PID, type Process, type Runtime, Supervisor } from '@mezzo/process';
import { type FencedLog, memoryLog } from '@mezzo/process/log';
import type { Term } from '@mezzo/protocol';
import { type AllocatorFactory, allocatorNamed, type SorterFactory, sorterNamed } from './allocator/index.ts';
import { StandaloneContender } from './election/standalone-contender.ts';
import { Master } from './master.ts';
import { type MasterOptions, resolveOptions } from './options.ts';
import { Registrar } from './registrar/index.ts';

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
  /** Where what must survive the master is stored. It stays open when the master ends. Default: in memory. */
  readonly registry?: FencedLog;
}

/** A master with its allocator and registrar, each a process of one runtime. */
export interface MasterProcesses {
  readonly master: LocalPID<Master>;
  readonly registrar: LocalPID<Registrar>;
  /** Bare, so that it also finds an allocator that was started again. */
  readonly allocator: PID;
  /** Of an allocator that runs beside the master. */
  readonly supervisor: LocalPID<Supervisor> | undefined;
}

export interface StartedMaster extends MasterProcesses {
  readonly contender: LocalPID<Process>;
}

/** How long an allocator that crashed stays away: a bug that strikes at once must not keep the machine busy. */
const backoff = { first: '100ms', most: '30s' } as const;

/**
 * Spawns a leading master with its allocator and registrar, which is announced once the registry is recovered; its pages
 * and endpoints are served at the root of the runtime's HTTP server. An allocator that crashes is started again, and told
 * everything anew. For one master of several see `startCandidate`.
 *
 * @throws RangeError for an unknown allocator or sorter, DURATION_INVALID, ResourcesParseError, SpawnRefused, and whatever
 *   the factory of an allocator throws
 */
export function startMaster(runtime: Runtime, options: StartMasterOptions = {}): StartedMaster {
  const { cluster } = resolveOptions(options);
  const spawn = masterSpawner(runtime, options);
  const term = { created: Math.floor(runtime.clock.now()), revision: 1 };
  const processes = spawn(term, runtime.pid(`contender@${runtime.name}`));
  return { ...processes, contender: runtime.spawn(new StandaloneContender({ cluster })) };
}

/**
 * What spawns a master for a term and an owner, again and again: options that make no sense are refused before.
 *
 * @throws as `startMaster`
 */
export function masterSpawner(
  runtime: Runtime,
  options: StartMasterOptions,
): (term: Term, owner: PID) => MasterProcesses {
  const { allocator: given = 'hierarchical', roleSorter, frameworkSorter, registry, ...masterOptions } = options;
  resolveOptions(masterOptions);
  const log = registry ?? memoryLog();
  const sorters = {
    ...(roleSorter === undefined ? undefined : { roleSorter: sorterOf(roleSorter) }),
    ...(frameworkSorter === undefined ? undefined : { frameworkSorter: sorterOf(frameworkSorter) }),
  };
  const factory = typeof given === 'string' ? allocatorNamed(given) : given;
  if (factory instanceof PID && Object.keys(sorters).length > 0)
    throw new RangeError(`The allocator ${factory.toString()} runs elsewhere and has its own sorters: give them there`);
  const name = typeof given === 'function' ? given.name : given.toString();
  return (term, owner) => {
    const { allocator, supervisor } =
      factory instanceof PID
        ? { allocator: runtime.pid(factory.toString()), supervisor: undefined }
        : spawnAllocator(runtime, () => factory({ master: runtime.pid(`master@${runtime.name}`), ...sorters }));
    const allocatorName = name === '' ? allocator.toString() : name;
    const registrar = runtime.spawn(new Registrar({ log }));
    const master = runtime.spawn(new Master({ ...masterOptions, allocator, allocatorName, registrar, term, owner }));
    runtime.router.delegate = 'master';
    return { master, registrar, allocator, supervisor };
  };
}

/** Under a supervisor; the first one is made and spawned at once, so that whoever starts the master hears why it cannot be. */
function spawnAllocator(
  runtime: Runtime,
  make: () => Process,
): { readonly allocator: PID; readonly supervisor: LocalPID<Supervisor> } {
  let made: Process | undefined = make();
  const start = (): Process => {
    const next = made ?? make();
    made = undefined;
    return next;
  };
  const above = new Supervisor('allocator-supervisor', { backoff });
  const supervisor = runtime.spawn(above);
  const added = above.add({ id: 'allocator', start });
  if (added.isReady) return { allocator: runtime.pid(`${added.get().id}@${runtime.name}`), supervisor };
  runtime.terminate(supervisor);
  throw added.failure();
}

function sorterOf(given: string | SorterFactory): SorterFactory {
  return typeof given === 'string' ? sorterNamed(given) : given;
}
