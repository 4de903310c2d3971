import type { LocalPID, PID, Process, Runtime } from '@mezzo/process';
import { createAllocator } from './allocator/index.ts';
import { StandaloneContender } from './election/standalone-contender.ts';
import { Master } from './master.ts';
import { type MasterOptions, resolveOptions } from './options.ts';

export interface StartMasterOptions extends MasterOptions {
  /**
   * Name of the allocator to run beside the master (`hierarchical`), or the address (`id@node`) of one that runs
   * elsewhere. Default `hierarchical`.
   */
  readonly allocator?: string | PID;
  /** fair_sharing_excluded_resource_names. Default: none. */
  readonly fairnessExcludedNames?: readonly string[];
}

export interface StartedMaster {
  readonly master: LocalPID<Master>;
  readonly allocator: PID;
  readonly contender: LocalPID<Process>;
}

/**
 * Spawns a leading master with its allocator and announces it; its pages and endpoints are served at the root of the
 * runtime's HTTP server. Throws RangeError for an unknown allocator,
 * DURATION_INVALID, ResourcesParseError, or SpawnRefused.
 */
export function startMaster(runtime: Runtime, options: StartMasterOptions = {}): StartedMaster {
  const { allocator: given, fairnessExcludedNames = [], ...masterOptions } = options;
  const { cluster } = resolveOptions(masterOptions);
  const term = { created: Math.floor(runtime.clock.now()), revision: 1 };
  const allocator =
    given === undefined || typeof given === 'string'
      ? runtime.spawn(createAllocator(given, { fairnessExcludedNames, master: runtime.pid(`master@${runtime.name}`) }))
      : given;
  // The bare address also finds an allocator that was started again.
  const master = runtime.spawn(new Master({ ...masterOptions, allocator: runtime.pid(allocator.toString()), term }));
  const contender = runtime.spawn(new StandaloneContender({ cluster, master, term }));
  runtime.router.delegate = 'master';
  return { master, allocator, contender };
}
