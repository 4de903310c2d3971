import { type Children, type Files, Future, type Random } from '@mezzo/process';
import { decodeProcessRecord, encodeProcessRecord, type ProcessRecord } from '../containerizer/process-record.ts';
import type { WorkDirectory } from '../work-directory.ts';
import { inOrder } from './in-order.ts';
import { RecoveryError } from './recovery-error.ts';

/** What a lock needs of a runtime. */
export interface LockPlatform {
  readonly files: Files;
  readonly children: Children;
  readonly random: Random;
}

/** Names of the locks that agents in this OS process hold: their pid does not tell whether they are still there. */
const heldHere = new Set<string>();

/**
 * Keeps other agents out of a work directory as long as this OS process lives, or until `release`. Each agent that wants the
 * directory creates a file of its own that names its process, and after that looks for others: of two, the later one finds
 * the earlier. Files of processes that have ended, also before a reboot, are removed.
 */
export class WorkDirectoryLock {
  readonly #files: Files;
  readonly #path: string;
  readonly #name: string;

  private constructor(files: Files, path: string, name: string) {
    this.#files = files;
    this.#path = path;
    this.#name = name;
  }

  /**
   * Gives undefined where processes have no /proc, as on a simulated machine. Fails with RecoveryError WORK_DIRECTORY_IN_USE,
   * or with the file system's error.
   *
   * @param pid of this OS process. Default: what /proc tells.
   */
  static acquire(platform: LockPlatform, folders: WorkDirectory, pid?: number): Future<WorkDirectoryLock | undefined> {
    return ownRecord(platform, pid).andThen((own) =>
      own === undefined ? Future.ready(undefined) : create(platform, folders, own),
    );

    function create({ files, children, random }: LockPlatform, { locks, root }: WorkDirectory, own: ProcessRecord) {
      const name = random.uuid();
      const lock = new WorkDirectoryLock(files, `${locks}/${name}`, name);
      heldHere.add(name);
      return files
        .create(lock.#path, encodeProcessRecord(own))
        .andThen(() => files.list(locks))
        .andThen((names) =>
          inOrder(
            names.filter((other) => other !== name),
            (other) => livingHolder({ files, children }, locks, other, own),
          ),
        )
        .andThen((holders): Future<WorkDirectoryLock | undefined> => {
          const holder = holders.find((other) => other !== undefined);
          return holder === undefined ? Future.ready(lock) : Future.failed(inUse(root, holder));
        })
        .repair((outcome) =>
          lock
            .release()
            .repair(() => undefined)
            .andThen(() => Future.failed(outcome.failure())),
        );
    }
  }

  /** To be called when the agent has ended. */
  release(): Future<void> {
    heldHere.delete(this.#name);
    return this.#files.remove(this.#path);
  }
}

function ownRecord({ files, children }: LockPlatform, given: number | undefined): Future<ProcessRecord | undefined> {
  const pid =
    given === undefined
      ? files
          .realPath('/proc/self')
          .map((path) => Number(path.slice('/proc/'.length)))
          .repair(() => Number.NaN)
      : Future.ready(given);
  return pid.andThen((number) =>
    Number.isSafeInteger(number)
      ? children
          .startTime(number)
          .map((startTime) =>
            startTime === undefined ? undefined : { pid: number, startTime, bootId: children.bootId },
          )
      : Future.ready(undefined),
  );
}

/** Who holds a lock, or undefined if nobody does any more. */
function livingHolder(
  { files, children }: Pick<LockPlatform, 'files' | 'children'>,
  locks: string,
  name: string,
  own: ProcessRecord,
): Future<ProcessRecord | undefined> {
  const path = `${locks}/${name}`;
  return files
    .read(path)
    .map((bytes) => decodeProcessRecord(new TextDecoder().decode(bytes)))
    .repair(() => undefined)
    .andThen((record) => {
      if (record === undefined || record.bootId !== children.bootId) return Future.ready(undefined);
      if (record.pid === own.pid) return Future.ready(heldHere.has(name) ? record : undefined);
      return children.startTime(record.pid).map((startTime) => (startTime === record.startTime ? record : undefined));
    })
    .andThen((holder) => (holder === undefined ? files.remove(path).map(() => undefined) : Future.ready(holder)));
}

function inUse(root: string, { pid }: ProcessRecord): RecoveryError {
  const message = `Work directory '${root}' is in use by the agent with pid ${pid}: choose another one, or end that agent`;
  return new RecoveryError('WORK_DIRECTORY_IN_USE', message);
}
