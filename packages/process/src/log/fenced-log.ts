import type { Future } from '../future/future.ts';

/** What was appended at once. */
export interface LogEntry {
  /** Grows from entry to entry, not always by one. */
  readonly sequence: number;
  readonly records: readonly Uint8Array[];
}

export interface LogContents {
  /** The newest snapshot, and where it stands in the log. */
  readonly snapshot: { readonly sequence: number; readonly state: Uint8Array } | undefined;
  /** What was appended after it, oldest first. */
  readonly entries: readonly LogEntry[];
  /** Of the newest entry or snapshot; 0 for an empty log. */
  readonly last: number;
}

/**
 * An append-only log that refuses whoever has not seen its newest entry: of two writers who believe they lead, one gets
 * LOG_FENCED. What `append` and `snapshot` said is done survives a crash, whole or not at all.
 */
export interface FencedLog {
  /** FAILED with LOG_CORRUPT, LOG_VERSION (written by a newer version) or LOG_UNAVAILABLE. */
  read(): Future<LogContents>;
  /**
   * Appends the records as one entry if `expected` is the sequence of the newest entry (0 for an empty log).
   *
   * @returns the sequence of the new entry. FAILED with LOG_FENCED if the log has gone on, with LOG_UNAVAILABLE if it could
   *   not be reached or written: then the entry may be there or not, and reading tells.
   */
  append(expected: number, records: readonly Uint8Array[]): Future<number>;
  /** Puts a state in place of everything up to `expected`, under the same condition as `append`. */
  snapshot(expected: number, state: Uint8Array): Future<number>;
  close(): Future<void>;
}
