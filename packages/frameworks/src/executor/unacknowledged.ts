import type { TaskID, TaskInfo, TaskStatus, UpdateUUID } from '@mezzo/protocol';

/** What an agent must hear of again when it comes back: it may have lost what it did not acknowledge. */
export class Unacknowledged {
  // In order of insertion, which is that of their making.
  readonly #updates = new Map<UpdateUUID, TaskStatus>();
  readonly #tasks = new Map<TaskID, TaskInfo>();

  launched(task: TaskInfo): void {
    this.#tasks.set(task.taskId, task);
  }

  reported(uuid: UpdateUUID, status: TaskStatus): void {
    this.#updates.set(uuid, status);
  }

  acknowledged(taskId: TaskID, uuid: UpdateUUID): void {
    // The agent has stored something of the task, so it knows the task.
    if (this.#updates.delete(uuid)) this.#tasks.delete(taskId);
  }

  get isEmpty(): boolean {
    return this.#updates.size === 0;
  }

  /** Oldest first. */
  get updates(): readonly TaskStatus[] {
    return [...this.#updates.values()];
  }

  /** Those that no update was acknowledged of. */
  get tasks(): readonly TaskInfo[] {
    return [...this.#tasks.values()];
  }
}
