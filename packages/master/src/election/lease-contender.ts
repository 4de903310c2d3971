import {
  type Duration,
  type ExitReason,
  type Future,
  messageOf,
  type PID,
  ProcessError,
  type Subscription,
  type Timer,
  toMilliseconds,
} from '@mezzo/process';
import type { LeaseRecord, LeaseStore } from '@mezzo/process/lease';
import { type Claim, decodeClaim, encodeClaim } from '@mezzo/protocol';
import { Contender, prudence } from './contender.ts';

export interface LeaseContenderOptions {
  readonly cluster: string;
  /** What all candidates of the cluster share, and nobody else. */
  readonly lease: LeaseStore;
  /** Who hears Elected and Deposed, and says Leads; when it ends, so does the contender. */
  readonly owner: PID;
  /**
   * A holder that could not renew the lease for so long has lost it, and a lease that was not renewed for so long may be
   * taken. Default 12 s: JetStream was seen to take up to 7.5 s to find a new leader of its own, and a healthy holder must
   * outlast that, with a renewal before and an attempt after it. A node that dies is noticed sooner, by its links.
   */
  readonly duration?: Duration;
  /** How often the holder renews it. Default a tenth of the duration. */
  readonly renewal?: Duration;
}

const nothingSeen: LeaseRecord = { value: undefined, revision: -1 };

/** For a cluster on one machine, where a new leader is wanted within a second or two, and the lease store does not fail. */
export const demoLease = { duration: '1s', renewal: '250ms' } as const;

/** Of a holder whose node is lost, so many renewals must not have come. */
const patience = 3;

/**
 * Contends for leadership by a lease. Whoever replaces its newest revision holds it; the holder renews it and may lead
 * until the lease's duration has passed since it sent the last renewal that came through, by its own clock. Others may
 * take it once they saw no renewal for that long by theirs; or when three renewals did not come and the holder's node is
 * lost; or at once when it was given back, or the holder's contender has ended while its node lives. No two clocks are ever
 * compared. The replacement is conditional, so an error of judgement costs nothing, and of several exactly one succeeds.
 */
export class LeaseContender extends Contender {
  readonly #lease: LeaseStore;
  readonly #duration: number;
  readonly #renewal: number;
  #subscription: Subscription | undefined;
  /** Of the lease store; revisions of another one mean nothing. */
  #created: number | undefined;
  #record = nothingSeen;
  /** What the record says; undefined if the lease is free, or holds what only others can read. */
  #claim: Claim | undefined;
  #seenAt = 0;
  /** What became of the holder's contender: it ended, or its node is lost. */
  #holder: 'lives' | 'ended' | 'lost' = 'lives';
  #busy = false;
  /** Resigned, it leaves the lease to others until then. */
  #notBefore = 0;
  #next: Timer | undefined;

  /** Throws DURATION_INVALID, and RangeError for a renewal that is not at most a third of the duration. */
  constructor(options: LeaseContenderOptions) {
    super(options.cluster, options.owner);
    this.#lease = options.lease;
    this.#duration = toMilliseconds(options.duration ?? '12s');
    this.#renewal = options.renewal === undefined ? this.#duration / 10 : toMilliseconds(options.renewal);
    if (!(this.#renewal > 0 && this.#renewal <= this.#duration / patience)) {
      throw new RangeError(
        `A lease of ${this.#duration} ms cannot be renewed every ${this.#renewal} ms: expected a third of it or less`,
      );
    }
  }

  protected override initialize(): void {
    super.initialize();
    this.#subscription = this.#lease.watch(this.defer((record: LeaseRecord) => this.#heard(record)));
    this.#look();
  }

  protected override finalize(): void {
    super.finalize();
    this.#subscription?.cancel();
    if (this.holds()) this.#giveBack();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    super.exited(pid, reason);
    if (pid.address !== this.#claim?.candidate) return;
    this.#holder = reason.kind === 'terminated' || reason.kind === 'crashed' ? 'ended' : 'lost';
    this.#plan();
  }

  protected override expired(): void {
    this.#plan();
  }

  /** Others come first: something may be wrong here. */
  protected override resign(): void {
    this.#giveBack();
    this.#notBefore = this.clock.now() + this.#duration;
    this.#plan();
  }

  // ---- what the lease says

  /** Asks the store for what there is. @param beyond the answer must be newer than this revision. */
  #look(beyond = -1): void {
    this.#busy = true;
    // One after the other: the record is at least as new as the store that was named.
    const seen = this.#lease.created().andThen((created) => this.#lease.read().map((record) => ({ created, record })));
    this.#await(seen, (outcome) => {
      if (!outcome.isReady) return this.#retry(whyNot(outcome), beyond);
      const { created, record } = outcome.get();
      if (created === this.#created && record.revision <= beyond) {
        return this.#retry('it knows an older revision than it should', beyond);
      }
      if (created !== this.#created) {
        this.lose('the lease store was made anew');
        this.#created = created;
        this.#record = nothingSeen;
      }
      this.#saw(record);
      this.#plan();
    });
  }

  #heard(record: LeaseRecord): void {
    // Before it is known which store this is, its revisions mean nothing.
    if (this.#created === undefined) return;
    this.#saw(record);
    this.#plan();
  }

  #saw(record: LeaseRecord): void {
    if (this.#created === undefined || record.revision <= this.#record.revision) return;
    const before = this.#holder === 'lives' ? this.#claim?.candidate : undefined;
    this.#record = record;
    this.#seenAt = this.clock.now();
    this.#claim = record.value && decodeClaim(record.value);
    this.#holder = 'lives';
    const claim = this.#claim;
    if (claim?.candidate === this.self.address) this.#confirmed(claim, record.revision, this.#created);
    else {
      this.lose(`${claim?.candidate ?? 'nobody'} holds the lease now`);
      if (claim !== undefined && claim.candidate !== before) this.#follow(claim);
    }
  }

  /** Something that this contender wrote is the newest: it may be a while since it was written. */
  #confirmed(claim: Claim, revision: number, created: number): void {
    const until = claim.sent + this.#duration * prudence;
    // Nor may others take the lease before so much time has passed, so whoever begins is the last to have begun.
    const isFresh = this.clock.now() < claim.sent + patience * this.#renewal * prudence;
    const begins = this.term === undefined && claim.term === undefined && isFresh;
    const term = begins ? { created, revision } : this.term;
    if (term !== undefined && this.clock.now() < until) this.reign(term, until);
  }

  #follow({ candidate, cluster }: Claim): void {
    // Its node may have been started again since we last heard of it.
    this.link(this.runtime.pid(candidate), { reconnect: true });
    if (cluster === this.cluster) return;
    this.runtime.log.warn(
      { candidate, cluster },
      `The lease of cluster '${this.cluster}' is held for another cluster: give each a lease of its own`,
    );
  }

  // ---- what it does about it

  /** Arms the one timer for what is to be done next. */
  #plan(): void {
    // The end of what is under way plans.
    if (this.#busy) return;
    this.#next?.cancel();
    const due = Math.max(this.#due(), this.#notBefore) - this.clock.now();
    this.#next = this.delay(Math.max(due, 0), () => {
      if (this.holds() || this.clock.now() >= this.#due()) this.#write(this.#record.revision);
      else this.#plan();
    });
  }

  #due(): number {
    const claim = this.#claim;
    const isOwn = claim?.candidate === this.self.address;
    if (isOwn && this.term !== undefined) return claim.sent + this.#renewal;
    // Its own, of a reign that is over: nobody leads.
    if (isOwn || this.#record.value === undefined || this.#holder === 'ended') return 0;
    return this.#seenAt + (this.#holder === 'lost' ? patience * this.#renewal : this.#duration);
  }

  /** Takes the lease, or renews it. */
  #write(expected: number): void {
    this.#busy = true;
    const value = encodeClaim({
      cluster: this.cluster,
      candidate: this.self.address,
      sent: this.clock.now(),
      url: this.runtime.url ?? '',
      ...(this.term && { term: this.term }),
      ...(this.master && { master: this.master.address }),
    });
    const written = this.#lease.write(expected, value);
    this.#await(written, (outcome) => {
      if (outcome.isReady) return this.#heard({ revision: outcome.get(), value });
      // It may be written all the same; or somebody else wrote. Reading tells.
      const isLost = outcome.isFailed && codeOf(outcome.failure()) === 'LEASE_LOST';
      if (isLost) this.#look(expected);
      else this.#retry(whyNot(outcome));
    });
  }

  /** Goes on with the outcome, or without one after a time in which there should have been one. */
  #await<T>(operation: Future<T>, then: (outcome: Future<T>) => void): void {
    let open = true;
    const go = this.defer(() => {
      if (!open) return;
      open = false;
      limit.cancel();
      this.#busy = false;
      then(operation);
    });
    const limit = this.delay(this.#duration / 10, go);
    operation.onAny(go);
    operation.onAbandoned(go);
  }

  #retry(why: string, beyond?: number): void {
    this.runtime.log.warn({ why }, 'The lease store cannot be used just now');
    this.#busy = true;
    this.#next = this.delay(this.#renewal / 4, () => this.#look(beyond));
  }

  #giveBack(): void {
    // If it is not taken, others find out by themselves.
    this.#lease.write(this.#record.revision, undefined).onFailed(() => undefined);
  }
}

function codeOf(error: unknown): string {
  return error instanceof ProcessError ? error.code : '';
}

function whyNot(outcome: Future<unknown>): string {
  return outcome.isFailed ? messageOf(outcome.failure()) : 'no answer yet';
}
