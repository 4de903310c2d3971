import {
  type BodyOf,
  dispatch,
  type ExitReason,
  type ExitStatus,
  type Future,
  messageOf,
  type PID,
} from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  agentMessages,
  type ContainerID,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorID,
  executorLifecycle,
  executorMessages,
  type FrameworkID,
} from '@mezzo/protocol';
import type { AgentExecutor, Ending } from './agent-executor.ts';
import type { AgentFramework } from './agent-framework.ts';
import type { AgentTask } from './agent-task.ts';
import { executorEnvironment } from './containerizer/executor-environment.ts';
import type { InheritedContainer } from './containerizer/posix-containerizer.ts';
import { waitStatus } from './containerizer/wait-status.ts';
import { CommandExecutor } from './executor/command-executor.ts';
import { DefaultExecutor } from './executor/default-executor.ts';
import { inheritedTasks } from './executor/inherited-task.ts';
import { ExecutorLeaves } from './executor/task-runner.ts';
import { GarbageRemoved } from './garbage/garbage-collector.ts';
import {
  failedPreparation,
  prepareExecutor,
  type PreparingAgent,
  prepareTasks,
  resourcesOf,
} from './launch-preparation.ts';
import { volumeMounts } from './resources/volumes.ts';
import { TaskKeeper, type TaskKeeperOptions } from './task-keeper.ts';

const { ExitedExecutor, ShutdownAgentExecutor } = agentMessages;
const { ShutdownExecutor } = executorMessages;

/** Times in milliseconds. */
export interface ExecutorTimes {
  readonly registrationTimeout: number;
  readonly shutdownGracePeriod: number;
  readonly recoveryTimeout: number;
  /** How long executors may take to come back after their agent has. */
  readonly reregistrationTimeout: number;
}

export interface ExecutorKeeperOptions extends TaskKeeperOptions {
  readonly times: ExecutorTimes;
  /** What programs that are executors get besides what Mesos gives them. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The part of an agent that has the executors: it starts them, hands them their tasks, and ends them. What an executor may
 * do next is in its lifecycle (`executorLifecycle`), what that means is here.
 */
export abstract class ExecutorKeeper extends TaskKeeper {
  readonly #times: ExecutorTimes;
  readonly #environment: Readonly<Record<string, string>>;
  /** What no master has been told, as there was none: one that takes the agent back may still count on them. */
  readonly #exits: BodyOf<typeof ExitedExecutor>[] = [];
  /** Executors that are processes beside this one, by address. */
  readonly #beside = new Map<string, AgentExecutor>();

  constructor(options: ExecutorKeeperOptions) {
    super(options);
    this.#times = options.times;
    this.#environment = options.environment;
    this.install(GarbageRemoved, ({ path }) => void dispatch(this.processes.files, (p) => p.detachBelow(path)));
    this.install(ExecutorLeaves, (_, from) => {
      const executor = this.#beside.get(from.address);
      if (executor !== undefined) this.#exited(executor, 0);
    });
    this.installOfLeader(ShutdownAgentExecutor, ({ frameworkId, executorId }) => {
      const executor = this.findExecutor(frameworkId, executorId);
      if (executor === undefined) return this.ignore(`the end of executor '${executorId}': there is none`);
      this.shutdownExecutor(executor);
    });
  }

  /** READY when a later agent will know who this one is. */
  protected abstract get identityStored(): Future<void>;
  /** No framework has anything here any more. */
  protected abstract emptied(): void;
  protected abstract describe(id: AgentID): AgentInfo;

  /** Its tasks are queued until it has registered. */
  protected startExecutor(executor: AgentExecutor): void {
    executor.framework.executors.set(executor.id, executor);
    for (const effect of executorLifecycle.initialEffects) this.#carryOut(effect, executor);
    const tasks = [...executor.tasks.values()];
    const ready = prepareExecutor(this.#preparing, executor, tasks);
    ready.onReady(
      this.defer(() => {
        this.#prepared(executor, tasks);
        this.#start(executor);
      }),
    );
    ready.onFailed(this.defer((error: unknown) => this.#launchFailed(executor, failedPreparation(executor, error))));
  }

  /** More tasks for an executor that is there. */
  protected addTasks(executor: AgentExecutor, tasks: readonly AgentTask[]): void {
    const { framework } = executor;
    const ready = prepareTasks(this.#preparing, executor, tasks);
    if (ready.isReady) return this.#prepared(executor, tasks);
    ready.onReady(this.defer(() => this.#prepared(executor, tasks)));
    ready.onFailed(
      this.defer((error: unknown) => {
        const { state, reason, message } = failedPreparation(executor, error);
        if (framework.isTerminating) return;
        for (const task of tasks)
          if (task.isActive) this.step(task, state, { status: this.status(task.id, state, reason, message) });
        // They had to wait for these.
        this.deliverTasks(executor);
      }),
    );
  }

  /** What is queued, if the executor takes tasks: in the order in which they came. */
  protected deliverTasks(executor: AgentExecutor): void {
    if (executor.state !== 'running') return;
    for (const task of executor.tasks.values()) {
      if (task.state !== 'queued') continue;
      if (!task.isPrepared) return;
      this.step(task, 'DELIVER', {});
    }
  }

  protected override shutdownExecutor(executor: AgentExecutor): void {
    this.stepExecutor(executor, 'SHUTDOWN');
  }

  protected override taskCompleted(executor: AgentExecutor): void {
    this.removeIfDone(executor);
  }

  /** To the master: an executor has ended, or (status -1) will not be started. */
  protected reportExit(frameworkId: FrameworkID, executorId: ExecutorID, status: number): void {
    if (this.agentId === undefined) return;
    this.#exits.push({ agentId: this.agentId, frameworkId, executorId, status });
    this.#tellExits();
  }

  /** Milliseconds that executors have to come back after their agent has. */
  protected get reregistrationTimeout(): number {
    return this.#times.reregistrationTimeout;
  }

  /** Nothing is left here that an operator who drains it waits for. */
  protected get isEmpty(): boolean {
    return this.frameworks.isEmpty;
  }

  protected override resumeUpdates(): void {
    this.#tellExits();
  }

  protected removeIfIdle(framework: AgentFramework): void {
    if (!framework.isIdle || this.frameworks.get(framework.id) !== framework) return;
    for (const old of this.frameworks.complete(framework)) for (const executor of old.completed) this.#forget(executor);
    const { agentId } = this;
    if (agentId !== undefined)
      this.#discardFolders(this.folders.foldersOf(framework.info.checkpoint, agentId, framework.id));
    if (this.frameworks.isEmpty) this.emptied();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    const executor = this.#beside.get(pid.address);
    if (executor === undefined) return super.exited(pid, reason);
    // When the whole node stops, executors end before the agent does; nothing is to be said about their tasks then.
    if (reason.kind !== 'crashed' && executor.state === 'running') return;
    if (reason.kind === 'crashed') {
      const message = `Executor terminated: ${reason.message}`;
      executor.ending = { state: 'TASK_FAILED', reason: 'REASON_EXECUTOR_TERMINATED', message };
      this.#discard(executor);
    }
    this.#exited(executor, reason.kind === 'crashed' ? 1 << 8 : 0);
  }

  // ---- start

  get #preparing(): PreparingAgent {
    const { runtime, processes, folders, checkpoint, identityStored } = this;
    return { runtime, processes, folders, checkpoint, identityStored };
  }

  #discardFolders(paths: readonly string[]): void {
    void dispatch(this.processes.garbage, (p) => {
      for (const path of paths) p.schedule(path);
    });
  }

  #prepared(executor: AgentExecutor, tasks: readonly AgentTask[]): void {
    for (const task of tasks) {
      task.isPrepared = true;
      task.isCheckpointed = executor.framework.info.checkpoint;
    }
    this.deliverTasks(executor);
  }

  #start(executor: AgentExecutor): void {
    // It may have been shut down meanwhile, or all its tasks killed.
    if (executor.state !== 'registering' || !executor.hasQueuedTasks) return this.stepExecutor(executor, 'EXITED');
    void dispatch(this.processes.files, (p) => p.attach(executor.virtualPath, executor.sandbox));
    if (executor.isProgram) this.#launch(executor);
    else this.spawnExecutor(executor, new Map());
  }

  /** @param inherited what an earlier agent left of it */
  protected spawnExecutor(executor: AgentExecutor, inherited: ReadonlyMap<ContainerID, InheritedContainer>): void {
    const { run } = executor;
    const options = {
      ...run,
      agent: this.self,
      containerizer: this.processes.containerizer,
      folders: this.folders,
      reportsKilling: executor.framework.has('TASK_KILLING_STATE'),
      isCheckpointed: executor.framework.info.checkpoint,
      inherited: inheritedTasks(executor, inherited),
    };
    const pid = this.runtime.spawn(executor.isGenerated ? new CommandExecutor(options) : new DefaultExecutor(options));
    this.link(pid);
    executor.pid = pid;
    this.#beside.set(pid.address, executor);
    this.stepExecutor(executor, 'REGISTERED');
  }

  #launch(executor: AgentExecutor): void {
    const { run, sandbox, info } = executor;
    const { containerId } = run;
    const { command } = info;
    if (command === undefined) return this.#launchFailed(executor, launchFailure('The executor has no command'));
    const environment = executorEnvironment(executor, {
      agentId: run.agentId,
      // Not this incarnation of it: the executor outlives it.
      agent: this.self.toString(),
      given: this.#environment,
      shutdownGracePeriod: this.#graceOf(executor),
      recoveryTimeout: this.#times.recoveryTimeout,
    });
    const isCheckpointed = executor.framework.info.checkpoint;
    const volumes = volumeMounts(this.folders, resourcesOf(executor, executor.tasks.values()));
    const { containerizer } = this.processes;
    const launched = dispatch(containerizer, (p) =>
      p.launch({ containerId, sandbox, command, environment, volumes, isCheckpointed }),
    );
    launched.onFailed(
      this.defer((error: unknown) =>
        this.#launchFailed(executor, launchFailure(`Failed to launch container: ${messageOf(error)}`)),
      ),
    );
    this.awaitExit(executor);
  }

  protected awaitExit(executor: AgentExecutor): void {
    const exited = dispatch(this.processes.containerizer, (p) => p.waitFor(executor.run.containerId));
    exited.onReady(this.defer((status: ExitStatus) => this.#exited(executor, waitStatus(status))));
  }

  #launchFailed(executor: AgentExecutor, ending: Ending): void {
    executor.ending ??= ending;
    this.stepExecutor(executor, 'LAUNCH_FAILED');
  }

  // ---- its lifecycle

  protected stepExecutor(executor: AgentExecutor, event: ExecutorEvent): void {
    const transition = executorLifecycle.next(executor.state, event);
    if (transition === undefined) return;
    executor.state = transition.state;
    for (const effect of transition.effects) this.#carryOut(effect, executor);
  }

  #carryOut(effect: ExecutorEffect, executor: AgentExecutor): void {
    switch (effect) {
      case 'awaitRegistration':
        return this.#awaitRegistration(executor);
      case 'stopAwaiting':
      case 'stopAwaitingEnd':
        executor.timer?.cancel();
        executor.timer = undefined;
        return;
      case 'deliverTasks':
        return this.deliverTasks(executor);
      case 'sendShutdown':
        if (executor.pid !== undefined) this.send(executor.pid, ShutdownExecutor, {});
        return;
      case 'awaitEnd':
        executor.timer = this.delay(this.#graceOf(executor), () => this.stepExecutor(executor, 'GRACE_OVER'));
        return;
      case 'destroyContainer':
        return this.#destroy(executor);
      case 'settleTasks':
        return this.#settleTasks(executor);
      case 'reportExit':
        if (!executor.isGenerated) this.reportExit(executor.framework.id, executor.id, executor.waitStatus);
        return;
      case 'removeExecutor':
        return this.removeIfDone(executor);
    }
  }

  #awaitRegistration(executor: AgentExecutor): void {
    // The others register as soon as they are spawned.
    if (!executor.isProgram) return;
    const { registrationTimeout } = this.#times;
    executor.timer = this.delay(registrationTimeout, () => {
      const message = `The executor did not register within ${registrationTimeout / 1000} s`;
      executor.ending = { state: 'TASK_FAILED', reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT', message };
      this.stepExecutor(executor, 'REGISTRATION_TIMEOUT');
    });
  }

  #destroy(executor: AgentExecutor): void {
    const { containerId } = executor.run;
    // Its end is reported by whoever waits for the container.
    if (executor.isProgram) void dispatch(this.processes.containerizer, (p) => p.kill(containerId, 0));
    else if (executor.pid !== undefined) {
      this.#discard(executor);
      this.runtime.terminate(executor.pid);
    }
  }

  #discard({ run: { containerId } }: AgentExecutor): void {
    void dispatch(this.processes.containerizer, (p) => p.discard(containerId));
  }

  #exited(executor: AgentExecutor, status: number): void {
    if (executor.pid !== undefined) this.#beside.delete(executor.pid.address);
    executor.waitStatus = status;
    this.stepExecutor(executor, 'EXITED');
  }

  /** Those of a framework that is shut down have been completed without a word. */
  #settleTasks({ tasks, ending }: AgentExecutor): void {
    const { state, reason, message } = ending ?? {
      state: 'TASK_FAILED',
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Executor terminated',
    };
    for (const task of [...tasks.values()])
      if (task.isActive) this.step(task, state, { status: this.status(task.id, state, reason, message) });
  }

  protected removeIfDone(executor: AgentExecutor): void {
    const { framework, run } = executor;
    if (executor.state !== 'terminated' || executor.tasks.size > 0) return;
    // Its exit record is in updates that are stored.
    if (executor.isProgram) void dispatch(this.processes.containerizer, (p) => p.remove(run.containerId));
    // A process that has ended would be kept by its address.
    executor.pid = undefined;
    this.#ended(executor);
    this.#forget(framework.complete(executor));
    this.removeIfIdle(framework);
  }

  /** A later agent need not know it, and one day its folders can go. */
  #ended({ framework, run, sandbox }: AgentExecutor): void {
    const { agentId, frameworkId, executorId } = run;
    if (framework.info.checkpoint) {
      const endedAt = this.clock.now();
      void this.persist('the end of an executor', () => this.checkpoint.ended(run, endedAt));
    }
    this.#discardFolders([
      sandbox,
      ...(framework.info.checkpoint ? [this.folders.checkpointsOfRun(run)] : []),
      ...this.folders.foldersOf(framework.info.checkpoint, agentId, frameworkId, executorId),
    ]);
  }

  #tellExits(): void {
    const { master } = this;
    if (master !== undefined) for (const exit of this.#exits.splice(0)) this.send(master, ExitedExecutor, exit);
  }

  #forget(executor: AgentExecutor | undefined): void {
    if (executor === undefined) return;
    void dispatch(this.processes.files, (p) => p.detach(executor.virtualPath, executor.sandbox));
  }

  protected findExecutor(frameworkId: FrameworkID, executorId: ExecutorID): AgentExecutor | undefined {
    return this.frameworks.get(frameworkId)?.executors.get(executorId);
  }

  #graceOf({ info }: AgentExecutor): number {
    return info.shutdownGracePeriod ?? this.#times.shutdownGracePeriod;
  }
}

function launchFailure(message: string): Ending {
  return { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', message };
}
