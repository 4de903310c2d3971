import { type BodyOf, dispatch, type ExitReason, type ExitStatus, messageOf, type PID } from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  agentMessages,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorID,
  executorLifecycle,
  executorMessages,
  type FrameworkID,
} from '@mezzo/protocol';
import type { AgentExecutor } from './agent-executor.ts';
import type { AgentFramework } from './agent-framework.ts';
import { executorEnvironment } from './containerizer/executor-environment.ts';
import { waitStatus } from './containerizer/wait-status.ts';
import { CommandExecutor } from './executor/command-executor.ts';
import { DefaultExecutor } from './executor/default-executor.ts';
import { ExecutorLeaves } from './executor/task-runner.ts';
import { TaskKeeper } from './task-keeper.ts';
import type { WorkDirectory } from './work-directory.ts';

const { ExecutorMessage, ExitedExecutor, FrameworkMessage, ShutdownAgentExecutor } = agentMessages;
const { ExecutorRegistered, ExecutorToFramework, FrameworkToExecutor, RegisterExecutor, ShutdownExecutor } =
  executorMessages;

/** Times in milliseconds. */
export interface ExecutorTimes {
  readonly registrationTimeout: number;
  readonly shutdownGracePeriod: number;
  readonly recoveryTimeout: number;
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

  /**
   * @param registrationBackoffFactor milliseconds
   * @param environment what programs that are executors get besides what Mesos gives them
   */
  constructor(
    id: string,
    detector: PID,
    registrationBackoffFactor: number,
    folders: WorkDirectory,
    times: ExecutorTimes,
    environment: Readonly<Record<string, string>>,
  ) {
    super(id, detector, registrationBackoffFactor, folders);
    this.#times = times;
    this.#environment = environment;
    this.install(RegisterExecutor, ({ frameworkId, executorId }, from) =>
      this.#register(this.#find(frameworkId, executorId), from),
    );
    this.install(ExecutorLeaves, (_, from) => {
      const executor = this.#beside.get(from.address);
      if (executor !== undefined) this.#exited(executor, 0);
    });
    this.install(ExecutorToFramework, (body, from) => {
      const { agentId, master } = this;
      const executor = this.#find(body.frameworkId, body.executorId);
      if (executor?.pid?.equals(from) !== true)
        return this.ignore(`a message of ${from.toString()}: it is no executor of a framework here`);
      if (master !== undefined && agentId !== undefined) this.send(master, ExecutorMessage, { ...body, agentId });
    });
    this.installOfLeader(FrameworkMessage, ({ frameworkId, executorId, data }) => {
      const executor = this.#find(frameworkId, executorId);
      if (executor?.state === 'running' && executor.pid !== undefined && executor.isProgram)
        this.send(executor.pid, FrameworkToExecutor, { data });
      else this.ignore(`a message to executor '${executorId}': it does not run`);
    });
    this.installOfLeader(ShutdownAgentExecutor, ({ frameworkId, executorId }) => {
      const executor = this.#find(frameworkId, executorId);
      if (executor === undefined) return this.ignore(`the end of executor '${executorId}': there is none`);
      this.shutdownExecutor(executor);
    });
  }

  /** No framework has anything here any more. */
  protected abstract emptied(): void;
  protected abstract describe(id: AgentID): AgentInfo;

  /** Its tasks are queued until it has registered. */
  protected startExecutor(executor: AgentExecutor): void {
    executor.framework.executors.set(executor.id, executor);
    for (const effect of executorLifecycle.initialEffects) this.#carryOut(effect, executor);
    const created = this.runtime.files.createFolder(executor.sandbox);
    created.onReady(this.defer(() => this.#prepared(executor)));
    created.onFailed(
      this.defer((error: unknown) => this.#launchFailed(executor, `Failed to create the sandbox: ${messageOf(error)}`)),
    );
  }

  /** What is queued, if the executor takes tasks. */
  protected deliverTasks(executor: AgentExecutor): void {
    if (executor.state !== 'running') return;
    for (const task of executor.tasks.values()) if (task.state === 'queued') this.step(task, 'DELIVER', {});
  }

  protected override shutdownExecutor(executor: AgentExecutor): void {
    this.#step(executor, 'SHUTDOWN');
  }

  protected override taskCompleted(executor: AgentExecutor): void {
    this.#removeIfDone(executor);
  }

  /** To the master: an executor has ended, or (status -1) will not be started. */
  protected reportExit(frameworkId: FrameworkID, executorId: ExecutorID, status: number): void {
    if (this.agentId === undefined) return;
    this.#exits.push({ agentId: this.agentId, frameworkId, executorId, status });
    this.#tellExits();
  }

  protected override resumeUpdates(): void {
    this.#tellExits();
  }

  protected removeIfIdle(framework: AgentFramework): void {
    if (!framework.isIdle || this.frameworks.get(framework.id) !== framework) return;
    for (const old of this.frameworks.complete(framework)) for (const executor of old.completed) this.#forget(executor);
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

  #prepared(executor: AgentExecutor): void {
    // It may have been shut down meanwhile, or all its tasks killed.
    if (executor.state !== 'registering' || !executor.hasQueuedTasks) return this.#step(executor, 'EXITED');
    void dispatch(this.processes.files, (p) => p.attach(executor.virtualPath, executor.sandbox));
    if (executor.isProgram) this.#launch(executor);
    else this.#spawn(executor);
  }

  #spawn(executor: AgentExecutor): void {
    const { frameworkId, executorId, containerId } = executor.run;
    const { containerizer } = this.processes;
    const reportsKilling = executor.framework.has('TASK_KILLING_STATE');
    const options = { agent: this.self, containerizer, frameworkId, executorId, containerId, reportsKilling };
    const pid = this.runtime.spawn(executor.isGenerated ? new CommandExecutor(options) : new DefaultExecutor(options));
    this.link(pid);
    executor.pid = pid;
    this.#beside.set(pid.address, executor);
    this.#step(executor, 'REGISTERED');
  }

  #launch(executor: AgentExecutor): void {
    const { run, sandbox, info } = executor;
    const { containerId } = run;
    const { command } = info;
    if (command === undefined) return this.#launchFailed(executor, 'The executor has no command');
    const environment = executorEnvironment(executor, {
      agentId: run.agentId,
      agent: this.self.address,
      given: this.#environment,
      shutdownGracePeriod: this.#graceOf(executor),
      recoveryTimeout: this.#times.recoveryTimeout,
    });
    const { containerizer } = this.processes;
    const launched = dispatch(containerizer, (p) => p.launch({ containerId, sandbox, command, environment }));
    launched.onFailed(
      this.defer((error: unknown) => this.#launchFailed(executor, `Failed to launch container: ${messageOf(error)}`)),
    );
    const exited = dispatch(containerizer, (p) => p.waitFor(containerId));
    exited.onReady(this.defer((status: ExitStatus) => this.#exited(executor, waitStatus(status))));
  }

  #launchFailed(executor: AgentExecutor, message: string): void {
    executor.ending ??= { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', message };
    this.#step(executor, 'LAUNCH_FAILED');
  }

  #register(executor: AgentExecutor | undefined, from: PID): void {
    const isAgain = executor?.state === 'running' && executor.pid?.equals(from) === true;
    const isExpected = executor?.state === 'registering' || isAgain;
    const { agentId } = this;
    if (executor === undefined || agentId === undefined || !executor.isProgram || !isExpected) {
      this.ignore(`the registration of ${from.toString()}: no executor is expected there`);
      this.send(from, ShutdownExecutor, {});
      return;
    }
    executor.pid = from;
    const { framework, info, run } = executor;
    this.send(from, ExecutorRegistered, {
      executor: { ...info, frameworkId: framework.id },
      framework: { ...framework.info, id: framework.id },
      agentId,
      agent: this.describe(agentId),
      containerId: run.containerId,
    });
    this.#step(executor, isAgain || executor.hasQueuedTasks ? 'REGISTERED' : 'IDLE');
  }

  // ---- its lifecycle

  #step(executor: AgentExecutor, event: ExecutorEvent): void {
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
        executor.timer = this.delay(this.#graceOf(executor), () => this.#step(executor, 'GRACE_OVER'));
        return;
      case 'destroyContainer':
        return this.#destroy(executor);
      case 'settleTasks':
        return this.#settleTasks(executor);
      case 'reportExit':
        if (!executor.isGenerated) this.reportExit(executor.framework.id, executor.id, executor.waitStatus);
        return;
      case 'removeExecutor':
        return this.#removeIfDone(executor);
    }
  }

  #awaitRegistration(executor: AgentExecutor): void {
    // The others register as soon as they are spawned.
    if (!executor.isProgram) return;
    const { registrationTimeout } = this.#times;
    executor.timer = this.delay(registrationTimeout, () => {
      const message = `The executor did not register within ${registrationTimeout / 1000} s`;
      executor.ending = { state: 'TASK_FAILED', reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT', message };
      this.#step(executor, 'REGISTRATION_TIMEOUT');
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
    this.#step(executor, 'EXITED');
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

  #removeIfDone(executor: AgentExecutor): void {
    const { framework, run } = executor;
    if (executor.state !== 'terminated' || executor.tasks.size > 0) return;
    // Its exit record is in updates that are stored.
    if (executor.isProgram) void dispatch(this.processes.containerizer, (p) => p.remove(run.containerId));
    // A process that has ended would be kept by its address.
    executor.pid = undefined;
    this.#forget(framework.complete(executor));
    this.removeIfIdle(framework);
  }

  #tellExits(): void {
    const { master } = this;
    if (master !== undefined) for (const exit of this.#exits.splice(0)) this.send(master, ExitedExecutor, exit);
  }

  #forget(executor: AgentExecutor | undefined): void {
    if (executor === undefined) return;
    void dispatch(this.processes.files, (p) => p.detach(executor.virtualPath, executor.sandbox));
  }

  #find(frameworkId: FrameworkID, executorId: ExecutorID): AgentExecutor | undefined {
    return this.frameworks.get(frameworkId)?.executors.get(executorId);
  }

  #graceOf({ info }: AgentExecutor): number {
    return info.shutdownGracePeriod ?? this.#times.shutdownGracePeriod;
  }
}
