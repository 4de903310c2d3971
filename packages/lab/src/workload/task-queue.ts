import type { WaitingTask } from './task.ts';

/** So many tasks are passed over at most in search of those that fit; further ones wait for another offer. */
const longestLook = 100;

/** Tasks in the order of their arrival. */
export class TaskQueue {
  #tasks: WaitingTask[] = [];
  #head = 0;

  get size(): number {
    return this.#tasks.length - this.#head;
  }

  push(task: WaitingTask): void {
    this.#tasks.push(task);
  }

  /** Takes those that `fits` says yes to, oldest first, at most `most`; what arrives meanwhile is asked as well. */
  take(most: number, fits: (task: WaitingTask) => boolean, taken: (task: WaitingTask) => void): void {
    const passed: WaitingTask[] = [];
    let index = this.#head;
    for (let count = 0; index < this.#tasks.length && count < most && passed.length < longestLook; index++) {
      const task = this.#tasks[index];
      if (task === undefined) break;
      if (fits(task)) {
        count++;
        taken(task);
      } else passed.push(task);
    }
    // Those passed over move up to those that were not looked at.
    this.#head = index - passed.length;
    for (const [offset, task] of passed.entries()) this.#tasks[this.#head + offset] = task;
    if (this.#head > 1024 && this.#head * 2 > this.#tasks.length) {
      this.#tasks = this.#tasks.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): readonly WaitingTask[] {
    const rest = this.#tasks.slice(this.#head);
    this.#tasks = [];
    this.#head = 0;
    return rest;
  }
}
