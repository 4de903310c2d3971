import { dispatch, type ExitReason, messageOf, type PID } from '@mezzo/process';
import {
  type AgentID,
  agentMessages,
  ContainerID,
  executorMessages,
  ExecutorID,
  type FrameworkID,
  type FrameworkInfo,
  type StatusUpdate,
  taskAtAgent,
  type TaskAtAgentEffect,
  type TaskAtAgentEvent,
  TaskID,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  UpdateUUID,
} from '@mezzo/protocol';
import type { AgentFramework } from './agent-framework.ts';
import type { AgentProcesses } from './agent-processes.ts';
import { AgentTask } from './agent-task.ts';
import { CommandExecutor } from './executor/command-executor.ts';
import { FrameworkTable } from './framework-table.ts';
import { Registrant } from './registrant.ts';
import { UpdateDue } from './status-updates/status-updates.ts';
import type { Run, WorkDirectory } from './work-directory.ts';

const { AcknowledgeStatusUpdate, ForwardStatusUpdate, KillTask, RunTask, ShutdownFramework } = agentMessages;
const { AcknowledgeExecutorUpdate, ExecutorUpdate, KillExecutorTask, LaunchTask, ShutdownExecutor } = executorMessages;

/** What could not be stored is tried again after this many milliseconds. */
const storeRetryInterval = 10_000;

/** What the effects of a task's event need to know about it. */
interface Cause {
  readonly status?: TaskStatus;
  readonly gracePeriod?: number | undefined;
}

/**
 * The half of an agent that has the tasks: it takes the master's orders, starts an executor for each task, and passes on
 * what the executors report. What a task may do next is in its lifecycle (`taskAtAgent`), what that means is here.
 */
export abstract class TaskKeeper extends Registrant {
  protected readonly frameworks = new FrameworkTable();
  readonly #folders: WorkDirectory;

  /** @param registrationBackoffFactor milliseconds */
  constructor(id: string, detector: PID, registrationBackoffFactor: number, folders: WorkDirectory) {
    super(id, detector, registrationBackoffFactor);
    this.#folders = folders;
    this.installOfLeader(RunTask, ({ framework, frameworkId, task }) => this.#runTask(framework, frameworkId, task));
    this.installOfLeader(KillTask, ({ frameworkId, taskId, gracePeriod }) =>
      this.#killTask(frameworkId, taskId, gracePeriod),
    );
    this.installOfLeader(AcknowledgeStatusUpdate, ({ frameworkId, taskId, uuid }) =>
      this.#acknowledge(frameworkId, taskId, uuid),
    );
    this.installOfLeader(ShutdownFramework, ({ frameworkId }) => this.shutdownFramework(frameworkId));
    this.install(ExecutorUpdate, ({ frameworkId, status }, from) => this.#executorUpdate(frameworkId, status, from));
    this.install(UpdateDue, ({ update }) => this.#forward(update));
  }

  protected abstract get processes(): AgentProcesses;
  /** No framework has anything here any more. */
  protected abstract emptied(): void;

  protected override reconcile(tasks: readonly { readonly frameworkId: FrameworkID; readonly taskId: TaskID }[]): void {
    for (const { frameworkId, taskId } of tasks) {
      if (this.frameworks.get(frameworkId)?.tasks.has(taskId) === true) continue;
      this.#answerForUnknown(frameworkId, taskId, 'REASON_RECONCILIATION', 'The agent does not know the task');
    }
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    const framework = this.frameworks.withExecutor(pid.address);
    const task = framework?.executors.get(pid.address);
    if (framework !== undefined && task !== undefined) this.#executorExited(framework, task, pid, reason);
    else super.exited(pid, reason);
  }

  // ---- orders of the master

  #runTask(info: FrameworkInfo, frameworkId: FrameworkID, given: TaskInfo): void {
    const agentId = this.agentId;
    if (this.state !== 'running' || agentId === undefined || given.agentId !== agentId) {
      return this.#ignore(
        `task '${given.taskId}': it is for agent ${given.agentId}, this one is ${agentId ?? 'not registered'}`,
      );
    }
    if (!TaskID.is(given.taskId)) return this.#refuseId(frameworkId, agentId, given);
    const framework = this.frameworks.open(frameworkId, info);
    if (framework.isTerminating)
      return this.#ignore(`task '${given.taskId}': framework ${frameworkId} is being shut down`);
    if (framework.tasks.has(given.taskId)) return this.#ignore(`task '${given.taskId}': there is one with this id`);
    if (framework.hasExecutor(given.taskId)) {
      const message = `An executor with the id '${given.taskId}' has not ended yet`;
      return this.#answerForUnknown(frameworkId, given.taskId, 'REASON_TASK_INVALID', message);
    }
    const containerId = ContainerID(this.random.uuid());
    const run: Run = { agentId, frameworkId, executorId: ExecutorID(given.taskId), containerId };
    const task = new AgentTask(given.taskId, given, run, this.#folders.sandbox(run));
    framework.tasks.set(task.id, task);
    for (const effect of taskAtAgent.initialEffects) this.#carryOut(effect, framework, task, {});
  }

  #killTask(frameworkId: FrameworkID, taskId: TaskID, gracePeriod: number | undefined): void {
    const framework = this.frameworks.get(frameworkId);
    if (framework?.isTerminating === true)
      return this.#ignore(`kill of task '${taskId}': its framework is being shut down`);
    const task = framework?.tasks.get(taskId);
    if (framework !== undefined && task !== undefined) this.#step(framework, task, 'KILL', { gracePeriod });
    else this.#answerForUnknown(frameworkId, taskId, 'REASON_EXECUTOR_TERMINATED', 'Cannot find executor');
  }

  #acknowledge(frameworkId: FrameworkID, taskId: TaskID, uuid: UpdateUUID): void {
    const outcome = dispatch(this.processes.statusUpdates, (p) => p.acknowledge(frameworkId, taskId, uuid));
    outcome.onReady(
      this.defer((result) => {
        if (result === 'unexpected')
          return this.#ignore(`acknowledgement ${uuid} of task '${taskId}': it is not for the update in flight`);
        const framework = this.frameworks.get(frameworkId);
        const task = framework?.tasks.get(taskId);
        if (result !== 'terminal' || framework === undefined || task === undefined) return;
        this.#step(framework, task, 'TERMINAL_ACKNOWLEDGED', {});
      }),
    );
    outcome.onFailed((error) => this.runtime.log.error({ err: error, taskId }, 'Could not store an acknowledgement'));
  }

  protected shutdownFramework(frameworkId: FrameworkID): void {
    const framework = this.frameworks.get(frameworkId);
    void dispatch(this.processes.statusUpdates, (p) => p.cleanup(frameworkId));
    if (framework === undefined || framework.isTerminating) return;
    framework.isTerminating = true;
    for (const executor of framework.executors.keys()) this.send(this.runtime.pid(executor), ShutdownExecutor, {});
    for (const task of [...framework.tasks.values()]) this.#step(framework, task, 'FRAMEWORK_REMOVED', {});
    this.#removeIfIdle(framework);
  }

  // ---- executors

  #executorUpdate(frameworkId: FrameworkID, status: TaskStatus, from: PID): void {
    const framework = this.frameworks.get(frameworkId);
    const task = framework?.executors.get(from.address);
    if (framework === undefined || task === undefined || framework.isTerminating) {
      return this.#ignore(`an update of ${from.toString()}: it is no executor of a running framework`);
    }
    const { uuid, state } = status;
    if (uuid === undefined || status.taskId !== task.id) {
      return this.#ignore(`an update of ${from.toString()}: expected one with a uuid for task '${task.id}'`);
    }
    // The executor asks again because storing takes long: it is answered when that is done.
    if (task.storing.has(uuid)) return;
    const known = { ...status, agentId: task.run.agentId };
    if (taskAtAgent.isEvent(state) && this.#step(framework, task, state, { status: known })) return;
    // Dropped, and nothing that the executor should keep sending.
    this.#acknowledgeExecutor(task, uuid);
  }

  #prepareExecutor(framework: AgentFramework, task: AgentTask): void {
    const created = this.runtime.files.createFolder(task.sandbox);
    created.onReady(this.defer(() => this.#startExecutor(framework, task)));
    created.onFailed(
      this.defer((error: unknown) => {
        const message = `Failed to create the sandbox: ${messageOf(error)}`;
        const status = this.#status(task.id, 'TASK_FAILED', 'REASON_CONTAINER_LAUNCH_FAILED', message);
        this.#step(framework, task, 'TASK_FAILED', { status });
      }),
    );
  }

  #startExecutor(framework: AgentFramework, task: AgentTask): void {
    // It may have been killed meanwhile.
    if (taskAtAgent.next(task.state, 'DELIVER') === undefined) return;
    const { containerizer, files } = this.processes;
    const { frameworkId, executorId, containerId } = task.run;
    const reportsKilling = framework.has('TASK_KILLING_STATE');
    const executor = this.runtime.spawn(
      new CommandExecutor({ agent: this.self, containerizer, frameworkId, executorId, containerId, reportsKilling }),
    );
    this.link(executor);
    task.executor = executor;
    framework.executors.set(executor.address, task);
    void dispatch(files, (p) => p.attach(task.virtualPath, task.sandbox));
    this.#step(framework, task, 'DELIVER', {});
  }

  #executorExited(framework: AgentFramework, task: AgentTask, pid: PID, reason: ExitReason): void {
    framework.executors.delete(pid.address);
    // When the whole node stops, executors end before the agent does; nothing is to be said about their tasks then.
    if (reason.kind === 'crashed' || task.isExecutorShutDown) {
      const { containerId } = task.run;
      void dispatch(this.processes.containerizer, (p) => p.discard(containerId));
      const message = reason.kind === 'crashed' ? `Executor terminated: ${reason.message}` : 'Executor terminated';
      const status = this.#status(task.id, 'TASK_FAILED', 'REASON_EXECUTOR_TERMINATED', message);
      this.#step(framework, task, 'TASK_FAILED', { status });
    }
    this.#removeIfIdle(framework);
  }

  // ---- tasks

  /** False if the task does not take the event in its state. */
  #step(framework: AgentFramework, task: AgentTask, event: TaskAtAgentEvent, cause: Cause): boolean {
    const transition = taskAtAgent.next(task.state, event);
    if (transition === undefined) return false;
    task.state = transition.state;
    for (const effect of transition.effects) this.#carryOut(effect, framework, task, cause);
    return true;
  }

  #carryOut(
    effect: TaskAtAgentEffect,
    framework: AgentFramework,
    task: AgentTask,
    { status, gracePeriod }: Cause,
  ): void {
    const { executor, id: taskId } = task;
    switch (effect) {
      case 'prepareExecutor':
        return this.#prepareExecutor(framework, task);
      case 'sendTask':
        if (executor !== undefined)
          this.send(executor, LaunchTask, { frameworkId: framework.id, task: task.info, sandbox: task.sandbox });
        return;
      case 'sendKill':
        if (executor !== undefined)
          this.send(executor, KillExecutorTask, { taskId, ...(gracePeriod === undefined ? {} : { gracePeriod }) });
        return;
      case 'updateKilledDuringLaunch': {
        const message = 'Killed before the executor had it';
        return this.#store(
          framework,
          task,
          this.#status(taskId, 'TASK_KILLED', 'REASON_TASK_KILLED_DURING_LAUNCH', message),
        );
      }
      case 'storeUpdate':
        if (status !== undefined) this.#store(framework, task, status);
        return;
      case 'shutdownExecutor':
        task.isExecutorShutDown = true;
        if (executor !== undefined) this.send(executor, ShutdownExecutor, {});
        return;
      case 'completeTask':
        return this.#complete(framework, task);
    }
  }

  #store(framework: AgentFramework, task: AgentTask, status: TaskStatus): void {
    const { uuid } = status;
    if (uuid === undefined) return;
    task.enter(status);
    task.storing.add(uuid);
    const file = framework.info.checkpoint ? this.#folders.taskUpdates(task.run, task.id) : undefined;
    const update: StatusUpdate = {
      frameworkId: framework.id,
      agentId: task.run.agentId,
      status,
      latestState: status.state,
    };
    const stored = dispatch(this.processes.statusUpdates, (p) => p.store(update, file));
    stored.onReady(
      this.defer(() => {
        task.storing.delete(uuid);
        this.#acknowledgeExecutor(task, uuid);
      }),
    );
    stored.onFailed(
      this.defer((error: unknown) => {
        this.runtime.log.error({ err: error, file }, 'Could not store a status update; trying again');
        this.delay(storeRetryInterval, () => this.#store(framework, task, status));
      }),
    );
  }

  #acknowledgeExecutor({ executor, id: taskId }: AgentTask, uuid: UpdateUUID): void {
    if (executor !== undefined) this.send(executor, AcknowledgeExecutorUpdate, { taskId, uuid });
  }

  #complete(framework: AgentFramework, task: AgentTask): void {
    this.#forget(framework.complete(task));
    this.#removeIfIdle(framework);
  }

  #removeIfIdle(framework: AgentFramework): void {
    if (!framework.isIdle) return;
    for (const old of this.frameworks.complete(framework)) for (const task of old.completed) this.#forget(task);
    if (this.frameworks.isEmpty) this.emptied();
  }

  #forget(task: AgentTask | undefined): void {
    if (task !== undefined) void dispatch(this.processes.files, (p) => p.detach(task.virtualPath, task.sandbox));
  }

  // ---- what is told

  #forward(update: StatusUpdate): void {
    const { master } = this;
    if (master === undefined) return;
    const { frameworkId, status } = update;
    const latestState = this.frameworks.get(frameworkId)?.tasks.get(status.taskId)?.latestState ?? status.state;
    this.send(master, ForwardStatusUpdate, { update: { ...update, latestState } });
  }

  /** A lasting update about a task that this agent does not have. */
  #answerForUnknown(frameworkId: FrameworkID, taskId: TaskID, reason: string, message: string): void {
    const agentId = this.agentId;
    if (agentId === undefined) return;
    const isAware = this.frameworks.get(frameworkId)?.has('PARTITION_AWARE') === true;
    const status = this.#status(taskId, isAware ? 'TASK_DROPPED' : 'TASK_LOST', reason, message);
    const update: StatusUpdate = { frameworkId, agentId, status, latestState: status.state };
    void dispatch(this.processes.statusUpdates, (p) => p.store(update, undefined));
  }

  /** An id that could lead out of the work directory. It is in no message but this one, so nobody can acknowledge. */
  #refuseId(frameworkId: FrameworkID, agentId: AgentID, given: TaskInfo): void {
    const { uuid: _uuid, ...status } = this.#status(
      given.taskId,
      'TASK_ERROR',
      'REASON_TASK_INVALID',
      'The task id is not valid',
    );
    if (this.master !== undefined) {
      this.send(this.master, ForwardStatusUpdate, {
        update: { frameworkId, agentId, status, latestState: status.state },
      });
    }
  }

  #status(taskId: TaskID, state: TaskState, reason: string, message: string): TaskStatus {
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

  #ignore(what: string): void {
    this.runtime.log.warn({ agent: this.agentId }, `Ignored ${what}`);
  }
}
