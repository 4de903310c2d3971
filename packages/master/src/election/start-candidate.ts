import type { LocalPID, PID, Process, Runtime } from '@mezzo/process';
import type { LeaseStore } from '@mezzo/process/lease';
import { masterSpawner, type StartMasterOptions } from '../start-master.ts';
import { resolveOptions } from '../options.ts';
import { Candidacy } from './candidacy.ts';
import { LeaseContender, type LeaseContenderOptions } from './lease-contender.ts';

export interface StartCandidateOptions extends StartMasterOptions {
  /** What decides who leads: a lease that all candidates share, or what makes another contender for the owner it is given. */
  readonly election:
    | (Pick<LeaseContenderOptions, 'duration' | 'renewal'> & { readonly lease: LeaseStore })
    | ((owner: PID) => Process);
}

export interface StartedCandidate {
  readonly candidacy: LocalPID<Candidacy>;
}

/**
 * Spawns one master of several: it stands by, and leads whenever it is elected. What they share is the registry, which must
 * be given, and what the election looks at. It ends for good only with its candidacy.
 *
 * @throws as `startMaster`, and RangeError without a registry
 */
export function startCandidate(runtime: Runtime, options: StartCandidateOptions): StartedCandidate {
  const { election, ...masterOptions } = options;
  if (masterOptions.registry === undefined)
    throw new RangeError('A candidate needs the registry that all masters share: give a log');
  const { cluster } = resolveOptions(masterOptions);
  const spawn = masterSpawner(runtime, masterOptions);
  const contender =
    typeof election === 'function' ? election : (owner: PID) => new LeaseContender({ cluster, owner, ...election });
  return { candidacy: runtime.spawn(new Candidacy({ spawn, contender })) };
}
