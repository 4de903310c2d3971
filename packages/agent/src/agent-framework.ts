import type { FrameworkID, FrameworkInfo, TaskID } from '@mezzo/protocol';
import type { AgentTask } from './agent-task.ts';

/** Mesos's max_completed_executors_per_framework. */
const longestHistory = 150;

/** A framework that has tasks on this agent. */
export class AgentFramework {
  readonly id: FrameworkID;
  info: FrameworkInfo;
  /** Being shut down: no launches, no updates. */
  isTerminating = false;
  /** Tasks whose last update is not acknowledged yet. */
  readonly tasks = new Map<TaskID, AgentTask>();
  /** Tasks whose executor lives, by the executor's address; a task can be completed before its executor ends. */
  readonly executors = new Map<string, AgentTask>();
  /** The latest ones, oldest first. */
  readonly completed: AgentTask[] = [];

  constructor(id: FrameworkID, info: FrameworkInfo) {
    this.id = id;
    this.info = info;
  }

  get isIdle(): boolean {
    return this.tasks.size === 0 && this.executors.size === 0;
  }

  has(capability: string): boolean {
    return this.info.capabilities.includes(capability);
  }

  hasExecutor(id: string): boolean {
    for (const task of this.executors.values()) if (task.run.executorId === id) return true;
    return false;
  }

  /** Moves the task into the history; gives the task that the history had no more room for. */
  complete(task: AgentTask): AgentTask | undefined {
    this.tasks.delete(task.id);
    this.completed.push(task);
    return this.completed.length > longestHistory ? this.completed.shift() : undefined;
  }
}
