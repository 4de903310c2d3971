import { isTerminal, type TaskStatus } from '@mezzo/protocol';
import type { MasterTask } from '../../../packages/master/src/tasks/master-task.ts';
import type { FrameworkRecord } from '../framework-record.ts';
import { type Scene, Violation } from '../scene.ts';
import { isOver } from '../simulated-framework.ts';
import type { Law } from './law.ts';

/** No task leaves a terminal state: neither in a master, nor as its framework hears it. */
export class TerminalStates implements Law {
  looks = 0;
  readonly #scene: Scene;
  /** What became of tasks that are over, by framework and task. */
  readonly #told = new Map<string, string>();
  readonly #known = new WeakMap<MasterTask, MasterTask['state']>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** An update of the task's agent. What a master says by itself, it says of what it knows. */
  heard(record: FrameworkRecord, status: TaskStatus): void {
    if (status.uuid === undefined) return;
    const name = `${record.name} ${status.taskId}`;
    this.looks++;
    const before = this.#told.get(name);
    if (before !== undefined && !isTerminal(status.state))
      throw new Violation(`Framework ${record.name} heard ${status.state} of task ${status.taskId} after ${before}`);
    if (isOver(record, status)) this.#told.set(name, status.state);
  }

  settled(nodes: ReadonlySet<string>): void {
    for (const node of nodes) {
      for (const framework of this.#scene.master(node)?.context.frameworks.values() ?? []) {
        for (const task of framework.tasks.values()) this.#look(node, task);
        for (const task of framework.unreachableTasks.values()) this.#look(node, task);
      }
    }
  }

  #look(node: string, task: MasterTask): void {
    const before = this.#known.get(task);
    if (before === task.state) return;
    this.looks++;
    if (before !== undefined && isTerminal(before))
      throw new Violation(`On ${node} task ${task.id} of ${task.frameworkId} left ${before} for ${task.state}`);
    this.#known.set(task, task.state);
  }
}
