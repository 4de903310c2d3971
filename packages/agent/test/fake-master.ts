import { type BodyOf, type PID, Process } from '@mezzo/process';
import {
  AgentID,
  agentMessages,
  detectTopic,
  type DrainConfig,
  encodeLeader,
  ExecutorID,
  type ExecutorInfo,
  FrameworkID,
  type FrameworkInfo,
  leaderTopic,
  type StatusUpdate,
  TaskID,
  type TaskInfo,
  type Term,
} from '@mezzo/protocol';

const {
  AcknowledgeStatusUpdate,
  AgentRegistered,
  AgentReregistered,
  DrainAgent,
  ExecutorMessage,
  ExitedExecutor,
  ForwardStatusUpdate,
  FrameworkMessage,
  KillTask,
  Ping,
  Pong,
  RegisterAgent,
  ReregisterAgent,
  RunTask,
  RunTaskGroup,
  ShutdownAgent,
  ShutdownAgentExecutor,
  ShutdownFramework,
  UnregisterAgent,
  UpdateFramework,
} = agentMessages;

export const agentId = AgentID('agent-id-1');
export const frameworkId = FrameworkID('framework-1');

export const framework: FrameworkInfo = {
  id: frameworkId,
  name: 'test',
  roles: ['*'],
  failoverTimeout: 0,
  checkpoint: false,
  capabilities: [],
};

export function taskOf(id: string, command: string, more: Partial<TaskInfo> = {}): TaskInfo {
  return {
    // Given ids are judged by who receives them.
    taskId: id as TaskID,
    name: id,
    agentId,
    resources: [{ type: 'SCALAR', name: 'cpus', scalar: 1, allocationRole: '*' }],
    command: { value: command, shell: true, arguments: [], environment: {} },
    ...more,
  };
}

/** A program of a framework's own. */
export function customExecutor(id: string, more: Partial<ExecutorInfo> = {}): ExecutorInfo {
  return {
    executorId: ExecutorID(id),
    type: 'CUSTOM',
    frameworkId,
    name: 'my executor',
    command: { value: './executor', shell: true, arguments: [], environment: {} },
    resources: [{ type: 'SCALAR', name: 'cpus', scalar: 0.5, allocationRole: '*' }],
    ...more,
  };
}

export function defaultExecutor(id: string): ExecutorInfo {
  const { command: _command, ...executor } = customExecutor(id, { type: 'DEFAULT' });
  return executor;
}

/** What an agent says to its master, written down; it answers as a master does, unless told not to. */
export class FakeMaster extends Process {
  readonly term: Term;
  readonly registrations: BodyOf<typeof RegisterAgent>[] = [];
  readonly reregistrations: BodyOf<typeof ReregisterAgent>[] = [];
  readonly attempts: number[] = [];
  readonly updates: StatusUpdate[] = [];
  readonly pongs: AgentID[] = [];
  readonly unregistered: AgentID[] = [];
  readonly exits: BodyOf<typeof ExitedExecutor>[] = [];
  readonly messages: BodyOf<typeof ExecutorMessage>[] = [];
  acknowledges = true;
  answers = true;
  pings = true;
  agent: PID | undefined;
  reconcile: BodyOf<typeof AgentReregistered>['reconcile'] = [];
  totalPingTimeout = 75_000;

  constructor(term: Term = { created: 1, revision: 1 }, id = 'master') {
    super(id);
    this.term = term;
  }

  protected override initialize(): void {
    this.install(RegisterAgent, (body, from) => {
      this.registrations.push(body);
      this.attempts.push(this.clock.now());
      this.agent = from;
      if (this.answers) this.register();
    });
    this.install(ReregisterAgent, (body, from) => {
      this.reregistrations.push(body);
      this.agent = from;
      const { term, totalPingTimeout, reconcile } = this;
      if (this.answers) this.send(from, AgentReregistered, { term, agentId, totalPingTimeout, reconcile });
    });
    this.install(ForwardStatusUpdate, ({ update }) => {
      this.updates.push(update);
      if (this.acknowledges) this.acknowledge(update);
    });
    this.install(ExitedExecutor, (body) => void this.exits.push(body));
    this.install(ExecutorMessage, (body) => void this.messages.push(body));
    this.install(Pong, (body) => void this.pongs.push(body.agentId));
    this.install(UnregisterAgent, (body) => void this.unregistered.push(body.agentId));
    this.runtime.listen(
      detectTopic,
      this.defer(() => this.announce()),
    );
    this.announce();
    this.#ping();
  }

  announce(): void {
    const { term } = this;
    this.runtime.announce(leaderTopic, encodeLeader({ cluster: 'test', address: this.self.address, term, url: '' }));
  }

  register(id = agentId): void {
    const { term, totalPingTimeout } = this;
    if (this.agent !== undefined) this.send(this.agent, AgentRegistered, { term, agentId: id, totalPingTimeout });
  }

  run(task: TaskInfo, info: FrameworkInfo = framework, term = this.term): void {
    if (this.agent !== undefined) this.send(this.agent, RunTask, { term, framework: info, frameworkId, task });
  }

  /** @param launchExecutor whether the master thinks that the executor does not run yet */
  runIn(executor: ExecutorInfo, task: TaskInfo, launchExecutor: boolean, info: FrameworkInfo = framework): void {
    const { command: _command, ...rest } = task;
    const body = { term: this.term, framework: info, frameworkId, launchExecutor, task: { ...rest, executor } };
    if (this.agent !== undefined) this.send(this.agent, RunTask, body);
  }

  runGroup(executor: ExecutorInfo, given: TaskInfo[], launchExecutor: boolean, info: FrameworkInfo = framework): void {
    const tasks = given.map((task) => ({ ...task, executor }));
    const body = { term: this.term, framework: info, frameworkId, launchExecutor, executor, tasks };
    if (this.agent !== undefined) this.send(this.agent, RunTaskGroup, body);
  }

  shutdownExecutor(id: string): void {
    const body = { term: this.term, frameworkId, executorId: ExecutorID(id) };
    if (this.agent !== undefined) this.send(this.agent, ShutdownAgentExecutor, body);
  }

  tellExecutor(id: string, data: Uint8Array): void {
    const body = { term: this.term, frameworkId, executorId: ExecutorID(id), data };
    if (this.agent !== undefined) this.send(this.agent, FrameworkMessage, body);
  }

  updateFramework(info: FrameworkInfo): void {
    if (this.agent !== undefined) this.send(this.agent, UpdateFramework, { term: this.term, framework: info });
  }

  drain(config: DrainConfig): void {
    if (this.agent !== undefined) this.send(this.agent, DrainAgent, { term: this.term, config });
  }

  kill(taskId: string, gracePeriod?: number): void {
    const { term } = this;
    const body = { term, frameworkId, taskId: TaskID(taskId), ...(gracePeriod === undefined ? {} : { gracePeriod }) };
    if (this.agent !== undefined) this.send(this.agent, KillTask, body);
  }

  acknowledge({ frameworkId, status: { taskId, uuid } }: StatusUpdate): void {
    const { term, agent } = this;
    if (uuid !== undefined && agent !== undefined)
      this.send(agent, AcknowledgeStatusUpdate, { term, frameworkId, taskId, uuid });
  }

  ping(connected: boolean): void {
    // Whoever is there now.
    const agent = this.agent && this.runtime.pid(this.agent.toString());
    if (agent !== undefined) this.send(agent, Ping, { term: this.term, connected });
  }

  shutdownFramework(): void {
    if (this.agent !== undefined) this.send(this.agent, ShutdownFramework, { term: this.term, frameworkId });
  }

  shutdownAgent(message: string): void {
    if (this.agent !== undefined) this.send(this.agent, ShutdownAgent, { term: this.term, message });
  }

  /** The states of a task in the order they came, repetitions left out. */
  states(taskId: string): string[] {
    const states = this.updates.filter(({ status }) => status.taskId === taskId).map(({ status }) => status.state);
    return states.filter((state, index) => state !== states[index - 1]);
  }

  last(taskId: string): StatusUpdate | undefined {
    return this.updates.findLast(({ status }) => status.taskId === taskId);
  }

  #ping(): void {
    if (this.pings) this.ping(true);
    this.delay('15s', () => this.#ping());
  }
}
