import { type BodyOf, type Message, type PID, Process, type Runtime } from '@mezzo/process';
import {
  AgentID,
  ContainerID,
  ExecutorID,
  executorMessages,
  FrameworkID,
  Resources,
  TaskID,
  type TaskInfo,
} from '@mezzo/protocol';

const { ExecutorToFramework, ExecutorUpdate, RegisterExecutor, ReregisterExecutor } = executorMessages;

export const frameworkId = FrameworkID('f1');
export const executorId = ExecutorID('e1');
const agentId = AgentID('a1');
const info = { hostname: 'host', resources: [], attributes: {}, url: '' };

/** An agent that takes what executors say and answers only what the test has it answer. */
export class FakeAgent extends Process {
  /** Answers registrations by itself. */
  answers = true;
  /** Acknowledges updates by itself. */
  acknowledges = true;
  executor: PID | undefined;
  /** When each registration came. */
  readonly registrations: number[] = [];
  readonly reregistrations: BodyOf<typeof ReregisterExecutor>[] = [];
  readonly updates: BodyOf<typeof ExecutorUpdate>['status'][] = [];
  readonly messages: string[] = [];

  static on(runtime: Runtime, given: Partial<Pick<FakeAgent, 'answers' | 'acknowledges'>> = {}): FakeAgent {
    const agent = Object.assign(new FakeAgent('agent'), given);
    runtime.spawn(agent);
    return agent;
  }

  protected override initialize(): void {
    this.install(RegisterExecutor, (_, from) => {
      this.executor = from;
      this.registrations.push(this.clock.now());
      if (this.answers) this.registered();
    });
    this.install(ReregisterExecutor, (body, from) => {
      this.executor = from;
      this.reregistrations.push(body);
      if (this.answers) this.say(executorMessages.ExecutorReregistered, { agentId, agent: info });
    });
    this.install(ExecutorUpdate, ({ status }) => {
      this.updates.push(status);
      if (this.acknowledges) this.acknowledge(status);
    });
    this.install(ExecutorToFramework, ({ data }) => void this.messages.push(new TextDecoder().decode(data)));
  }

  say<T>(kind: Message<T>, body: T): void {
    if (this.executor === undefined) throw new Error('no executor has registered yet');
    this.send(this.executor, kind, ...([body] as [T] extends [void] ? [] : [T]));
  }

  registered(): void {
    this.say(executorMessages.ExecutorRegistered, {
      executor: { executorId, type: 'CUSTOM', resources: [] },
      framework: { id: frameworkId, name: 'f', roles: ['*'], failoverTimeout: 0, checkpoint: true, capabilities: [] },
      agentId,
      agent: info,
      containerId: ContainerID('c1'),
    });
  }

  /** As an agent that was started again, to an executor whose address it had stored. */
  reconnect(executor: PID): void {
    this.executor = executor;
    this.say(executorMessages.ReconnectExecutor, { agentId });
  }

  launch(...ids: string[]): void {
    for (const id of ids)
      this.say(executorMessages.LaunchTask, { frameworkId, task: taskOf(id), sandbox: `/sandbox/${id}` });
  }

  launchGroup(...ids: string[]): void {
    this.say(executorMessages.LaunchTaskGroup, { frameworkId, tasks: ids.map(taskOf), sandbox: '/sandbox' });
  }

  acknowledge({ taskId, uuid }: FakeAgent['updates'][number]): void {
    if (uuid === undefined) throw new Error('an update of an executor without a uuid');
    this.say(executorMessages.AcknowledgeExecutorUpdate, { taskId, uuid });
  }

  /** `task STATE` of each update, in the order they came. */
  get told(): readonly string[] {
    return this.updates.map(({ taskId, state }) => `${taskId} ${state}`);
  }
}

function taskOf(id: string): TaskInfo {
  return { taskId: TaskID(id), name: id, agentId, resources: [...Resources.parse('cpus:1')] };
}
