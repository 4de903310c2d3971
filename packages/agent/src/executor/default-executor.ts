import { messageOf } from '@mezzo/process';
import { ContainerID, executorMessages, type TaskID, type TaskInfo, type TaskState } from '@mezzo/protocol';
import { type RunningTask, TaskRunner, type TaskRunnerOptions } from './task-runner.ts';

const { LaunchTask, LaunchTaskGroup } = executorMessages;

/**
 * Runs groups of tasks, each task in a container and a sandbox of its own below the executor's. When a task of a group
 * fails or is killed, the others of that group are killed; one that finishes leaves them alone.
 */
export class DefaultExecutor extends TaskRunner {
  constructor(options: TaskRunnerOptions) {
    super(options);
    this.install(LaunchTaskGroup, ({ tasks, sandbox }) => this.#launch(tasks, sandbox));
    this.install(LaunchTask, ({ task, sandbox }) => this.#launch([task], sandbox));
  }

  #launch(infos: readonly TaskInfo[], sandbox: string): void {
    const group = infos.map((info) => {
      const containerId = ContainerID(`${this.options.containerId}.${this.random.uuid()}`);
      // Where Mesos has a link to the task's sandbox.
      return this.begin(info, containerId, `${sandbox}/tasks/${info.taskId}`);
    });
    for (const task of group) {
      task.group = group;
      const created = this.runtime.files.createFolder(task.sandbox);
      created.onReady(this.defer(() => this.launch(task)));
      created.onFailed(
        this.defer((error: unknown) => this.launchFailed(task, `Failed to create the sandbox: ${messageOf(error)}`)),
      );
    }
  }

  protected override killTask(taskId: TaskID, gracePeriod: number | undefined): void {
    const task = this.tasks.get(taskId);
    if (task !== undefined) this.kill(task, gracePeriod);
  }

  protected override ended(task: RunningTask, state: TaskState): void {
    if (state === 'TASK_FINISHED') return;
    for (const other of task.group) if (other !== task && !other.isKilled) this.kill(other, undefined);
  }
}
