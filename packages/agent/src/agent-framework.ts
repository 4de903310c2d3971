import type { ExecutorID, FrameworkID, FrameworkInfo, TaskID } from '@mezzo/protocol';
import type { AgentExecutor } from './agent-executor.ts';
import type { AgentTask } from './agent-task.ts';

/** A framework that has executors on this agent. */
export class AgentFramework {
  readonly id: FrameworkID;
  info: FrameworkInfo;
  /** Being shut down: no launches, no updates. */
  isTerminating = false;
  /** Those that run or have tasks whose last update is not acknowledged yet. */
  readonly executors = new Map<ExecutorID, AgentExecutor>();
  /** The tasks of all executors that are not completed. */
  readonly tasks = new Map<TaskID, AgentTask>();
  /** The latest ones, oldest first. */
  readonly completed: AgentExecutor[] = [];

  /** How many completed executors are remembered. */
  readonly #longestHistory: number;

  constructor(id: FrameworkID, info: FrameworkInfo, longestHistory: number) {
    this.id = id;
    this.info = info;
    this.#longestHistory = longestHistory;
  }

  get isIdle(): boolean {
    return this.executors.size === 0;
  }

  has(capability: string): boolean {
    return this.info.capabilities.includes(capability);
  }

  /** Moves the executor into the history; gives the one that the history had no more room for. */
  complete(executor: AgentExecutor): AgentExecutor | undefined {
    this.executors.delete(executor.id);
    this.completed.push(executor);
    return this.completed.length > this.#longestHistory ? this.completed.shift() : undefined;
  }
}
