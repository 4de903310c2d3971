import type { PID, Timer } from '@mezzo/process';
import {
  type ExecutorID,
  type ExecutorInfo,
  executorLifecycle,
  type ExecutorState,
  type TaskID,
  type TaskInfo,
  type TaskState,
} from '@mezzo/protocol';
import type { AgentFramework } from './agent-framework.ts';
import type { AgentTask } from './agent-task.ts';
import { commandExecutorInfo } from './executor/command-executor-info.ts';
import type { Run } from './work-directory.ts';

/** Mesos's MAX_COMPLETED_TASKS_PER_EXECUTOR. */
const longestHistory = 200;

/** What the tasks that an executor leaves behind are told to have come to. */
export interface Ending {
  readonly state: TaskState & ('TASK_FAILED' | 'TASK_LOST' | 'TASK_GONE' | 'TASK_DROPPED');
  readonly reason: string;
  readonly message: string;
}

/** One run of an executor on this agent. */
export class AgentExecutor {
  readonly framework: AgentFramework;
  readonly #source: ExecutorInfo | TaskInfo;
  readonly run: Run;
  readonly sandbox: string;
  state: ExecutorState = executorLifecycle.initial;
  /** An earlier agent started it. */
  wasRecovered = false;
  /** Who takes its orders, once it has registered. */
  pid: PID | undefined;
  /** Tasks whose last update is not acknowledged yet, in the order in which they came. */
  readonly tasks = new Map<TaskID, AgentTask>();
  /** The latest ones, oldest first. Most executors have one task only, and a list just in the end. */
  completed: AgentTask[] | undefined;
  /** Of its registration, or of its end. */
  timer: Timer | undefined;
  /** Why the agent ended it. */
  ending: Ending | undefined;
  /** As wait(2) gives it; -1 if it never ran. */
  waitStatus = -1;

  /** @param source what the framework gave, or a task that is a command and gets an executor of its own */
  constructor(framework: AgentFramework, source: ExecutorInfo | TaskInfo, run: Run, sandbox: string) {
    this.framework = framework;
    this.#source = source;
    this.run = run;
    this.sandbox = sandbox;
  }

  get id(): ExecutorID {
    return this.run.executorId;
  }

  /** It was made up for a task that is a command; the master does not know of it. */
  get isGenerated(): boolean {
    return 'taskId' in this.#source;
  }

  get info(): ExecutorInfo {
    return 'taskId' in this.#source ? commandExecutorInfo(this.#source) : this.#source;
  }

  /** A program of its own, with a container of its own. The others are processes beside the agent. */
  get isProgram(): boolean {
    return !this.isGenerated && this.info.type === 'CUSTOM';
  }

  /** Under which Mesos's clients look for the sandbox. */
  get virtualPath(): string {
    const { frameworkId, executorId } = this.run;
    return `/frameworks/${frameworkId}/executors/${executorId}/runs/latest`;
  }

  get hasQueuedTasks(): boolean {
    for (const task of this.tasks.values()) if (task.state === 'queued') return true;
    return false;
  }

  complete(task: AgentTask): void {
    this.tasks.delete(task.id);
    this.completed ??= [];
    this.completed.push(task);
    if (this.completed.length > longestHistory) this.completed.shift();
  }
}
