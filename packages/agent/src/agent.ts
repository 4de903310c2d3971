import {
  type BodyOf,
  dispatch,
  type ExitReason,
  type Future,
  json,
  type PID,
  text,
  toMilliseconds,
} from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  agentMessages,
  type FrameworkInfo,
  parseAgentResources,
  Resources,
} from '@mezzo/protocol';
import { AgentProcesses } from './agent-processes.ts';
import type { AgentFramework } from './agent-framework.ts';
import type { AgentOptions } from './agent-options.ts';
import { agentState } from './agent-state.ts';
import { agentCapabilities } from './capabilities.ts';
import { OrderTaker } from './order-taker.ts';
import { agentVersion } from './version.ts';
import { WorkDirectory } from './work-directory.ts';

const { RegisterAgent, ReregisterAgent, ShutdownAgent } = agentMessages;

/** Runs the tasks that the leading master sends, and tells it what becomes of them until that is acknowledged. */
export class Agent extends OrderTaker {
  readonly #options: AgentOptions;
  readonly #resources: Resources;
  #spawned: AgentProcesses | undefined;
  #startTime = 0;
  /** Called when the last framework is gone; set once this agent is to end. */
  #farewell: (() => void) | undefined;

  /** `startAgent` makes one. Throws AgentError WORK_DIRECTORY_INVALID, ResourcesParseError, or DURATION_INVALID. */
  constructor(detector: PID, options: AgentOptions) {
    const folders = new WorkDirectory(options.workDirectory);
    const times = {
      registrationTimeout: toMilliseconds(options.executorRegistrationTimeout ?? '1mins'),
      shutdownGracePeriod: toMilliseconds(options.executorShutdownGracePeriod ?? '5secs'),
      recoveryTimeout: toMilliseconds(options.recoveryTimeout ?? '15mins'),
    };
    const backoff = toMilliseconds(options.registrationBackoffFactor ?? '1s');
    super('agent', detector, backoff, folders, times, options.executorEnvironment ?? {});
    this.#options = options;
    this.frameworks.maxCompletedExecutors = options.maxCompletedExecutorsPerFramework ?? 150;
    this.#resources = Resources.of(parseAgentResources(options.resources, options.defaultRole));
    this.installOfLeader(ShutdownAgent, ({ message }) => this.#shutdownAgent(message));
    this.route('/state', () => json(this.#describe()), { help: 'What this agent is, has and runs, as Mesos tells it' });
    this.route('/health', () => (this.state === 'recovering' ? text('503 Service Unavailable.', 503) : text('')), {
      help: '200 once the agent has recovered',
    });
  }

  protected override initialize(): void {
    this.#startTime = this.clock.now();
    this.runtime.router.delegate ??= this.self.id;
    const processes = (this.#spawned = AgentProcesses.spawn(this.runtime, this.self, {
      workDirectory: this.folders,
      killOnStop: this.#options.killTasksOnStop ?? true,
    }));
    for (const process of processes.all) this.link(process);
    const recovered = dispatch(processes.containerizer, (p) => p.recover());
    recovered.onReady((killed) => {
      if (killed > 0)
        this.runtime.log.warn({ killed }, 'Killed what an earlier agent with this work directory left running');
    });
    recovered.onFailed((error) => this.runtime.log.error({ err: error }, 'Could not clean up after an earlier agent'));
    recovered.onAny(this.defer(() => this.startRegistering()));
  }

  protected override finalize(reason: ExitReason): void {
    if (this.state !== 'terminating' && reason.kind === 'terminated') this.unregister();
    this.stopRegistering();
    for (const process of this.#spawned?.all ?? []) this.runtime.terminate(process);
    if (reason.kind === 'crashed') this.#options.onShutdown?.(reason.message);
  }

  /** Kills all tasks, with their grace periods, takes leave of the master and ends. READY when it has ended. */
  shutdown(): Future<void> {
    const ended = this.runtime.wait(this.self).map(() => undefined);
    this.#leave(() => {
      this.unregister();
      this.terminate();
    });
    return ended;
  }

  protected override register(master: PID): void {
    this.send(master, RegisterAgent, this.#introduction(undefined));
  }

  protected override reregister(master: PID, agentId: AgentID): void {
    const alive = this.frameworks.running();
    const executors = alive.flatMap((framework) => [...framework.executors.values()]);
    this.send(master, ReregisterAgent, {
      ...this.#introduction(agentId),
      tasks: alive.flatMap(({ tasks }) => [...tasks.values()].map((task) => task.toTask())),
      executors: executors
        .filter(({ isGenerated, state }) => !isGenerated && state !== 'terminated')
        .map(({ framework, info }) => ({ frameworkId: framework.id, executor: info })),
      frameworks: alive.map(describedFramework),
      completedFrameworks: this.frameworks.history.map((framework) => ({
        framework: describedFramework(framework),
        tasks: framework.completed.flatMap(({ completed = [] }) => completed.map((task) => task.toTask())),
      })),
    });
  }

  protected override resumeUpdates(): void {
    super.resumeUpdates();
    void dispatch(this.processes.statusUpdates, (p) => p.resume());
  }

  protected override pauseUpdates(): void {
    void dispatch(this.processes.statusUpdates, (p) => p.pause());
  }

  protected override repudiated(message: string): void {
    throw new Error(message);
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (!this.processes.all.some((process) => process.equals(pid))) return super.exited(pid, reason);
    // Without one of them there is no agent.
    if (reason.kind === 'crashed') throw new Error(`${pid.toString()} crashed: ${reason.message}`);
  }

  protected override emptied(): void {
    super.emptied();
    this.#farewell?.();
  }

  #shutdownAgent(message: string): void {
    this.runtime.log.error({ message }, 'The master shuts this agent down');
    this.#leave(() => {
      this.terminate();
      this.#options.onShutdown?.(message);
    });
  }

  #leave(farewell: () => void): void {
    if (this.#farewell !== undefined) return;
    this.#farewell = farewell;
    this.stopRegistering();
    if (this.frameworks.isEmpty) return farewell();
    for (const framework of this.frameworks.running()) this.shutdownFramework(framework.id);
  }

  #introduction(id: AgentID | undefined): BodyOf<typeof RegisterAgent> {
    return { agent: this.#info(id), version: agentVersion, capabilities: agentCapabilities };
  }

  protected override describe(id: AgentID): AgentInfo {
    return this.#info(id);
  }

  #info(id: AgentID | undefined): AgentInfo {
    const { hostname = this.runtime.name, attributes = {} } = this.#options;
    const resources = [...this.#resources];
    return { ...(id === undefined ? {} : { id }), hostname, resources, attributes, url: this.runtime.url ?? '' };
  }

  #describe(): object {
    return agentState({
      pid: this.self.toString(),
      info: this.#info(this.agentId),
      startTime: this.#startTime,
      leader: this.leader,
      state: this.state,
      running: this.frameworks.all(),
      completed: this.frameworks.history,
    });
  }

  protected override get processes(): AgentProcesses {
    if (this.#spawned === undefined) throw new Error('The agent is not initialized');
    return this.#spawned;
  }
}

function describedFramework({ id, info }: AgentFramework): FrameworkInfo {
  return { ...info, id };
}
