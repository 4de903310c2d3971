import { type BodyOf, dispatch, type PID } from '@mezzo/process';
import { agentMessages, type ContainerID, executorMessages } from '@mezzo/protocol';
import type { AgentExecutor } from './agent-executor.ts';
import type { InheritedContainer } from './containerizer/posix-containerizer.ts';
import { ExecutorKeeper, type ExecutorKeeperOptions } from './executor-keeper.ts';

const { ExecutorMessage, FrameworkMessage } = agentMessages;
const { ExecutorRegistered, ExecutorReregistered, ExecutorToFramework, FrameworkToExecutor } = executorMessages;
const { ReconnectExecutor, RegisterExecutor, ReregisterExecutor, ShutdownExecutor } = executorMessages;

/** The part of an agent that speaks with the executors that are programs: they register, come back, and have messages carried. */
export abstract class ExecutorConnections extends ExecutorKeeper {
  constructor(options: ExecutorKeeperOptions) {
    super(options);
    this.install(RegisterExecutor, ({ frameworkId, executorId }, from) =>
      this.#register(this.findExecutor(frameworkId, executorId), from),
    );
    this.install(ReregisterExecutor, (body, from) =>
      this.#reregister(this.findExecutor(body.frameworkId, body.executorId), body, from),
    );
    this.install(ExecutorToFramework, (body, from) => {
      const { agentId, master } = this;
      const executor = this.findExecutor(body.frameworkId, body.executorId);
      if (executor?.pid?.equals(from) !== true)
        return this.ignore(`a message of ${from.toString()}: it is no executor of a framework here`);
      if (master !== undefined && agentId !== undefined) this.send(master, ExecutorMessage, { ...body, agentId });
    });
    this.installOfLeader(FrameworkMessage, ({ frameworkId, executorId, data }) => {
      const executor = this.findExecutor(frameworkId, executorId);
      if (executor?.state === 'running' && executor.pid !== undefined && executor.isProgram)
        this.send(executor.pid, FrameworkToExecutor, { data });
      else this.ignore(`a message to executor '${executorId}': it does not run`);
    });
  }

  // ---- after a restart of the agent

  /** Takes up an executor that an earlier agent had. */
  protected resumeExecutor(
    executor: AgentExecutor,
    inherited: ReadonlyMap<ContainerID, InheritedContainer>,
    address: string | undefined,
  ): void {
    void dispatch(this.processes.files, (p) => p.attach(executor.virtualPath, executor.sandbox));
    if (!executor.isProgram) {
      if ([...executor.tasks.values()].some(({ isActive }) => isActive)) return this.spawnExecutor(executor, inherited);
      // It had nothing left to do but to hear that its updates are stored.
      executor.state = 'terminated';
      return this.removeIfDone(executor);
    }
    executor.wasRecovered = true;
    this.awaitExit(executor);
    this.#awaitReturn(executor);
    if (address !== undefined)
      this.send(this.runtime.pid(address), ReconnectExecutor, { agentId: executor.run.agentId });
  }

  #awaitReturn(executor: AgentExecutor): void {
    executor.timer = this.delay(this.reregistrationTimeout, () => {
      const state = executor.framework.has('PARTITION_AWARE') ? 'TASK_GONE' : 'TASK_LOST';
      const message = `The executor did not come back within ${this.reregistrationTimeout / 1000} s after its agent did`;
      executor.ending = { state, reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT', message };
      this.stepExecutor(executor, 'REGISTRATION_TIMEOUT');
    });
  }

  /** Tasks that were on their way to it when the agent ended; gives how many. */
  #dropUndelivered({ tasks, framework }: AgentExecutor, has: ReadonlySet<string>): number {
    let dropped = 0;
    const state = framework.has('PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST';
    const message = 'The agent was started again before its executor had the task';
    for (const task of [...tasks.values()]) {
      if (task.state !== 'launched' || task.latestState !== 'TASK_STAGING' || has.has(task.id)) continue;
      this.step(task, state, { status: this.status(task.id, state, 'REASON_AGENT_RESTARTED', message) });
      dropped += 1;
    }
    return dropped;
  }

  #register(executor: AgentExecutor | undefined, from: PID): void {
    const { agentId } = this;
    if (!this.#expects(executor, from) || agentId === undefined) return;
    const isAgain = executor.state === 'running';
    this.#connect(executor, from);
    const { framework, info, run } = executor;
    this.send(from, ExecutorRegistered, {
      executor: { ...info, frameworkId: framework.id },
      framework: { ...framework.info, id: framework.id },
      agentId,
      agent: this.describe(agentId),
      containerId: run.containerId,
    });
    // Of an agent that was there before it got nothing.
    if (!isAgain && executor.wasRecovered) this.#dropUndelivered(executor, new Set());
    this.stepExecutor(executor, isAgain || executor.hasQueuedTasks ? 'REGISTERED' : 'IDLE');
  }

  #reregister(
    executor: AgentExecutor | undefined,
    { tasks, updates }: BodyOf<typeof ReregisterExecutor>,
    from: PID,
  ): void {
    const { agentId } = this;
    if (!this.#expects(executor, from) || agentId === undefined) return;
    const isReturn = executor.state === 'registering';
    this.#connect(executor, from);
    for (const update of updates) this.executorUpdate(executor, update);
    const dropped = isReturn ? this.#dropUndelivered(executor, new Set(tasks.map(({ taskId }) => taskId))) : 0;
    this.send(from, ExecutorReregistered, { agentId, agent: this.describe(agentId) });
    // One that never had a task has nothing to wait for.
    const isIdle = isReturn && executor.completed === undefined && executor.tasks.size === dropped;
    this.stepExecutor(executor, isIdle ? 'IDLE' : 'REGISTERED');
  }

  #expects(executor: AgentExecutor | undefined, from: PID): executor is AgentExecutor {
    const isAgain = executor?.state === 'running' && executor.pid?.equals(from) === true;
    if (executor?.isProgram === true && (executor.state === 'registering' || isAgain)) return true;
    this.ignore(`the registration of ${from.toString()}: no executor is expected there`);
    this.send(from, ShutdownExecutor, {});
    return false;
  }

  #connect(executor: AgentExecutor, from: PID): void {
    const isKnown = executor.pid?.equals(from) === true;
    executor.pid = from;
    if (isKnown || !executor.framework.info.checkpoint) return;
    const stored = this.checkpoint.executorAddress(executor.run, from.address);
    stored.onFailed((error) => this.runtime.log.error({ err: error }, "Could not store an executor's address"));
  }
}
