import { executorMessages, type TaskID, type TaskInfo } from '@mezzo/protocol';
import { TaskRunner, type TaskRunnerOptions } from './task-runner.ts';

const { LaunchTask } = executorMessages;

/** Runs one task that is a command, in the container and sandbox that are the executor's own. */
export class CommandExecutor extends TaskRunner {
  #hasTask = false;

  constructor(options: TaskRunnerOptions) {
    super(options);
    this.install(LaunchTask, ({ task, sandbox }) => this.#launch(task, sandbox));
  }

  #launch(task: TaskInfo, sandbox: string): void {
    if (this.#hasTask) return this.refuse(task.taskId, 'The executor has a task already');
    this.#hasTask = true;
    this.launch(this.begin(task, this.options.containerId, sandbox));
  }

  protected override killTask(taskId: TaskID, gracePeriod: number | undefined): void {
    const task = this.tasks.get(taskId);
    if (task !== undefined) this.kill(task, gracePeriod);
  }

  protected override ended(): void {
    // It had no other task.
  }
}
