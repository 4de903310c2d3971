import { dispatch, type ExitStatus, type LocalPID, messageOf, type PID, Process, type Timer } from '@mezzo/process';
import {
  type ContainerID,
  executorMessages,
  type ExecutorID,
  type FrameworkID,
  type TaskID,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  UpdateUUID,
} from '@mezzo/protocol';
import type { PosixContainerizer } from '../containerizer/posix-containerizer.ts';
import { taskEnvironment } from '../containerizer/task-environment.ts';
import { readResult } from './result-file.ts';

const { AcknowledgeExecutorUpdate, ExecutorUpdate, KillExecutorTask, LaunchTask, ShutdownExecutor } = executorMessages;

export interface CommandExecutorOptions {
  readonly agent: PID;
  readonly containerizer: LocalPID<PosixContainerizer>;
  readonly frameworkId: FrameworkID;
  readonly executorId: ExecutorID;
  readonly containerId: ContainerID;
  /** The framework has the capability TASK_KILLING_STATE. */
  readonly reportsKilling: boolean;
}

/** Mesos's default kill policy, in milliseconds. */
const defaultGracePeriod = 3000;
/** An update the agent could not store is sent again after this many milliseconds. */
const resendInterval = 10_000;

/** Runs one task that is a command, reports what becomes of it, and ends when the agent has stored all of that. */
export class CommandExecutor extends Process {
  readonly #options: CommandExecutorOptions;
  #task: TaskInfo | undefined;
  #killed = false;
  #ended = false;
  /** Nobody wants updates any more. */
  #silent = false;
  /** Sent, and not acknowledged by the agent. */
  readonly #updates = new Map<UpdateUUID, { readonly status: TaskStatus; resend: Timer | undefined }>();

  constructor(options: CommandExecutorOptions) {
    super(`executor(${options.frameworkId}/${options.executorId})`);
    this.#options = options;
    this.install(LaunchTask, ({ task, sandbox }) => this.#launch(task, sandbox));
    this.install(KillExecutorTask, ({ taskId, gracePeriod }) => this.#kill(taskId, gracePeriod));
    this.install(AcknowledgeExecutorUpdate, ({ uuid }) => this.#acknowledged(uuid));
    this.install(ShutdownExecutor, () => this.#shutdown());
  }

  protected override finalize(): void {
    this.#forgetUpdates();
  }

  #forgetUpdates(): void {
    for (const { resend } of this.#updates.values()) resend?.cancel();
    this.#updates.clear();
  }

  #launch(task: TaskInfo, sandbox: string): void {
    if (this.#task !== undefined) return this.#refuse(task, 'The executor has a task already');
    const { command } = task;
    if (command === undefined) return this.#refuse(task, 'The task has no command');
    this.#task = task;
    this.#update('TASK_STARTING', {});
    const { containerizer, containerId, frameworkId, executorId } = this.#options;
    const { agentId, taskId } = task;
    const environment = taskEnvironment({ agentId, frameworkId, executorId, taskId, sandbox, command });
    const launched = dispatch(containerizer, (p) => p.launch({ containerId, sandbox, command, environment }));
    launched.onReady(this.defer(() => this.#running(sandbox)));
    launched.onFailed(
      this.defer((error: unknown) =>
        this.#end('TASK_FAILED', {
          source: 'SOURCE_AGENT',
          reason: 'REASON_CONTAINER_LAUNCH_FAILED',
          message: `Failed to launch container: ${messageOf(error)}`,
        }),
      ),
    );
  }

  /** A command executor is made for one task. */
  #refuse(task: TaskInfo, message: string): void {
    this.#report(this.#status(task.taskId, 'TASK_FAILED', { message }));
  }

  #running(sandbox: string): void {
    const { containerizer, containerId } = this.#options;
    if (!this.#killed) this.#update('TASK_RUNNING', {});
    const exited = dispatch(containerizer, (p) => p.waitFor(containerId));
    exited.onReady(this.defer((status: ExitStatus) => this.#exited(status, sandbox)));
  }

  #exited(status: ExitStatus, sandbox: string): void {
    const result = readResult(this.runtime.files, sandbox);
    result.onReady(
      this.defer(({ data, fault }) => {
        const message = fault === undefined ? describe(status) : `${describe(status)}; ${fault}`;
        this.#end(this.#killed ? 'TASK_KILLED' : stateAfter(status), {
          message,
          ...(data === undefined ? {} : { data }),
        });
      }),
    );
  }

  #kill(taskId: TaskID, gracePeriod: number | undefined): void {
    const task = this.#task;
    if (task === undefined || task.taskId !== taskId || this.#ended) return;
    if (!this.#killed && this.#options.reportsKilling) this.#update('TASK_KILLING', {});
    this.#killed = true;
    const { containerizer, containerId } = this.#options;
    const grace = gracePeriod ?? task.killGracePeriod ?? defaultGracePeriod;
    void dispatch(containerizer, (p) => p.kill(containerId, grace));
  }

  #shutdown(): void {
    this.#silent = true;
    this.#forgetUpdates();
    if (this.#task === undefined || this.#ended) this.#leave();
    else this.#kill(this.#task.taskId, undefined);
  }

  #end(state: TaskState, details: Partial<TaskStatus>): void {
    this.#ended = true;
    this.#update(state, details);
    if (this.#silent) this.#leave();
  }

  #update(state: TaskState, details: Partial<TaskStatus>): void {
    if (this.#task !== undefined) this.#report(this.#status(this.#task.taskId, state, details));
  }

  #status(taskId: TaskID, state: TaskState, details: Partial<TaskStatus>): TaskStatus {
    const uuid = UpdateUUID(this.random.uuid());
    const { executorId } = this.#options;
    return { taskId, state, source: 'SOURCE_EXECUTOR', executorId, timestamp: this.clock.now(), uuid, ...details };
  }

  #report(status: TaskStatus): void {
    const { uuid } = status;
    if (this.#silent || uuid === undefined) return;
    this.#updates.set(uuid, { status, resend: undefined });
    this.#send(uuid);
  }

  #send(uuid: UpdateUUID): void {
    const update = this.#updates.get(uuid);
    if (update === undefined) return;
    const { agent, frameworkId, executorId } = this.#options;
    this.send(agent, ExecutorUpdate, { frameworkId, executorId, status: update.status });
    update.resend = this.delay(resendInterval, () => this.#send(uuid));
  }

  #acknowledged(uuid: UpdateUUID): void {
    this.#updates.get(uuid)?.resend?.cancel();
    if (!this.#updates.delete(uuid)) return;
    if (this.#ended && this.#updates.size === 0) this.#leave();
  }

  /** Only now may the container be forgotten: its exit record is in an update that the agent has stored. */
  #leave(): void {
    const { containerizer, containerId } = this.#options;
    void dispatch(containerizer, (p) => p.remove(containerId));
    this.terminate();
  }
}

function stateAfter(status: ExitStatus): TaskState {
  return status.kind === 'exited' && status.code === 0 ? 'TASK_FINISHED' : 'TASK_FAILED';
}

function describe(status: ExitStatus): string {
  return status.kind === 'exited'
    ? `Command exited with status ${status.code}`
    : `Command terminated with signal ${status.signal}`;
}
