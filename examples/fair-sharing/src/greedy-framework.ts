import { Basket, type Scheduler, shellTask } from '@mezzo/frameworks';
import { isTerminal, type TaskID, type TaskInfo } from '@mezzo/protocol';

export interface GreedyOptions {
  readonly name: string;
  /** What each task needs, such as `cpus:1;mem:4096`. */
  readonly demand: string;
  /** Seconds that the next task takes. Default: for ever. */
  readonly taskSeconds?: () => number;
  /**
   * Tasks launched in an offer with room for more. With one, nobody takes what is free all at once, and the rest is
   * offered again at once. Default 1.
   */
  readonly tasksPerOffer?: number;
}

/**
 * Wants as many tasks as it can get. An offer without room for one it declines for 5 s, Mesos's default: without a filter
 * the allocator would offer the same to the same framework again and again, as long as its share is the smallest.
 */
export class GreedyFramework implements Scheduler {
  readonly #options: GreedyOptions;
  readonly #running = new Set<TaskID>();
  #launched = 0;

  constructor(options: GreedyOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Tasks that run now. */
  get running(): number {
    return this.#running.size;
  }

  offers: Scheduler['offers'] = (driver, offers) => {
    const { name, demand, taskSeconds, tasksPerOffer = 1 } = this.#options;
    for (const offer of offers) {
      const basket = new Basket(offer);
      const tasks: TaskInfo[] = [];
      while (tasks.length < tasksPerOffer) {
        const resources = basket.take(demand);
        if (resources === undefined) break;
        const command = `sleep ${taskSeconds?.() ?? 'infinity'}`;
        tasks.push(shellTask(offer, { id: `${name}-${++this.#launched}`, command, resources }));
      }
      if (tasks.length === 0) driver.decline(offer);
      else driver.accept(offer, tasks, { refuseSeconds: 0 });
    }
  };

  update: Scheduler['update'] = (_, { state, taskId }) => {
    if (state === 'TASK_RUNNING') this.#running.add(taskId);
    if (isTerminal(state)) this.#running.delete(taskId);
  };
}
