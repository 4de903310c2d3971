import { Basket, type Driver, type Scheduler, shellTask } from '@mezzo/frameworks';
import { Deferred, type Duration, type Future, messageOf } from '@mezzo/process';
import {
  isTerminal,
  type Offer,
  Resources,
  type TaskID,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
} from '@mezzo/protocol';
import { countCommand } from './count-command.ts';
import type { ShardTask } from './shard-folder.ts';
import { type WordCount, WordCounts } from './word-counts.ts';

export interface WordCountOptions {
  readonly shards: readonly ShardTask[];
  /** What each task needs. Default `cpus:0.5;mem:64`. */
  readonly resources?: string;
  /** So many failures of one shard fail the job. A task that is lost is no failure. Default 3. */
  readonly attempts?: number;
  /**
   * How long a task may be known to have finished without its result; then the shard is counted again. It happens when the
   * agent is lost with a result that has not arrived. Default 30 s.
   */
  readonly resultPatience?: Duration;
  /** Hears of every change. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How far the job is. */
export interface Progress {
  readonly shards: {
    readonly total: number;
    readonly waiting: number;
    readonly staging: number;
    readonly running: number;
    readonly finished: number;
  };
  /** How many tasks have ended in which state. */
  readonly tasks: Readonly<Partial<Record<TaskState, number>>>;
}

/** What the job found. */
export interface Outcome {
  readonly words: number;
  readonly distinct: number;
  readonly top: readonly WordCount[];
  readonly tasks: Progress['tasks'];
}

/** The job cannot be done: a shard failed too often, or the framework was refused. */
export class JobFailed extends Error {
  override readonly name = 'JobFailed';
}

const topLength = 20;
/** Offers are not wanted before the next `revive`, which comes when there is work again. */
const noMoreOffers = { refuseSeconds: 3600 };

type ShardState = 'waiting' | 'staging' | 'running' | 'finished';

class ShardProgress {
  readonly task: ShardTask;
  state: ShardState = 'waiting';
  failures = 0;
  /** The task that counts it now. */
  attempt: Attempt | undefined;

  constructor(task: ShardTask) {
    this.task = task;
  }
}

/** One task. */
class Attempt {
  readonly id: TaskID;
  readonly shard: ShardProgress;
  ended = false;

  constructor(id: TaskID, shard: ShardProgress) {
    this.id = id;
    this.shard = shard;
  }
}

/**
 * Counts each shard by a shell task, again when the task was lost, and merges the results. For a driver with manual
 * acknowledgement: the agent keeps a result until this scheduler holds it.
 */
export class WordCountScheduler implements Scheduler {
  readonly #options: WordCountOptions;
  readonly #resources: Resources;
  readonly #counts = new WordCounts();
  readonly #shards: readonly ShardProgress[];
  readonly #waiting: ShardProgress[];
  readonly #attempts = new Map<TaskID, Attempt>();
  readonly #ended = new Map<TaskState, number>();
  readonly #outcome = new Deferred<Outcome>();
  #suppressed = false;

  constructor(options: WordCountOptions) {
    this.#options = options;
    this.#resources = Resources.parse(options.resources ?? 'cpus:0.5;mem:64');
    this.#shards = options.shards.map((task) => new ShardProgress(task));
    this.#waiting = [...this.#shards];
  }

  /** Fails with JobFailed. */
  get outcome(): Future<Outcome> {
    return this.#outcome.future;
  }

  get progress(): Progress {
    const shards = { total: this.#shards.length, waiting: 0, staging: 0, running: 0, finished: 0 };
    for (const { state } of this.#shards) shards[state]++;
    return { shards, tasks: Object.fromEntries(this.#ended) };
  }

  subscribed(driver: Driver): void {
    // A new leader does not know that we were suppressed.
    this.#suppressed = false;
    this.#finishIfDone(driver);
  }

  offers(driver: Driver, offers: readonly Offer[]): void {
    for (const offer of offers) driver.accept(offer, this.#pack(offer), this.#filters());
    if (this.#waiting.length === 0 && !this.#suppressed) this.#suppressed = driver.suppress();
    this.#changed();
  }

  update(driver: Driver, status: TaskStatus): void {
    const attempt = this.#attempts.get(status.taskId);
    if (attempt !== undefined) {
      if (status.state === 'TASK_FINISHED') this.#finished(driver, attempt, status);
      else if (isTerminal(status.state)) this.#failed(driver, attempt, status);
      else this.#alive(attempt, status.state);
    }
    // Not before: what the update says, a result above all, is held only now. One without a uuid is held by nobody.
    driver.acknowledge(status);
    this.#finishIfDone(driver);
    this.#changed();
  }

  error(_driver: Driver, message: string): void {
    this.#outcome.fail(new JobFailed(`The master refused the framework: ${message}`));
  }

  #pack(offer: Offer): readonly TaskInfo[] {
    const basket = new Basket(offer);
    const tasks: TaskInfo[] = [];
    while (this.#waiting.length > 0) {
      const resources = basket.take(this.#resources);
      const shard = resources === undefined ? undefined : this.#waiting.shift();
      if (resources === undefined || shard === undefined) break;
      const task = shellTask(offer, {
        id: `count-${this.#attempts.size}`,
        name: `count ${shard.task.index}`,
        resources,
        ...countCommand(shard.task),
      });
      shard.attempt = new Attempt(task.taskId, shard);
      shard.state = 'staging';
      this.#attempts.set(task.taskId, shard.attempt);
      tasks.push(task);
    }
    return tasks;
  }

  #filters(): { readonly refuseSeconds: number } {
    return this.#waiting.length === 0 ? noMoreOffers : { refuseSeconds: 0 };
  }

  #alive({ id, shard, ended }: Attempt, state: TaskState): void {
    if (ended || shard.attempt?.id !== id) return;
    shard.state = state === 'TASK_STAGING' || state === 'TASK_STARTING' ? 'staging' : 'running';
  }

  #finished(driver: Driver, attempt: Attempt, status: TaskStatus): void {
    const { shard } = attempt;
    if (this.#counts.has(shard.task.index)) {
      this.#end(attempt, status.state);
    } else if (status.data !== undefined) {
      this.#hold(driver, attempt, status, status.data);
    } else if (status.uuid !== undefined) {
      this.#failed(driver, attempt, { ...status, message: status.message ?? 'The task finished without a result' });
    } else {
      // An answer to reconciliation: the result is on its way, unless it was lost with its agent.
      driver.delay(this.#options.resultPatience ?? '30secs', () => {
        if (!attempt.ended) this.#lost(driver, attempt);
      });
    }
  }

  #hold(driver: Driver, attempt: Attempt, status: TaskStatus, data: Uint8Array): void {
    const { shard } = attempt;
    try {
      this.#counts.add(shard.task.index, data);
    } catch (error) {
      this.#failed(driver, attempt, { ...status, message: messageOf(error) });
      return;
    }
    this.#end(attempt, status.state);
    const other = shard.attempt;
    shard.state = 'finished';
    shard.attempt = undefined;
    const at = this.#waiting.indexOf(shard);
    if (at !== -1) this.#waiting.splice(at, 1);
    // A task that was thought lost has come back with the result, and its replacement is not needed any more.
    if (other !== undefined && other !== attempt && !other.ended) driver.kill(other.id);
  }

  #failed(driver: Driver, attempt: Attempt, status: TaskStatus): void {
    if (attempt.ended) return;
    const isFailure =
      status.state === 'TASK_FINISHED' || status.state === 'TASK_FAILED' || status.state === 'TASK_ERROR';
    this.#end(attempt, status.state);
    const { shard } = attempt;
    if (isFailure && !this.#counts.has(shard.task.index) && ++shard.failures >= (this.#options.attempts ?? 3)) {
      this.#fail(
        driver,
        `Shard ${shard.task.index} failed ${shard.failures} times, last as ${status.taskId}: ${describe(status)}`,
      );
    }
    this.#again(driver, attempt);
  }

  #lost(driver: Driver, attempt: Attempt): void {
    this.#end(attempt, 'TASK_LOST');
    this.#again(driver, attempt);
    this.#changed();
  }

  /** The shard waits for a new task, unless one has taken over already. */
  #again(driver: Driver, { id, shard }: Attempt): void {
    if (shard.attempt?.id !== id || !this.#outcome.future.isPending) return;
    shard.attempt = undefined;
    shard.state = 'waiting';
    this.#waiting.push(shard);
    if (this.#suppressed && driver.revive()) this.#suppressed = false;
  }

  #end(attempt: Attempt, state: TaskState): void {
    if (attempt.ended) return;
    attempt.ended = true;
    this.#ended.set(state, (this.#ended.get(state) ?? 0) + 1);
  }

  #fail(driver: Driver, message: string): void {
    this.#outcome.fail(new JobFailed(message));
    driver.teardown();
  }

  #finishIfDone(driver: Driver): void {
    if (this.#counts.shards < this.#shards.length || !this.#outcome.future.isPending) return;
    this.#outcome.set({
      words: this.#counts.words,
      distinct: this.#counts.distinct,
      top: this.#counts.top(topLength),
      tasks: this.progress.tasks,
    });
    driver.teardown();
  }

  #changed(): void {
    this.#options.onProgress?.(this.progress);
  }
}

/** A failed task leaves the end of its standard error as data. */
function describe({ state, message = '', data }: TaskStatus): string {
  const said = data === undefined || state !== 'TASK_FAILED' ? '' : Buffer.from(data).toString('utf8').trim();
  return [`${state} ${message}`.trim(), ...(said === '' ? [] : [said])].join(': ');
}
