import { type AgentID, isTerminal, type TaskID, type TaskInfo, type TaskStatus } from '@mezzo/protocol';

/** A task as a reconciliation names it. */
export interface TaskReference {
  readonly taskId: TaskID;
  readonly agentId?: AgentID;
}

/** The tasks that have not ended as far as the scheduler knows, and those of them whose state it has asked for in vain so far. */
export class OpenTasks {
  readonly #agents = new Map<TaskID, AgentID | undefined>();
  readonly #unanswered = new Set<TaskID>();

  launched(task: TaskInfo): void {
    this.#agents.set(task.taskId, task.agentId);
  }

  /** Any word of a task answers the question about it. */
  observe(status: TaskStatus): void {
    this.#unanswered.delete(status.taskId);
    if (isTerminal(status.state)) this.#agents.delete(status.taskId);
    else this.#agents.set(status.taskId, status.agentId ?? this.#agents.get(status.taskId));
  }

  /** Begins to ask for every open task. */
  question(): void {
    this.#unanswered.clear();
    for (const taskId of this.#agents.keys()) this.#unanswered.add(taskId);
  }

  get unanswered(): readonly TaskReference[] {
    return [...this.#unanswered].map((taskId) => {
      const agentId = this.#agents.get(taskId);
      return agentId === undefined ? { taskId } : { taskId, agentId };
    });
  }
}
