import { type Files, Future, messageOf } from '@mezzo/process';
import { decodeCheckpoint } from './checkpoint-format.ts';
import type { CheckpointFault } from './recovered-state.ts';
import { isMissing, RecoveryError } from './recovery-error.ts';

/** Reads checkpoints. What cannot be read is moved aside, and told in `faults`; or it makes reading fail. */
export class CheckpointReader {
  readonly files: Files;
  readonly #strict: boolean;
  readonly faults: CheckpointFault[] = [];

  /** @param strict whether anything that cannot be read makes reading fail */
  constructor(files: Files, strict: boolean) {
    this.files = files;
    this.#strict = strict;
  }

  /**
   * What `check` makes of the checkpoint's content; undefined if there is none, or none that can be read.
   *
   * @param advice what to do if it cannot be read; given for what an agent cannot do without: then it fails in any case
   */
  read<T>(path: string, check: (content: unknown) => T, advice?: string): Future<T | undefined> {
    return this.files
      .read(path)
      .map((bytes): T | undefined => check(decodeCheckpoint(bytes, path)))
      .repair((outcome) => {
        const error = outcome.failure();
        if (isMissing(error)) return undefined;
        if (error instanceof RecoveryError) return Future.failed(error);
        return this.#unreadable(path, error, advice).map(() => undefined);
      });
  }

  /** The entries of a folder that are ids of this kind; none if the folder is not there. */
  ids<T extends string>(folder: string, isId: (name: unknown) => name is T): Future<readonly T[]> {
    return this.files
      .list(folder)
      .repair((outcome): readonly string[] | Future<readonly string[]> => {
        const error = outcome.failure();
        return isMissing(error) ? [] : Future.failed(error);
      })
      .map((names) => names.filter(isId));
  }

  /** Keeps a copy of what cannot be read. The file itself is left to the caller. */
  keepAside(path: string, message: string): Future<void> {
    return this.files
      .read(path)
      .andThen((bytes) => this.#create(path, bytes, 1))
      .map((movedTo) => void this.faults.push({ path, message, movedTo }));
  }

  #unreadable(path: string, error: unknown, advice: string | undefined): Future<void> {
    const isRead = !(error instanceof Error && 'code' in error);
    const message = messageOf(error);
    if (this.#strict || advice !== undefined) {
      const code = isRead ? 'CHECKPOINT_CORRUPT' : 'CHECKPOINT_UNREADABLE';
      const what = isRead ? 'is corrupt' : 'cannot be read';
      const help = advice ?? 'repair or remove it, or start without strict recovery';
      return Future.failed(
        new RecoveryError(code, `Checkpoint '${path}' ${what} (${message}): ${help}`, { cause: error }),
      );
    }
    if (!isRead) {
      this.faults.push({ path, message, movedTo: undefined });
      return Future.ready(undefined);
    }
    return this.keepAside(path, message)
      .andThen(() => this.files.remove(path))
      .repair((outcome) => {
        // A full disk keeps no copies; the file stays as it is, and is told of at the next start again.
        this.faults.push({
          path,
          message: `${message}; not moved aside: ${messageOf(outcome.failure())}`,
          movedTo: undefined,
        });
      });
  }

  #create(path: string, bytes: Uint8Array, number: number): Future<string> {
    const aside = `${path}.corrupt-${number}`;
    return this.files
      .create(aside, bytes)
      .map(() => aside)
      .repair((outcome) => {
        const error = outcome.failure();
        const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
        return isTaken ? this.#create(path, bytes, number + 1) : Future.failed(error);
      });
  }
}
