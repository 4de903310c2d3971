import { Basket, type Scheduler, shellTask } from '@mezzo/frameworks';
import { isTerminal, type TaskID } from '@mezzo/protocol';

/** A job of one task, which reads data that some agents have on their disks. */
export interface Job {
  /** Milliseconds since the epoch. */
  readonly arrived: number;
  /** Hostnames. */
  readonly data: ReadonlySet<string>;
}

export interface PatientOptions {
  readonly name: string;
  /** What each task needs, such as `cpus:1;mem:1024`. */
  readonly demand: string;
  /** Seconds that each task takes. */
  readonly taskSeconds: number;
  /** Seconds for which a job insists on agents that have its data; then it takes what comes. */
  readonly delay: number;
  /** Seconds for which an agent without data for a waiting job is declined. */
  readonly refuseSeconds: number;
}

/**
 * Delay scheduling (Zaharia and others, EuroSys 2010, section 3.4) as a framework does it by declining offers: a job
 * waits for an agent with its data, but only for so long.
 */
export class PatientFramework implements Scheduler {
  readonly #options: PatientOptions;
  readonly #waiting: Job[] = [];
  readonly #waits: number[] = [];
  readonly #running = new Set<TaskID>();
  #local = 0;
  #declined = 0;

  constructor(options: PatientOptions) {
    this.#options = options;
  }

  submit(job: Job): void {
    this.#waiting.push(job);
  }

  /** Jobs that are not launched yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Tasks that run now. */
  get running(): number {
    return this.#running.size;
  }

  /** Launches on an agent with the data. */
  get local(): number {
    return this.#local;
  }

  /** Offers declined. */
  get declined(): number {
    return this.#declined;
  }

  /** Seconds from arrival to launch, of every job launched so far. */
  get waits(): readonly number[] {
    return this.#waits;
  }

  offers: Scheduler['offers'] = (driver, offers) => {
    const { name, demand, taskSeconds, refuseSeconds } = this.#options;
    for (const offer of offers) {
      const job = this.#jobFor(offer.hostname, driver.now());
      const resources = job === undefined ? undefined : new Basket(offer).take(demand);
      if (job === undefined || resources === undefined) {
        this.#declined++;
        driver.decline(offer, { refuseSeconds });
        continue;
      }
      this.#waiting.splice(this.#waiting.indexOf(job), 1);
      this.#waits.push((driver.now() - job.arrived) / 1000);
      if (job.data.has(offer.hostname)) this.#local++;
      const task = shellTask(offer, {
        id: `${name}-${this.#waits.length}`,
        command: `sleep ${taskSeconds}`,
        resources,
      });
      driver.accept(offer, [task], { refuseSeconds: 0 });
    }
  };

  update: Scheduler['update'] = (_, { state, taskId }) => {
    if (state === 'TASK_RUNNING') this.#running.add(taskId);
    if (isTerminal(state)) this.#running.delete(taskId);
  };

  /** The oldest job with data on the host, or else the oldest whose patience is at its end. */
  #jobFor(hostname: string, now: number): Job | undefined {
    return (
      this.#waiting.find(({ data }) => data.has(hostname)) ??
      this.#waiting.find(({ arrived }) => now - arrived >= this.#options.delay * 1000)
    );
  }
}
