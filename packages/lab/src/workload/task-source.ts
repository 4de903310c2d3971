import type { Random, Timer } from '@mezzo/process';
import { type Distribution, draw, drawCount } from '../scenario/distribution.ts';
import type { FrameworkGroup } from '../scenario/frameworks.ts';

/** What a source of tasks needs of its framework. */
export interface Desk {
  readonly random: Random;
  /** A task arrives now. */
  submit(task?: { readonly resources: string; readonly duration: number | undefined }): void;
  /** @param milliseconds from now */
  later(milliseconds: number, call: () => void): Timer;
}

/** When a framework's tasks arrive. */
export interface TaskSource {
  /** The framework has arrived. */
  begin(desk: Desk): void;
  /** One of its tasks was launched for the first time. */
  launched?(desk: Desk): void;
}

export function taskSource(group: FrameworkGroup): TaskSource {
  switch (group.kind) {
    case 'greedy':
      return new Greed(group.tasks ?? Infinity);
    case 'long-running':
      return {
        begin(desk) {
          for (let i = 0; i < group.tasks; i++) desk.submit();
        },
      };
    case 'batch':
      return { begin: (desk) => arrive(desk, group.every, group.tasks, group.jobs) };
    case 'spiky':
      return {
        begin(desk) {
          arrive(desk, group.every, group.tasks, group.jobs);
          arrive(desk, group.spikes.every, group.spikes.tasks);
        },
      };
    case 'recorded':
      return new Record(group.tasks ?? []);
  }
}

/** There is always one task waiting: when it is launched, the next one arrives. */
class Greed implements TaskSource {
  #left: number;

  constructor(tasks: number) {
    this.#left = tasks;
  }

  begin(desk: Desk): void {
    this.launched(desk);
  }

  launched(desk: Desk): void {
    if (this.#left-- > 0) desk.submit();
  }
}

/** Jobs of so many tasks, the first one interval from now. */
function arrive(desk: Desk, every: Distribution, tasks: Distribution, jobs = Infinity): void {
  if (jobs <= 0) return;
  desk.later(draw(every, desk.random), () => {
    for (let left = drawCount(tasks, desk.random); left > 0; left--) desk.submit();
    arrive(desk, every, tasks, jobs - 1);
  });
}

interface Recorded {
  readonly arrival: number;
  readonly duration?: number | undefined;
  readonly resources: string;
}

/** Tasks as they were written down. */
class Record implements TaskSource {
  readonly #tasks: readonly Recorded[];

  constructor(tasks: readonly Recorded[]) {
    this.#tasks = [...tasks].sort((a, b) => a.arrival - b.arrival);
  }

  begin(desk: Desk): void {
    this.#from(desk, 0, 0);
  }

  /** @param now milliseconds since the beginning of the record */
  #from(desk: Desk, index: number, now: number): void {
    const due = this.#tasks[index]?.arrival;
    if (due === undefined) return;
    desk.later(due - now, () => {
      let next = index;
      for (let task = this.#tasks[next]; task?.arrival === due; task = this.#tasks[++next]) {
        desk.submit({ resources: task.resources, duration: task.duration });
      }
      this.#from(desk, next, due);
    });
  }
}
