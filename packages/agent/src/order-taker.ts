import {
  type AgentID,
  agentMessages,
  ContainerID,
  type DrainConfig,
  ExecutorID,
  type ExecutorInfo,
  type FrameworkID,
  type FrameworkInfo,
  TaskID,
  type TaskInfo,
} from '@mezzo/protocol';
import { AgentExecutor } from './agent-executor.ts';
import type { AgentFramework } from './agent-framework.ts';
import { AgentTask } from './agent-task.ts';
import { ExecutorConnections } from './executor-connections.ts';
import type { ExecutorKeeperOptions } from './executor-keeper.ts';
import type { Run } from './work-directory.ts';

const { DrainAgent, ForwardStatusUpdate, KillTask, RunTask, RunTaskGroup, ShutdownFramework, UpdateFramework } =
  agentMessages;

/** What the master wants to be launched. */
interface Launch {
  readonly framework: FrameworkInfo;
  readonly frameworkId: FrameworkID;
  /** Absent for a task that is a command. */
  readonly executor: ExecutorInfo | undefined;
  readonly tasks: readonly TaskInfo[];
  readonly isGroup: boolean;
  /** Whether the master thinks that this starts the executor. */
  readonly startsExecutor: boolean | undefined;
}

interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** The part of an agent that takes the master's orders: to launch, to kill, to drain. */
export abstract class OrderTaker extends ExecutorConnections {
  constructor(options: ExecutorKeeperOptions) {
    super(options);
    this.installOfLeader(RunTask, ({ framework, frameworkId, task, launchExecutor: startsExecutor }) =>
      this.#launch({
        framework,
        frameworkId,
        executor: task.executor,
        tasks: [task],
        isGroup: false,
        startsExecutor,
      }),
    );
    this.installOfLeader(RunTaskGroup, ({ framework, frameworkId, executor, tasks, launchExecutor: startsExecutor }) =>
      this.#launch({ framework, frameworkId, executor, tasks, isGroup: true, startsExecutor }),
    );
    this.installOfLeader(KillTask, ({ frameworkId, taskId, gracePeriod }) =>
      this.#killTask(frameworkId, taskId, gracePeriod),
    );
    this.installOfLeader(ShutdownFramework, ({ frameworkId }) => this.shutdownFramework(frameworkId));
    this.installOfLeader(UpdateFramework, ({ framework }) => this.#updateFramework(framework));
    this.installOfLeader(DrainAgent, ({ config }) => this.startDraining(config));
  }

  // ---- launches

  #launch(launch: Launch): void {
    const { framework: info, frameworkId, tasks } = launch;
    const agentId = this.agentId;
    const stray = tasks.find((task) => task.agentId !== agentId);
    if (this.state !== 'running' || agentId === undefined || stray !== undefined) {
      const meant = stray?.agentId ?? 'this one';
      return this.ignore(`${named(tasks)}: for agent ${meant}, this one is ${agentId ?? 'not registered'}`);
    }
    if (!tasks.every(({ taskId }) => TaskID.is(taskId))) {
      for (const task of tasks) this.#refuseId(frameworkId, agentId, task);
      return this.#reportMissing(launch);
    }
    const known = this.frameworks.get(frameworkId);
    const duplicate = tasks.find(({ taskId }) => known?.tasks.has(taskId) === true);
    if (known?.isTerminating === true || duplicate !== undefined) {
      const fault =
        duplicate === undefined ? `framework ${frameworkId} is being shut down` : 'there is one with this id';
      this.ignore(`${named(tasks)}: ${fault}`);
      return this.#reportMissing(launch);
    }
    const refusal = this.#refusalOf(launch, known);
    if (refusal !== undefined) {
      for (const { taskId } of tasks) this.drop(frameworkId, info, taskId, refusal.reason, refusal.message);
      return this.#reportMissing(launch);
    }
    this.#accept(launch, this.frameworks.open(frameworkId, info), agentId);
  }

  #refusalOf({ executor, startsExecutor, tasks }: Launch, known: AgentFramework | undefined): Refusal | undefined {
    if (this.draining.config !== undefined)
      return { reason: 'REASON_AGENT_DRAINING', message: 'The agent is being drained' };
    const id = executorIdOf(executor, tasks);
    const present = known?.executors.get(id);
    if (executor === undefined) {
      return present && { reason: 'REASON_TASK_INVALID', message: `An executor with the id '${id}' has not ended yet` };
    }
    const reason = 'REASON_EXECUTOR_TERMINATED';
    if (present?.state === 'terminating' || present?.state === 'terminated')
      return { reason, message: `Executor '${id}' is ending` };
    // The master would count the resources of an executor twice, or not at all.
    if (startsExecutor === true && present !== undefined)
      return { reason, message: `Executor '${id}' runs already, which the master did not know` };
    if (startsExecutor === false && present === undefined)
      return { reason, message: `Executor '${id}' has ended, which the master did not know` };
    return undefined;
  }

  /** The master waits for the end of an executor that will not be started. */
  #reportMissing({ frameworkId, executor, startsExecutor }: Launch): void {
    if (executor === undefined || startsExecutor !== true) return;
    const present = this.frameworks.get(frameworkId)?.executors.get(executor.executorId);
    // One that is there tells its end itself; one that has told it already was another to the master.
    if (present === undefined || present.state === 'terminated') this.reportExit(frameworkId, executor.executorId, -1);
  }

  #accept({ executor: given, tasks: infos, isGroup }: Launch, framework: AgentFramework, agentId: AgentID): void {
    const present = framework.executors.get(executorIdOf(given, infos));
    const executor = present ?? this.#newExecutor(framework, agentId, given, infos);
    const tasks = infos.map((info) => new AgentTask(info.taskId, info, executor));
    for (const task of tasks) {
      if (isGroup) task.group = tasks;
      executor.tasks.set(task.id, task);
      framework.tasks.set(task.id, task);
    }
    if (present === undefined) this.startExecutor(executor);
    else this.addTasks(executor, tasks);
  }

  #newExecutor(
    framework: AgentFramework,
    agentId: AgentID,
    given: ExecutorInfo | undefined,
    tasks: readonly TaskInfo[],
  ): AgentExecutor {
    const source = given ?? tasks[0];
    if (source === undefined) throw new Error('A launch has neither an executor nor a task');
    const containerId = ContainerID(this.random.uuid());
    const run: Run = { agentId, frameworkId: framework.id, executorId: executorIdOf(given, tasks), containerId };
    return new AgentExecutor(framework, source, run, this.folders.sandbox(run));
  }

  /** An id that could lead out of the work directory. It is in no message but this one, so nobody can acknowledge. */
  #refuseId(frameworkId: FrameworkID, agentId: AgentID, { taskId }: TaskInfo): void {
    const message = TaskID.is(taskId) ? 'The id of another task of the group is not valid' : 'The task id is not valid';
    const { uuid: _uuid, ...status } = this.status(taskId, 'TASK_ERROR', 'REASON_TASK_INVALID', message);
    const update = { frameworkId, agentId, status, latestState: status.state };
    if (this.master !== undefined) this.send(this.master, ForwardStatusUpdate, { update });
  }

  // ---- kills

  #killTask(frameworkId: FrameworkID, taskId: TaskID, gracePeriod: number | undefined): void {
    const framework = this.frameworks.get(frameworkId);
    if (framework?.isTerminating === true)
      return this.ignore(`kill of task '${taskId}': its framework is being shut down`);
    const task = framework?.tasks.get(taskId);
    if (task !== undefined) this.#kill(task, gracePeriod);
    else this.drop(frameworkId, framework?.info, taskId, 'REASON_EXECUTOR_TERMINATED', 'Cannot find executor');
  }

  /** Before its executor has it, none of its group will be launched. */
  #kill(task: AgentTask, gracePeriod: number | undefined): void {
    const killed = task.state === 'queued' ? (task.group ?? [task]) : [task];
    for (const one of killed) this.step(one, 'KILL', { gracePeriod });
  }

  protected shutdownFramework(frameworkId: FrameworkID): void {
    const framework = this.frameworks.get(frameworkId);
    this.forgetUpdates(frameworkId);
    if (framework === undefined || framework.isTerminating) return;
    framework.isTerminating = true;
    for (const executor of [...framework.executors.values()]) {
      this.shutdownExecutor(executor);
      for (const task of [...executor.tasks.values()]) this.step(task, 'FRAMEWORK_REMOVED', {});
    }
    this.removeIfIdle(framework);
  }

  #updateFramework(info: FrameworkInfo): void {
    const framework = info.id && this.frameworks.get(info.id);
    if (framework === undefined || framework.isTerminating) return;
    framework.info = info;
    const { agentId } = this;
    if (info.checkpoint && agentId !== undefined)
      void this.persist('a framework', () => this.checkpoint.framework(agentId, framework.id, framework.info));
    // Somebody is there now who takes them.
    this.resumeUpdates();
  }

  // ---- draining

  /** Kills everything and takes no more launches, until nothing is left here. */
  protected startDraining(config: DrainConfig): void {
    if (this.isEmpty) return this.stopDraining();
    this.draining.config = config;
    this.#storeDraining();
    for (const framework of this.frameworks.running()) {
      for (const task of [...framework.tasks.values()]) this.#kill(task, this.draining.gracePeriodOf(task));
    }
  }

  protected stopDraining(): void {
    const wasDraining = this.draining.config !== undefined;
    this.draining.config = undefined;
    if (wasDraining) this.#storeDraining();
  }

  #storeDraining(): void {
    const { agentId } = this;
    if (agentId === undefined) return;
    void this.persist('that the agent is drained', () =>
      this.identityStored.andThen(() => this.checkpoint.drain(agentId, this.draining.config)),
    );
  }

  protected override emptied(): void {
    if (this.isEmpty) this.stopDraining();
  }
}

function executorIdOf(executor: ExecutorInfo | undefined, [task]: readonly TaskInfo[]): ExecutorID {
  return executor?.executorId ?? ExecutorID(task?.taskId ?? '');
}

function named(tasks: readonly TaskInfo[]): string {
  return `the launch of ${tasks.map(({ taskId }) => `'${taskId}'`).join(', ')}`;
}
