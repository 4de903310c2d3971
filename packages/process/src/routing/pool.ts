import type { Duration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { collect } from '../future/combinators.ts';
import { Future } from '../future/future.ts';
import type { BodyOf, Message } from '../message.ts';
import type { LocalPID, PID } from '../pid.ts';
import type { Process } from '../process.ts';
import type { ChildSpec } from '../supervision/child.ts';
import { Supervisor, type SupervisorOptions } from '../supervision/supervisor.ts';
import { type Candidate, candidate, type Choice, Chooser } from './choice.ts';
import { passOn } from './pass-on.ts';

export interface PoolOptions<K extends Message<unknown>> extends Pick<
  SupervisorOptions,
  'restarts' | 'period' | 'backoff'
> {
  /** How many workers, at least 0. */
  readonly size: number;
  /** Makes the worker of that place, counted from 0, anew for each restart. One without an id gets `<pool>/<place>`. */
  readonly worker: (place: number) => Process;
  /** The kinds of messages that workers get. */
  readonly kinds: readonly K[];
  /** Default `round-robin`. `least-loaded`: whoever has the fewest messages that are not done. */
  readonly choice?: Choice<K> | 'least-loaded';
  /** Default `permanent`. */
  readonly restart?: ChildSpec['restart'];
  /** How long a worker may go on with what is queued when the pool ends or shrinks. Default 5 s. */
  readonly drain?: Duration;
}

interface Worker extends Candidate {
  readonly pid: LocalPID<Process>;
  /** Messages it was given and is not done with. */
  load: number;
}

/**
 * Workers behind one address. The pool supervises them one for one, and passes messages on in the name of their sender:
 * answers, and the word that a worker crashed over a question, go straight to whoever asked. While no worker lives, messages
 * are dead letters and asks fail with ProcessGone.
 */
export class Pool<K extends Message<unknown>> extends Supervisor {
  readonly #options: PoolOptions<K>;
  #workers: Worker[] = [];
  #resized: Future<void> = Future.ready(undefined);
  #chooser: Chooser<K> | undefined;

  /** Throws POOL_SIZE_INVALID. */
  constructor(id: string, options: PoolOptions<K>) {
    const { restarts, period, backoff, size } = options;
    const invalid = invalidSize(id, size);
    if (invalid !== undefined) throw invalid;
    super(id, {
      children: specsOf(id, options, size),
      inOrder: false,
      ...(restarts === undefined ? {} : { restarts }),
      ...(period === undefined ? {} : { period }),
      ...(backoff === undefined ? {} : { backoff }),
    });
    this.#options = options;
  }

  /**
   * Adds workers, or removes those of the last places, which may drain. One resize begins when the one before is done; READY
   * when this one is. FAILED with POOL_SIZE_INVALID, and if a worker cannot be made.
   */
  resize(size: number): Future<void> {
    const invalid = invalidSize(this.cell.id, size);
    if (invalid !== undefined) return Future.failed(invalid);
    this.#resized = this.#resized.recover(() => undefined).andThen(this.deferred(() => this.#resize(size)));
    return this.#resized;
  }

  protected override initialize(): void {
    const { choice = 'round-robin', kinds } = this.#options;
    this.#chooser = choice === 'least-loaded' ? undefined : new Chooser(choice, this.random);
    for (const kind of kinds) this.install(kind, (body, from) => this.#pass(kind, body as BodyOf<K>, from));
    super.initialize();
  }

  protected override childrenChanged(): void {
    const known = new Map(this.#workers.map((worker) => [worker.pid, worker]));
    this.#workers = this.running().map(({ id, pid }) => known.get(pid) ?? { ...candidate(id, pid), pid, load: 0 });
  }

  #resize(size: number): Future<void> {
    const wanted = specsOf(this.cell.id, this.#options, size);
    const present = new Set(this.children().map(({ id }) => id));
    const steps: Future<unknown>[] = [];
    for (const spec of wanted) if (!present.delete(spec.id)) steps.push(this.add(spec));
    for (const id of present) steps.push(this.remove(id));
    return collect(steps).map(() => undefined);
  }

  #pass(kind: K, body: BodyOf<K>, from: PID): void {
    let worker = this.#choose(body, kind.name);
    if (worker !== undefined && !this.#lives(worker)) {
      // It has ended, and the word of that is still in our mailbox.
      this.#workers = this.#workers.filter((one) => this.#lives(one));
      worker = this.#choose(body, kind.name);
    }
    const taken = passOn(this.runtime, this.self, worker?.pid, kind, body, from);
    if (taken && worker !== undefined && this.#chooser === undefined) this.#count(worker);
  }

  #choose(body: BodyOf<K>, kind: K['name']): Worker | undefined {
    if (this.#chooser !== undefined) return this.#chooser.choose(this.#workers, body, kind);
    let least: Worker | undefined;
    for (const worker of this.#workers) if (least === undefined || worker.load < least.load) least = worker;
    return least;
  }

  /** What comes behind the message in the worker's mailbox is served when the message is done. */
  #count(worker: Worker): void {
    worker.load++;
    this.runtime.dispatch(worker.pid, () => undefined).onReady(() => void worker.load--);
  }

  #lives({ pid }: Worker): boolean {
    return this.runtime.cell(pid.id)?.pid === pid;
  }
}

function specsOf<K extends Message<unknown>>(pool: string, options: PoolOptions<K>, size: number): ChildSpec[] {
  const { worker, restart = 'permanent', drain = '5s' } = options;
  return Array.from({ length: size }, (_, place) => ({
    id: `${pool}/${place}`,
    start: () => worker(place),
    restart,
    drain,
  }));
}

function invalidSize(pool: string, size: number): ProcessError | undefined {
  if (Number.isSafeInteger(size) && size >= 0) return undefined;
  return new ProcessError('POOL_SIZE_INVALID', `Invalid size ${size} of pool '${pool}': expected an integer from 0 on`);
}
