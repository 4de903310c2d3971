import { Deferred, Future, message, type PID, Process, type Timer } from '@mezzo/process';

/** To the agent: what was at this path is gone. */
export const GarbageRemoved = message<{ readonly path: string }>('garbage.removed');

/** Names and defaults are those of Mesos's agent flags. Times in milliseconds. */
export interface GarbageOptions {
  /** How long things are kept at most (gc_delay). Default 1 week. */
  readonly delay?: number;
  /** Part of the disk that shall be free (gc_disk_headroom), 0 to 1. Default 0.1. */
  readonly diskHeadroom?: number;
  /** How often it is looked how full the disk is (disk_watch_interval). Default 1 min. */
  readonly diskWatchInterval?: number;
  /** How much of the disk is used, 0 to 1. */
  readonly diskUsage: () => Future<number>;
}

/** Something to be removed, and since when nobody needs it (milliseconds since the epoch). */
export interface Garbage {
  readonly path: string;
  readonly since: number;
}

/**
 * Removes folders that nobody needs any more: when they are older than a week, and earlier the fuller the disk is, the oldest
 * first and one at a time. What is scheduled is not remembered through a restart: `findGarbage` finds it again.
 */
export class GarbageCollector extends Process {
  readonly #agent: PID;
  readonly #delay: number;
  readonly #headroom: number;
  readonly #watchInterval: number;
  readonly #diskUsage: () => Future<number>;
  readonly #scheduled = new Map<string, Garbage>();
  /** Paths whose turn has come, in order; the first is being removed. */
  readonly #due = new Map<string, { readonly garbage: Garbage; readonly removed: Deferred<void> }>();
  #oldestDue: Timer | undefined;
  /** Since when what that timer waits for is not needed; what is kept since may make it ring in vain. */
  #oldest = Number.POSITIVE_INFINITY;

  constructor(agent: PID, options: GarbageOptions) {
    super('garbage-collector');
    this.#agent = agent;
    this.#delay = options.delay ?? 7 * 24 * 3600 * 1000;
    this.#headroom = options.diskHeadroom ?? 0.1;
    this.#watchInterval = options.diskWatchInterval ?? 60_000;
    this.#diskUsage = options.diskUsage;
  }

  protected override initialize(): void {
    this.#watchDisk();
  }

  /** To be removed some day. A path that is scheduled already is scheduled anew; one that is being removed is left alone. */
  schedule(path: string, since: number = this.clock.now()): void {
    if (this.#due.has(path)) return;
    this.#scheduled.set(path, { path, since });
    if (since < this.#oldest) this.#await(since);
  }

  /**
   * Keeps what was scheduled, before somebody uses it again. False if it was not scheduled, or its removal had begun; then it is
   * READY when nothing is being removed any more.
   */
  unschedule(path: string): Future<boolean> {
    const removal = this.#due.get(path)?.removed.future.map(() => false);
    const wasScheduled = this.#scheduled.delete(path);
    return removal ?? Future.ready(wasScheduled);
  }

  /** Keeps all of these. READY when none of them is being removed any more. */
  keep(paths: readonly string[]): Future<void> {
    let kept: Future<unknown> = Future.ready(undefined);
    for (const path of paths) {
      const one = this.unschedule(path);
      kept = kept.andThen(() => one);
    }
    return kept.map(() => undefined);
  }

  /** Removes what nobody has needed for this long (milliseconds). */
  prune(age: number): void {
    const latest = this.clock.now() - age;
    const old = [...this.#scheduled.values()].filter(({ since }) => since <= latest);
    for (const garbage of old.sort((left, right) => left.since - right.since)) {
      this.#scheduled.delete(garbage.path);
      this.#due.set(garbage.path, { garbage, removed: new Deferred<void>() });
      if (this.#due.size === 1) this.#removeNext();
    }
    this.#awaitOldest();
  }

  #removeNext(): void {
    const [next] = this.#due.values();
    if (next === undefined) return;
    const { garbage, removed } = next;
    const { path } = garbage;
    const work = this.runtime.files.remove(path);
    work.onReady(this.defer(() => this.send(this.#agent, GarbageRemoved, { path })));
    work.onFailed((error) =>
      this.runtime.log.error({ err: error, path }, 'Could not remove a folder; keeping it longer'),
    );
    work.onAny(
      this.defer(() => {
        this.#due.delete(path);
        if (work.isFailed) this.schedule(path);
        removed.set(undefined);
        this.#removeNext();
      }),
    );
  }

  #awaitOldest(): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { since } of this.#scheduled.values()) oldest = Math.min(oldest, since);
    this.#await(oldest);
  }

  #await(oldest: number): void {
    this.#oldestDue?.cancel();
    this.#oldest = oldest;
    if (oldest === Number.POSITIVE_INFINITY) return;
    const left = Math.max(oldest + this.#delay - this.clock.now(), 0);
    this.#oldestDue = this.delay(left, () => this.prune(this.#delay));
  }

  #watchDisk(): void {
    this.delay(this.#watchInterval, () => {
      const usage = this.#diskUsage();
      usage.onReady(this.defer((used: number) => this.prune(this.#delay * Math.max(0, 1 - this.#headroom - used))));
      usage.onFailed((error) => this.runtime.log.warn({ err: error }, 'Could not tell how full the disk is'));
      usage.onAny(this.defer(() => this.#watchDisk()));
    });
  }
}
