import { type Files, Future, messageOf } from '@mezzo/process';

/** A command that leaves a file of this name in its sandbox has it sent as `data` of the task's last update. */
export const resultFile = 'status.data';
/** Bytes. What is larger belongs into the sandbox, from where the agent serves it. */
export const largestResult = 4 * 1024 * 1024;

export interface Result {
  readonly data: Uint8Array | undefined;
  /** Why a file that is there is not sent. */
  readonly fault: string | undefined;
}

const none: Result = { data: undefined, fault: undefined };

/** Never fails. */
export function readResult(files: Files, sandbox: string): Future<Result> {
  const path = `${sandbox}/${resultFile}`;
  return files
    .stat(path)
    .andThen(({ size, directory }): Future<Result> => {
      if (directory) return refused('it is a folder');
      if (size > largestResult) return refused(`it has ${size} bytes, more than the ${largestResult} allowed`);
      // A pipe has size 0 too, and reading one could take for ever.
      if (size === 0) return Future.ready({ data: new Uint8Array(), fault: undefined });
      return files.read(path, { length: size }).map((data) => ({ data, fault: undefined }));
    })
    .repair((outcome) => {
      const error = outcome.failure();
      return isMissing(error) ? none : refused(messageOf(error));
    });
}

function refused(why: string): Future<Result> {
  return Future.ready({ data: undefined, fault: `${resultFile} was not sent: ${why}` });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
