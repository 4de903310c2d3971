import {
  type Duration,
  type ExitReason,
  type Message,
  type PID,
  Process,
  type Timer,
  toMilliseconds,
} from '@mezzo/process';
import {
  type AgentID,
  type ExecutorID,
  executorMessages,
  type FrameworkID,
  type TaskInfo,
  type TaskStatus,
  UpdateUUID,
} from '@mezzo/protocol';
import { Backoff } from '../backoff.ts';
import { isSameProcess } from '../same-process.ts';
import type { Executor, ExecutorControl, ExecutorStatus } from './executor.ts';
import type { ExecutorEnvironment } from './executor-environment.ts';
import { Unacknowledged } from './unacknowledged.ts';

const kinds = executorMessages;

export interface ExecutorOptions {
  /** As `executorEnvironment(process.env)` gives it. */
  readonly environment: ExecutorEnvironment;
  readonly executor: Executor;
  /** First wait for the answer to a registration; it doubles. Default 1 s. */
  readonly registrationBackoff?: Duration;
  /** Longest wait for that answer. Default 15 s. */
  readonly registrationRetryIntervalMax?: Duration;
  /** Process id. Default `executor`. */
  readonly id?: string;
}

interface ExecutorBody {
  readonly frameworkId: FrameworkID;
  readonly executorId: ExecutorID;
}

/** An update that the agent does not acknowledge is sent again after this many milliseconds. */
const resendInterval = 10_000;

/** How long `stop` waits for acknowledgements, in milliseconds: as long as Mesos's own executors do. */
const stopTimeout = 60_000;

/**
 * Connects an Executor to the agent that started it: registers, keeps updates until the agent has stored them, waits for an
 * agent that is away if the framework checkpoints, and ends when it is told to.
 */
export class ExecutorDriver extends Process implements ExecutorControl {
  readonly #environment: ExecutorEnvironment;
  readonly #executor: Executor;
  readonly #options: ExecutorOptions;
  readonly #open = new Unacknowledged();
  readonly #agent: PID;
  #agentId: AgentID | undefined;
  /** Which one of those that hold the agent's address it is registered with. */
  #incarnation: PID | undefined;
  #isStopping = false;
  #isShuttingDown = false;
  #registration: Backoff | undefined;
  #attempt: Timer | undefined;
  #recovery: Timer | undefined;
  #resend: Timer | undefined;
  #end: Timer | undefined;

  constructor(agent: PID, options: ExecutorOptions) {
    super(options.id ?? 'executor');
    this.#options = options;
    this.#environment = options.environment;
    this.#executor = options.executor;
    this.#agent = agent;
  }

  // ---- the calls

  get frameworkId(): FrameworkID {
    return this.#environment.frameworkId;
  }

  get executorId(): ExecutorID {
    return this.#environment.executorId;
  }

  get agentId(): AgentID | undefined {
    return this.#agentId;
  }

  get connected(): boolean {
    return this.#incarnation !== undefined;
  }

  update(status: ExecutorStatus): void {
    const uuid = UpdateUUID(this.random.uuid());
    const { executorId } = this;
    const whole: TaskStatus = { ...status, source: 'SOURCE_EXECUTOR', executorId, timestamp: this.now(), uuid };
    this.#open.reported(uuid, whole);
    this.#report([whole]);
  }

  sendToScheduler(data: Uint8Array): boolean {
    return this.#tell(kinds.ExecutorToFramework, { data });
  }

  stop(): void {
    this.#isStopping = true;
    this.#end ??= this.delay(stopTimeout, () => this.terminate());
    this.#endIfDone();
  }

  now(): number {
    return this.clock.now();
  }

  override delay(duration: Duration, fn: () => unknown): Timer {
    return super.delay(duration, fn);
  }

  // ---- the connection

  protected override initialize(): void {
    const { registrationBackoff = '1secs', registrationRetryIntervalMax = '15secs' } = this.#options;
    const longest = toMilliseconds(registrationRetryIntervalMax);
    this.#registration = new Backoff(this.random, toMilliseconds(registrationBackoff), longest);
    this.#listen();
    this.#register();
  }

  protected override exited(pid: PID, { kind }: ExitReason): void {
    if (!this.#isAgent(pid)) return;
    this.#disconnect();
    if (this.#isShuttingDown) return;
    if (!this.#environment.checkpoint) {
      this.#giveUp(`The agent is gone (${kind}), and the framework does not checkpoint`);
      return;
    }
    const { recoveryTimeout } = this.#environment;
    this.#recovery ??= this.delay(recoveryTimeout, () =>
      this.#giveUp(`No agent has come back within the recovery timeout of ${recoveryTimeout} ms`),
    );
    this.#registerLater();
  }

  /** Until it is answered: the agent may be slow, away, or not know yet that this executor is its own. */
  #register(): void {
    const { frameworkId, executorId } = this;
    this.link(this.#agent);
    if (this.#agentId === undefined) {
      this.send(this.#agent, kinds.RegisterExecutor, { frameworkId, executorId });
    } else {
      const [tasks, updates] = [[...this.#open.tasks], this.#open.updates.map((status) => this.#signed(status))];
      this.send(this.#agent, kinds.ReregisterExecutor, { frameworkId, executorId, tasks, updates });
    }
    this.#registerLater();
  }

  #registerLater(): void {
    this.#attempt?.cancel();
    this.#attempt = this.delay(this.#registration?.next() ?? 0, () => this.#register());
  }

  #connected(agentId: AgentID, incarnation: PID): void {
    this.#agentId = agentId;
    this.#incarnation = incarnation;
    this.#attempt?.cancel();
    this.#recovery?.cancel();
    this.#recovery = undefined;
    this.#registration?.reset();
  }

  #disconnect(): void {
    this.#attempt?.cancel();
    this.#resend?.cancel();
    this.#resend = undefined;
    if (this.#incarnation === undefined) return;
    this.#incarnation = undefined;
    this.#executor.disconnected?.(this);
  }

  #giveUp(message: string): void {
    this.#executor.error?.(this, message);
    this.#shutdown();
  }

  #shutdown(): void {
    if (this.#isShuttingDown) return;
    this.#isShuttingDown = true;
    this.#attempt?.cancel();
    this.#recovery?.cancel();
    this.#end?.cancel();
    this.#end = this.delay(this.#environment.shutdownGracePeriod, () => this.terminate());
    this.#executor.shutdown(this);
  }

  #endIfDone(): void {
    if (this.#isStopping && this.#open.isEmpty) this.terminate();
  }

  // ---- what the agent says

  #listen(): void {
    this.install(kinds.ExecutorRegistered, (registration, from) => {
      if (!this.#isAgent(from) || this.connected) return;
      this.#connected(registration.agentId, from);
      this.#executor.registered?.(this, registration);
      this.#report(this.#open.updates);
    });
    this.install(kinds.ReconnectExecutor, ({ agentId }, from) => {
      if (!this.#isAgent(from)) return;
      // It may ask although nothing was heard of its end.
      this.#disconnect();
      this.#agentId = agentId;
      this.#registration?.reset();
      this.#register();
    });
    this.install(kinds.ExecutorReregistered, (registration, from) => {
      if (!this.#isAgent(from) || this.connected) return;
      this.#connected(registration.agentId, from);
      this.#executor.reregistered?.(this, registration);
      this.#report(this.#open.updates);
    });
    this.install(kinds.ShutdownExecutor, (_, from) => {
      if (this.#isAgent(from)) this.#shutdown();
    });
    this.#hear(kinds.LaunchTask, ({ task, sandbox }) => {
      if (!this.#accepts(task)) return;
      this.#executor.launch(this, task, sandbox);
    });
    this.#hear(kinds.LaunchTaskGroup, ({ tasks, sandbox }) => {
      if (tasks.every((task) => this.#accepts(task))) this.#launchGroup(tasks, sandbox);
    });
    this.#hear(kinds.KillExecutorTask, ({ taskId, gracePeriod }) => this.#executor.kill(this, taskId, gracePeriod));
    // What came over the wire is a view of its frame.
    this.#hear(kinds.FrameworkToExecutor, ({ data }) => this.#executor.message?.(this, data.slice()));
    this.#hear(kinds.AcknowledgeExecutorUpdate, ({ taskId, uuid }) => {
      this.#open.acknowledged(taskId, uuid);
      this.#endIfDone();
    });
  }

  /** Handles what the agent says that this is registered with. */
  #hear<T>(kind: Message<T>, handler: (body: T) => void): void {
    this.install(kind, (body, from) => {
      if (this.#incarnation !== undefined && isSameProcess(from, this.#incarnation)) handler(body);
    });
  }

  /** Its address is known, and whoever has it now is the agent: it may have been started again. */
  #isAgent(pid: PID): boolean {
    return pid.toString() === this.#agent.toString();
  }

  #accepts(task: TaskInfo): boolean {
    // The agent settles what reaches an executor too late.
    if (this.#isStopping || this.#isShuttingDown) return false;
    this.#open.launched(task);
    return true;
  }

  #launchGroup(tasks: readonly TaskInfo[], sandbox: string): void {
    if (this.#executor.launchGroup !== undefined) {
      this.#executor.launchGroup(this, tasks, sandbox);
      return;
    }
    for (const { taskId } of tasks)
      this.update({ taskId, state: 'TASK_FAILED', message: 'This executor does not run groups of tasks' });
  }

  // ---- updates

  #report(statuses: readonly TaskStatus[]): void {
    const sent = statuses.filter((status) => this.#tell(kinds.ExecutorUpdate, { status: this.#signed(status) }));
    if (sent.length === 0) return;
    this.#resend ??= this.delay(resendInterval, () => {
      this.#resend = undefined;
      this.#report(this.#open.updates);
    });
  }

  #signed(status: TaskStatus): TaskStatus {
    return this.#agentId === undefined ? status : { ...status, agentId: this.#agentId };
  }

  #tell<T extends ExecutorBody>(kind: Message<T>, body: Omit<T, keyof ExecutorBody>): boolean {
    if (this.#incarnation === undefined) return false;
    const { frameworkId, executorId } = this;
    // Together they are a whole body; a message without one is another overload.
    const whole = { ...body, frameworkId, executorId } as T;
    return this.send(this.#incarnation, kind, ...([whole] as [T] extends [void] ? [] : [T]));
  }
}
