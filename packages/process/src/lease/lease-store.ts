import type { Future } from '../future/future.ts';
import type { Subscription } from '../transport.ts';

export interface LeaseRecord {
  /** What the last writer wrote; undefined if nobody ever did, or the lease was given back. */
  readonly value: Uint8Array | undefined;
  /** Grows with every write; 0 before the first. */
  readonly revision: number;
}

/** One value that is replaced only by whoever names its newest revision: where candidates agree on who leads. */
export interface LeaseStore {
  /** When the store was made, in milliseconds since the epoch: revisions of another store mean nothing here. FAILED with LEASE_UNAVAILABLE. */
  created(): Future<number>;
  /** FAILED with LEASE_UNAVAILABLE. */
  read(): Future<LeaseRecord>;
  /**
   * Replaces the value if `expected` is the newest revision; undefined gives the lease back.
   *
   * @returns the new revision. FAILED with LEASE_LOST if somebody else wrote, LEASE_UNAVAILABLE if the store could not be
   *   reached: then it may be written or not, and reading tells.
   */
  write(expected: number, value: Uint8Array | undefined): Future<number>;
  /** Calls `changed` at each write that becomes known, by whomever; a write may be skipped if a newer one follows. */
  watch(changed: (record: LeaseRecord) => void): Subscription;
}
