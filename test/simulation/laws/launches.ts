import type { Command } from '../../../packages/process/src/platform/platform.ts';
import { type Scene, Violation } from '../scene.ts';
import type { Law } from './law.ts';

/** No launch is done twice for one task id, on whichever machines. */
export class Launches implements Law {
  looks = 0;
  readonly #tasks = new Map<string, string>();

  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** A command begins on a machine. */
  launched({ environment }: Command): void {
    this.looks++;
    const task = `${environment['MESOS_FRAMEWORK_ID']} ${environment['MESOS_TASK_ID']}`;
    const where = this.#scene.nodeOf(environment['MESOS_AGENT_ID'] ?? '');
    const before = this.#tasks.get(task);
    if (before !== undefined) throw new Violation(`Task ${task} was launched twice: on ${before}, and on ${where}`);
    this.#tasks.set(task, where);
  }
}
