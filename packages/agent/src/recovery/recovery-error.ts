export type RecoveryErrorCode =
  | 'CHECKPOINT_CORRUPT'
  | 'CHECKPOINT_UNREADABLE'
  | 'CHECKPOINT_NEWER'
  | 'OTHER_CLUSTER'
  | 'AGENT_INCOMPATIBLE'
  | 'RESOURCES_INCOMPATIBLE'
  | 'WORK_DIRECTORY_IN_USE';

/** What lies in a work directory does not let an agent start. The message is one line that names the cause and what to do. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError';
  readonly code: RecoveryErrorCode;

  constructor(code: RecoveryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether a file operation failed because the path is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
