import {
  type BodyOf,
  dispatch,
  type ExitReason,
  Future,
  json,
  type PID,
  type Runtime,
  text,
  toMilliseconds,
} from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  agentMessages,
  type ContainerID,
  type DrainConfig,
  type FrameworkInfo,
  type Resources,
} from '@mezzo/protocol';
import { AgentProcesses } from './agent-processes.ts';
import type { AgentFramework } from './agent-framework.ts';
import type { AgentOptions } from './agent-options.ts';
import { agentState } from './agent-state.ts';
import { agentCapabilities } from './capabilities.ts';
import type { InheritedContainer } from './containerizer/posix-containerizer.ts';
import { findGarbage } from './garbage/find-garbage.ts';
import type { GarbageOptions } from './garbage/garbage-collector.ts';
import type { RecoveredState } from './recovery/recovered-state.ts';
import { restoreExecutors, runOf } from './recovery/restore-executors.ts';
import { ResourceKeeper } from './resource-keeper.ts';
import { agentVersion } from './version.ts';
import type { WorkDirectory } from './work-directory.ts';

const { RegisterAgent, ReregisterAgent, ShutdownAgent } = agentMessages;

/** Runs the tasks that the leading master sends, and tells it what becomes of them until that is acknowledged. */
export class Agent extends ResourceKeeper {
  readonly #options: AgentOptions;
  readonly #recovered: RecoveredState;
  #spawned: AgentProcesses | undefined;
  #startTime = 0;
  #identityStored: Future<void> = Future.ready(undefined);
  readonly #garbage: Omit<GarbageOptions, 'diskUsage'>;
  /** Called when the last framework is gone; set once this agent is to end. */
  #farewell: (() => void) | undefined;

  /** `startAgent` makes one, with what the agent before left. Throws DURATION_INVALID. */
  constructor(
    detector: PID,
    options: AgentOptions,
    folders: WorkDirectory,
    resources: Resources,
    recovered: RecoveredState,
  ) {
    const longest = toMilliseconds('15secs');
    super({
      detector,
      folders,
      resources,
      registrationBackoffFactor: toMilliseconds(options.registrationBackoffFactor ?? '1s'),
      agentId: recovered.agent?.id,
      term: recovered.term,
      times: {
        registrationTimeout: toMilliseconds(options.executorRegistrationTimeout ?? '1mins'),
        shutdownGracePeriod: toMilliseconds(options.executorShutdownGracePeriod ?? '5secs'),
        recoveryTimeout: toMilliseconds(options.recoveryTimeout ?? '15mins'),
        reregistrationTimeout: Math.min(toMilliseconds(options.executorReregistrationTimeout ?? '2secs'), longest),
      },
      environment: options.executorEnvironment ?? {},
    });
    this.#options = options;
    this.#recovered = recovered;
    this.#garbage = {
      ...(options.gcDelay === undefined ? {} : { delay: toMilliseconds(options.gcDelay) }),
      ...(options.gcDiskHeadroom === undefined ? {} : { diskHeadroom: options.gcDiskHeadroom }),
      ...(options.diskWatchInterval === undefined
        ? {}
        : { diskWatchInterval: toMilliseconds(options.diskWatchInterval) }),
    };
    this.frameworks.maxCompletedExecutors = options.maxCompletedExecutorsPerFramework ?? 150;
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
      killOnStop: this.#killOnStop,
      resources: this.given,
      garbage: { ...this.#garbage, diskUsage: () => this.runtime.platform.hardware.diskUsage(this.folders.root) },
    }));
    for (const process of processes.all) this.link(process);
    this.#recover();
  }

  get #killOnStop(): boolean {
    return this.#options.killTasksOnStop ?? true;
  }

  // ---- recovery

  #recover(): void {
    const { runtime, processes, folders } = this;
    const { agent, resources, faults } = this.#recovered;
    for (const fault of faults) runtime.log.error({ ...fault }, 'A checkpoint could not be read; recovering the rest');
    const runs = (agent?.frameworks ?? []).flatMap(({ executors }) => executors.flatMap((it) => runOf(it) ?? []));
    const streams = runs.flatMap(({ tasks }) => tasks.map(({ updates }) => updates));
    void dispatch(processes.statusUpdates, (p) => p.recover(streams));
    const volumes = dispatch(processes.resources, (p) => p.recover(resources));
    volumes.onFailed(
      this.defer((error: unknown) => {
        throw error;
      }),
    );
    const garbage = findGarbage(runtime.files, folders, this.#recovered, this.clock.now());
    garbage.onReady(
      (found) =>
        void dispatch(processes.garbage, (p) => {
          for (const { path, since } of found) p.schedule(path, since);
        }),
    );
    garbage.onFailed((error) => runtime.log.error({ err: error }, 'Could not find what is not needed any more'));
    const containers = dispatch(processes.containerizer, (p) => p.recover(runs.map(({ run }) => run.containerId)));
    containers.onReady((killed) => {
      if (killed > 0)
        runtime.log.warn({ killed }, 'Killed what an earlier agent left running that no checkpoint tells of');
    });
    containers.onFailed((error) => runtime.log.error({ err: error }, 'Could not take up what an earlier agent left'));
    containers
      .repair(() => 0)
      .andThen(() => dispatch(processes.containerizer, (p) => p.inherited()))
      .andThen((inherited) => volumes.map(() => inherited))
      .onReady(this.defer((inherited: ReadonlyMap<ContainerID, InheritedContainer>) => this.#takeUp(inherited)));
  }

  #takeUp(inherited: ReadonlyMap<ContainerID, InheritedContainer>): void {
    const { agent } = this.#recovered;
    const restored = agent === undefined ? [] : restoreExecutors(this.frameworks, agent, this.folders);
    for (const { executor, address } of restored) this.resumeExecutor(executor, inherited, address);
    if (this.#options.recover === 'cleanup') return this.#cleanUp();
    // Those that are programs have this long to come back; the others are back already.
    const waits = restored.some(({ executor }) => executor.isProgram && executor.state === 'registering');
    if (waits) this.delay(this.reregistrationTimeout, () => this.#finishRecovery(agent?.drainConfig));
    else this.#finishRecovery(agent?.drainConfig);
  }

  /** All is taken up that will be: it goes on being drained if it was, and looks for a master. */
  #finishRecovery(drainConfig: DrainConfig | undefined): void {
    if (drainConfig !== undefined) {
      this.draining.config = drainConfig;
      this.startDraining(drainConfig);
    }
    const { bootId } = this.runtime.children;
    const stored = this.persist('the boot id', () => this.checkpoint.bootId(bootId));
    stored.onReady(this.defer(() => this.startRegistering()));
  }

  /** Before an upgrade that could not take up what this agent has. */
  #cleanUp(): void {
    this.#leave(() => {
      const forgotten = this.persist('that this agent is gone', () => this.checkpoint.forgetAgent());
      forgotten.onReady(
        this.defer(() => {
          this.terminate();
          this.#options.onShutdown?.('All executors have ended: the work directory is clean');
        }),
      );
    });
  }

  // ---- who it is

  protected override get identityStored(): Future<void> {
    return this.#identityStored;
  }

  protected override named(agentId: AgentID): void {
    this.#storeIdentity(agentId);
  }

  protected override reignBegan(): void {
    const { term } = this;
    if (term === undefined) return;
    void this.persist('the reign of the leading master', () => this.checkpoint.term(this.term ?? term));
  }

  #storeIdentity(agentId: AgentID): void {
    this.#identityStored = this.persist('who this agent is', () =>
      this.checkpoint.agent(agentId, this.#info(agentId), this.#options.cluster),
    );
  }

  protected override finalize(reason: ExitReason): void {
    // One that keeps its tasks will be back.
    if (this.state !== 'terminating' && reason.kind === 'terminated' && this.#killOnStop) this.unregister();
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
      operations: [...this.operations],
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
    super.pauseUpdates();
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
    if (this.frameworks.isEmpty) this.#farewell?.();
  }

  #shutdownAgent(message: string): void {
    this.runtime.log.error({ message }, 'The master shuts this agent down');
    this.#leave(() => {
      // Under this name it would be told to end again.
      const forgotten = this.checkpoint.forgetAgent();
      forgotten.onFailed((error) => this.runtime.log.error({ err: error }, 'Could not forget who this agent was'));
      forgotten.onAny(
        this.defer(() => {
          this.terminate();
          this.#options.onShutdown?.(message);
        }),
      );
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
    return {
      agent: this.#info(id),
      version: agentVersion,
      capabilities: agentCapabilities,
      checkpointedResources: [...this.checkpointed],
    };
  }

  protected override describe(id: AgentID): AgentInfo {
    return this.#info(id);
  }

  #info(id: AgentID | undefined): AgentInfo {
    return { ...(id === undefined ? {} : { id }), ...agentInfo(this.runtime, this.#options, this.given) };
  }

  #describe(): object {
    return agentState({
      pid: this.self.toString(),
      info: this.#info(this.agentId),
      total: this.total,
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

/** What an agent is, without its id. */
export function agentInfo(
  { name, url }: Pick<Runtime, 'name' | 'url'>,
  { hostname = name, attributes = {} }: AgentOptions,
  resources: Resources,
): AgentInfo {
  return { hostname, resources: [...resources], attributes, url: url ?? '' };
}

function describedFramework({ id, info }: AgentFramework): FrameworkInfo {
  return { ...info, id };
}
