import {
  dispatch,
  type ExitStatus,
  type LocalPID,
  message,
  messageOf,
  type PID,
  Process,
  type Timer,
} from '@mezzo/process';
import {
  type ContainerID,
  executorMessages,
  isTerminal,
  Resources,
  type TaskID,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  UpdateUUID,
} from '@mezzo/protocol';
import type { PosixContainerizer } from '../containerizer/posix-containerizer.ts';
import { taskEnvironment } from '../containerizer/task-environment.ts';
import { volumeMounts } from '../resources/volumes.ts';
import type { Run, WorkDirectory } from '../work-directory.ts';
import type { InheritedTask } from './inherited-task.ts';
import { readResult } from './result-file.ts';

const { AcknowledgeExecutorUpdate, ExecutorUpdate, KillExecutorTask, ShutdownExecutor } = executorMessages;

/** To the agent, from an executor beside it: it ends because it has nothing left to do. What it was sent since is lost. */
export const ExecutorLeaves = message('executor.leaves');

export interface TaskRunnerOptions extends Run {
  readonly agent: PID;
  readonly containerizer: LocalPID<PosixContainerizer>;
  /** Where the volumes are. */
  readonly folders: WorkDirectory;
  /** The framework has the capability TASK_KILLING_STATE. */
  readonly reportsKilling: boolean;
  /** A later agent will know its tasks. */
  readonly isCheckpointed: boolean;
  /** What it had before its agent was started again. */
  readonly inherited: readonly InheritedTask[];
}

/** A task in a container. */
export interface RunningTask {
  readonly info: TaskInfo;
  readonly containerId: ContainerID;
  readonly sandbox: string;
  isKilled: boolean;
  /** Killed because it took longer than it may. */
  isOverdue: boolean;
  hasEnded: boolean;
  deadline: Timer | undefined;
  /** Those it was launched with, itself included. */
  group: readonly RunningTask[];
}

/** Mesos's default kill policy, in milliseconds. */
const defaultGracePeriod = 3000;
/** An update the agent could not store is sent again after this many milliseconds. */
const resendInterval = 10_000;

/** An executor beside its agent: runs tasks that are commands, reports what becomes of them, and ends when the agent has stored all of that. */
export abstract class TaskRunner extends Process {
  protected readonly options: TaskRunnerOptions;
  /** Those that run, or whose last update the agent has not stored yet. */
  protected readonly tasks = new Map<TaskID, RunningTask>();
  /** Nobody wants updates any more. */
  #silent = false;
  /** Sent, and not acknowledged by the agent. */
  readonly #updates = new Map<UpdateUUID, { readonly status: TaskStatus; resend: Timer | undefined }>();

  constructor(options: TaskRunnerOptions) {
    super(`executor(${options.frameworkId}/${options.executorId})`);
    this.options = options;
    this.install(KillExecutorTask, ({ taskId, gracePeriod }) => this.killTask(taskId, gracePeriod));
    this.install(AcknowledgeExecutorUpdate, ({ uuid }) => this.#acknowledged(uuid));
    this.install(ShutdownExecutor, () => this.#shutdown());
  }

  protected abstract killTask(taskId: TaskID, gracePeriod: number | undefined): void;
  /** A task has ended; its last update is not sent yet. */
  protected abstract ended(task: RunningTask, state: TaskState): void;

  protected override initialize(): void {
    const { inherited } = this.options;
    for (const task of inherited) if (!isTerminal(task.latestState)) this.#take(task);
    for (const { info, latestState, group } of inherited) {
      const task = this.tasks.get(info.taskId);
      if (task !== undefined) task.group = group.flatMap((member) => this.tasks.get(member) ?? []);
      else if (latestState !== 'TASK_FINISHED') this.#mourn(group);
    }
  }

  protected override finalize(): void {
    for (const { deadline } of this.tasks.values()) deadline?.cancel();
    this.#forgetUpdates();
  }

  /** Counts the time the task may take from now on, and says that it starts. */
  protected begin(info: TaskInfo, containerId: ContainerID, sandbox: string): RunningTask {
    const task = this.#track(info, containerId, sandbox, info.maxCompletionTime);
    this.report(this.#status(info.taskId, 'TASK_STARTING', {}));
    return task;
  }

  /** @param timeLeft milliseconds that it may still take */
  #track(info: TaskInfo, containerId: ContainerID, sandbox: string, timeLeft: number | undefined): RunningTask {
    const task: RunningTask = {
      info,
      containerId,
      sandbox,
      isKilled: false,
      isOverdue: false,
      hasEnded: false,
      deadline: undefined,
      group: [],
    };
    this.tasks.set(info.taskId, task);
    if (timeLeft !== undefined) task.deadline = this.delay(timeLeft, () => this.#overdue(task));
    return task;
  }

  /** Follows a task that ran while its agent was away. */
  #take({ info, containerId, sandbox, container, latestState, begun }: InheritedTask): void {
    const now = this.clock.now();
    const { maxCompletionTime } = info;
    const timeLeft =
      maxCompletionTime === undefined ? undefined : Math.max((begun ?? now) + maxCompletionTime - now, 0);
    const task = this.#track(info, containerId, sandbox, timeLeft);
    if (latestState === 'TASK_KILLING') {
      task.isKilled = true;
      // The grace period begins anew: nobody knows what was left of it.
      this.#kill(task, undefined);
    }
    if (container === 'unseen') {
      const text = 'Nobody saw the end of the command: it ended with its machine, or before it began';
      const blame = { source: 'SOURCE_AGENT', reason: 'REASON_EXECUTOR_TERMINATED' } as const;
      return this.#end(task, this.#stateOf(task, 'TASK_FAILED'), task.isKilled ? {} : blame, text);
    }
    const isReported = latestState === 'TASK_RUNNING' || container === 'ended';
    if (!isReported && !task.isKilled) this.report(this.#status(info.taskId, 'TASK_RUNNING', {}));
    this.#awaitExit(task);
  }

  /** One of the group came to a bad end before the agent did, which may have been in between. */
  #mourn(group: readonly TaskID[]): void {
    for (const member of group) {
      const task = this.tasks.get(member);
      if (task !== undefined && !task.isKilled) this.kill(task, undefined);
    }
  }

  /** Runs the command of a task that has begun, in its sandbox, which must exist. */
  protected launch(task: RunningTask): void {
    const { containerId, sandbox } = task;
    const { agentId, taskId, command } = task.info;
    if (task.isKilled) return this.#end(task, this.#stateOf(task, 'TASK_KILLED'), {}, 'Killed before it was launched');
    if (command === undefined) return this.#end(task, 'TASK_FAILED', {}, 'The task has no command');
    const { containerizer, frameworkId, executorId, folders, isCheckpointed } = this.options;
    const role = task.info.resources[0]?.allocationRole;
    const volumes = volumeMounts(folders, Resources.of(task.info.resources));
    // The container of a command is the executor's own, whose id the agent knows.
    const label = containerId === this.options.containerId ? {} : { label: taskId };
    const environment = taskEnvironment({ agentId, frameworkId, executorId, taskId, sandbox, command, role });
    const launched = dispatch(containerizer, (p) =>
      p.launch({ containerId, sandbox, command, environment, volumes, isCheckpointed, ...label }),
    );
    launched.onReady(this.defer(() => this.#running(task)));
    launched.onFailed(
      this.defer((error: unknown) => this.launchFailed(task, `Failed to launch container: ${messageOf(error)}`)),
    );
  }

  protected launchFailed(task: RunningTask, text: string): void {
    this.#end(task, 'TASK_FAILED', { source: 'SOURCE_AGENT', reason: 'REASON_CONTAINER_LAUNCH_FAILED' }, text);
  }

  /** TERM, and KILL after the grace period (milliseconds); again to have it sooner. */
  protected kill(task: RunningTask, gracePeriod: number | undefined): void {
    if (task.hasEnded) return;
    if (!task.isKilled && this.options.reportsKilling) this.report(this.#status(task.info.taskId, 'TASK_KILLING', {}));
    task.isKilled = true;
    this.#kill(task, gracePeriod);
  }

  #kill(task: RunningTask, gracePeriod: number | undefined): void {
    const { killGracePeriod = defaultGracePeriod } = task.info;
    void dispatch(this.options.containerizer, (p) => p.kill(task.containerId, gracePeriod ?? killGracePeriod));
  }

  /** It is not for this executor. */
  protected refuse(taskId: TaskID, text: string): void {
    this.report(this.#status(taskId, 'TASK_FAILED', { message: text }));
  }

  #running(task: RunningTask): void {
    if (!task.isKilled) this.report(this.#status(task.info.taskId, 'TASK_RUNNING', {}));
    this.#awaitExit(task);
  }

  #awaitExit(task: RunningTask): void {
    const exited = dispatch(this.options.containerizer, (p) => p.waitFor(task.containerId));
    exited.onReady(this.defer((status: ExitStatus) => this.#exited(task, status)));
  }

  #exited(task: RunningTask, status: ExitStatus): void {
    const result = readResult(this.runtime.files, task.sandbox);
    result.onReady(
      this.defer(({ data, fault }) => {
        const text = fault === undefined ? describe(status) : `${describe(status)}; ${fault}`;
        const state = this.#stateOf(task, stateAfter(status));
        this.#end(task, state, data === undefined ? {} : { data }, text);
      }),
    );
  }

  #stateOf(task: RunningTask, state: TaskState): TaskState {
    if (task.isOverdue) return 'TASK_FAILED';
    return task.isKilled ? 'TASK_KILLED' : state;
  }

  #overdue(task: RunningTask): void {
    if (task.isKilled) return;
    task.isOverdue = true;
    this.kill(task, undefined);
  }

  #shutdown(): void {
    this.#silent = true;
    this.#forgetUpdates();
    if (this.#isDone) return this.#leave();
    for (const task of this.tasks.values()) this.kill(task, undefined);
  }

  #end(task: RunningTask, state: TaskState, details: Partial<TaskStatus>, text: string): void {
    task.hasEnded = true;
    task.deadline?.cancel();
    const reason = task.isOverdue ? { reason: 'REASON_MAX_COMPLETION_TIME_REACHED' } : {};
    this.ended(task, state);
    this.report(this.#status(task.info.taskId, state, { message: text, ...details, ...reason }));
    if (this.#silent && this.#isDone) this.#leave();
  }

  #status(taskId: TaskID, state: TaskState, details: Partial<TaskStatus>): TaskStatus {
    const uuid = UpdateUUID(this.random.uuid());
    const { executorId } = this.options;
    return { taskId, state, source: 'SOURCE_EXECUTOR', executorId, timestamp: this.clock.now(), uuid, ...details };
  }

  protected report(status: TaskStatus): void {
    const { uuid } = status;
    if (this.#silent || uuid === undefined) return;
    this.#updates.set(uuid, { status, resend: undefined });
    this.#send(uuid);
  }

  #send(uuid: UpdateUUID): void {
    const update = this.#updates.get(uuid);
    if (update === undefined) return;
    const { agent, frameworkId, executorId } = this.options;
    this.send(agent, ExecutorUpdate, { frameworkId, executorId, status: update.status });
    update.resend = this.delay(resendInterval, () => this.#send(uuid));
  }

  #acknowledged(uuid: UpdateUUID): void {
    const update = this.#updates.get(uuid);
    if (update === undefined) return;
    update.resend?.cancel();
    this.#updates.delete(uuid);
    if (isTerminal(update.status.state)) this.#forget(update.status.taskId);
    if (this.#updates.size === 0 && this.tasks.size === 0) this.#leave();
  }

  /** Only now may the container be forgotten: its exit record is in an update that the agent has stored. */
  #forget(taskId: TaskID): void {
    const task = this.tasks.get(taskId);
    if (task?.hasEnded !== true) return;
    this.tasks.delete(taskId);
    void dispatch(this.options.containerizer, (p) => p.remove(task.containerId));
  }

  get #isDone(): boolean {
    for (const { hasEnded } of this.tasks.values()) if (!hasEnded) return false;
    return true;
  }

  #forgetUpdates(): void {
    for (const { resend } of this.#updates.values()) resend?.cancel();
    this.#updates.clear();
  }

  #leave(): void {
    for (const taskId of this.tasks.keys()) this.#forget(taskId);
    this.send(this.options.agent, ExecutorLeaves);
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
