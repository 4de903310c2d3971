import { Deferred, dispatch, type Future } from '@mezzo/process';
import {
  agentMessages,
  executorMessages,
  type FrameworkID,
  type FrameworkInfo,
  type StatusUpdate,
  taskAtAgent,
  type TaskAtAgentEffect,
  type TaskAtAgentEvent,
  type TaskID,
  type TaskState,
  type TaskStatus,
  UpdateUUID,
} from '@mezzo/protocol';
import type { AgentExecutor } from './agent-executor.ts';
import type { AgentProcesses } from './agent-processes.ts';
import type { AgentTask } from './agent-task.ts';
import { Draining } from './draining.ts';
import { FrameworkTable } from './framework-table.ts';
import { Checkpoint } from './recovery/checkpoint.ts';
import { Registrant, type RegistrantOptions } from './registrant.ts';
import { UpdateDue } from './status-updates/status-updates.ts';
import type { WorkDirectory } from './work-directory.ts';

const { AcknowledgeStatusUpdate, ForwardStatusUpdate } = agentMessages;
const { AcknowledgeExecutorUpdate, ExecutorUpdate, KillExecutorTask, LaunchTask, LaunchTaskGroup } = executorMessages;

/** What could not be stored is tried again after this many milliseconds. */
const storeRetry = 10_000;

export interface TaskKeeperOptions extends RegistrantOptions {
  readonly folders: WorkDirectory;
}

/** What the effects of a task's event need to know about it. */
interface Cause {
  readonly status?: TaskStatus;
  readonly gracePeriod?: number | undefined;
}

/**
 * The part of an agent that follows its tasks: it passes on what executors report, and sees to it that it is not lost.
 * What a task may do next is in its lifecycle (`taskAtAgent`), what that means is here.
 */
export abstract class TaskKeeper extends Registrant {
  protected readonly frameworks = new FrameworkTable();
  protected readonly draining = new Draining();
  protected readonly folders: WorkDirectory;
  #checkpoint: Checkpoint | undefined;

  constructor(options: TaskKeeperOptions) {
    super(options);
    this.folders = options.folders;
    this.installOfLeader(AcknowledgeStatusUpdate, ({ frameworkId, taskId, uuid }) =>
      this.#acknowledge(frameworkId, taskId, uuid),
    );
    this.install(ExecutorUpdate, ({ frameworkId, executorId, status }, from) => {
      const executor = this.frameworks.get(frameworkId)?.executors.get(executorId);
      if (executor?.pid?.equals(from) === true) return this.executorUpdate(executor, status);
      this.ignore(`an update of ${from.toString()}: it is no executor of a framework here`);
    });
    this.install(UpdateDue, ({ update }) => this.#forward(update));
  }

  protected abstract get processes(): AgentProcesses;
  protected abstract shutdownExecutor(executor: AgentExecutor): void;
  /** Nothing more is to be told about one of the executor's tasks. */
  protected abstract taskCompleted(executor: AgentExecutor): void;

  /** What the next agent with this work directory must know. */
  protected get checkpoint(): Checkpoint {
    return (this.#checkpoint ??= new Checkpoint(this.runtime.files, this.folders));
  }

  /** Writes until it is written, as a full disk will not stay full. */
  protected persist(what: string, write: () => Future<void>): Future<void> {
    const stored = new Deferred<void>();
    const attempt = (): void => {
      const written = write();
      written.onReady(() => stored.set(undefined));
      written.onFailed(
        this.defer((error: unknown) => {
          this.runtime.log.error({ err: error }, `Could not store ${what}; trying again`);
          this.delay(storeRetry, attempt);
        }),
      );
    };
    attempt();
    return stored.future;
  }

  protected override reconcile(tasks: readonly { readonly frameworkId: FrameworkID; readonly taskId: TaskID }[]): void {
    for (const { frameworkId, taskId } of tasks) {
      const framework = this.frameworks.get(frameworkId);
      if (framework?.tasks.has(taskId) === true) continue;
      this.drop(frameworkId, framework?.info, taskId, 'REASON_RECONCILIATION', 'The agent does not know the task');
    }
  }

  /** False if the task does not take the event in its state. */
  protected step(task: AgentTask, event: TaskAtAgentEvent, cause: Cause): boolean {
    const transition = taskAtAgent.next(task.state, event);
    if (transition === undefined) return false;
    task.state = transition.state;
    for (const effect of transition.effects) this.#carryOut(effect, task, cause);
    return true;
  }

  #carryOut(effect: TaskAtAgentEffect, task: AgentTask, { status, gracePeriod }: Cause): void {
    const { executor, id: taskId } = task;
    switch (effect) {
      case 'sendTask':
        return this.#sendTask(task);
      case 'sendKill':
        if (executor.pid !== undefined)
          this.send(executor.pid, KillExecutorTask, { taskId, ...(gracePeriod === undefined ? {} : { gracePeriod }) });
        return;
      case 'updateKilledDuringLaunch': {
        const message = 'Killed before the executor had it';
        return this.#store(task, this.status(taskId, 'TASK_KILLED', 'REASON_TASK_KILLED_DURING_LAUNCH', message));
      }
      case 'storeUpdate':
        if (status !== undefined) this.#store(task, status);
        return;
      case 'shutdownExecutor':
        return this.shutdownExecutor(executor);
      case 'completeTask':
        executor.complete(task);
        executor.framework.tasks.delete(taskId);
        return this.taskCompleted(executor);
    }
  }

  #sendTask({ executor, group, info }: AgentTask): void {
    const { pid, sandbox } = executor;
    const { frameworkId } = executor.run;
    if (pid === undefined) return;
    if (group === undefined) this.send(pid, LaunchTask, { frameworkId, task: info, sandbox });
    // The tasks of a group are handed over together.
    else if (group.at(-1)?.info === info)
      this.send(pid, LaunchTaskGroup, { frameworkId, tasks: group.map((task) => task.info), sandbox });
  }

  // ---- updates

  protected executorUpdate(executor: AgentExecutor, status: TaskStatus): void {
    const { framework } = executor;
    const { uuid, state, taskId } = status;
    if (framework.isTerminating || uuid === undefined) {
      const fault = uuid === undefined ? 'it has no uuid' : 'its framework is being shut down';
      return this.ignore(`update ${state} of task '${taskId}': ${fault}`);
    }
    const task = executor.tasks.get(taskId);
    // The executor asks again because storing takes long: it is answered when that is done.
    if (task?.storing.has(uuid) === true) return;
    const known = { ...status, agentId: executor.run.agentId };
    if (task !== undefined && taskAtAgent.isEvent(state) && this.step(task, state, { status: known })) return;
    // Dropped, and nothing that the executor should keep sending.
    this.#acknowledgeExecutor(executor, taskId, uuid);
  }

  #store(task: AgentTask, given: TaskStatus): void {
    const { uuid } = given;
    if (uuid === undefined) return;
    const { framework, run } = task.executor;
    const status = this.draining.explained(given, task);
    task.enter(status);
    task.storing.add(uuid);
    // Without the task's own checkpoint nobody would read it again.
    const file = task.isCheckpointed ? this.folders.taskUpdates(run, task.id) : undefined;
    const update: StatusUpdate = {
      frameworkId: framework.id,
      agentId: run.agentId,
      status,
      latestState: status.state,
    };
    const stored = dispatch(this.processes.statusUpdates, (p) => p.store(update, file));
    stored.onReady(
      this.defer(() => {
        task.storing.delete(uuid);
        this.#acknowledgeExecutor(task.executor, task.id, uuid);
      }),
    );
  }

  #acknowledgeExecutor({ pid }: AgentExecutor, taskId: TaskID, uuid: UpdateUUID): void {
    if (pid !== undefined) this.send(pid, AcknowledgeExecutorUpdate, { taskId, uuid });
  }

  #acknowledge(frameworkId: FrameworkID, taskId: TaskID, uuid: UpdateUUID): void {
    const outcome = dispatch(this.processes.statusUpdates, (p) => p.acknowledge(frameworkId, taskId, uuid));
    outcome.onReady(
      this.defer((result) => {
        if (result === 'unexpected')
          return this.ignore(`acknowledgement ${uuid} of task '${taskId}': it is not for the update in flight`);
        const task = this.frameworks.get(frameworkId)?.tasks.get(taskId);
        if (result === 'terminal' && task !== undefined) this.step(task, 'TERMINAL_ACKNOWLEDGED', {});
      }),
    );
    outcome.onFailed((error) => this.runtime.log.error({ err: error, taskId }, 'Could not store an acknowledgement'));
  }

  #forward(update: StatusUpdate): void {
    const { master } = this;
    if (master === undefined) return;
    const { frameworkId, status } = update;
    const task = this.frameworks.get(frameworkId)?.tasks.get(status.taskId);
    if (task !== undefined && status.uuid !== undefined) task.forwarded = { state: status.state, uuid: status.uuid };
    const latestState = task?.latestState ?? status.state;
    this.send(master, ForwardStatusUpdate, { update: { ...update, latestState } });
  }

  protected forgetUpdates(frameworkId: FrameworkID): void {
    void dispatch(this.processes.statusUpdates, (p) => p.cleanup(frameworkId));
  }

  // ---- what is told

  /** A lasting update about a task that this agent does not have: TASK_DROPPED, or TASK_LOST to those who do not know that. */
  protected drop(
    frameworkId: FrameworkID,
    framework: FrameworkInfo | undefined,
    taskId: TaskID,
    reason: string,
    message: string,
  ): void {
    const agentId = this.agentId;
    if (agentId === undefined) return;
    const isAware = framework?.capabilities.includes('PARTITION_AWARE') === true;
    const status = this.status(taskId, isAware ? 'TASK_DROPPED' : 'TASK_LOST', reason, message);
    const update: StatusUpdate = { frameworkId, agentId, status, latestState: status.state };
    void dispatch(this.processes.statusUpdates, (p) => p.store(update, undefined));
  }

  protected status(taskId: TaskID, state: TaskState, reason: string, message: string): TaskStatus {
    const uuid = UpdateUUID(this.random.uuid());
    const agentId = this.agentId;
    const timestamp = this.clock.now();
    return {
      taskId,
      state,
      source: 'SOURCE_AGENT',
      reason,
      message,
      timestamp,
      uuid,
      ...(agentId === undefined ? {} : { agentId }),
    };
  }

  protected ignore(what: string): void {
    this.runtime.log.warn({ agent: this.agentId }, `Ignored ${what}`);
  }
}
