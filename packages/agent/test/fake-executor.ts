import { type BodyOf, type PID, Process } from '@mezzo/process';
import {
  executorMessages,
  ExecutorID,
  type FrameworkInfo,
  type TaskID,
  type TaskInfo,
  type TaskState,
  UpdateUUID,
} from '@mezzo/protocol';
import type { Cluster } from './cluster.ts';
import { customExecutor, frameworkId, taskOf } from './fake-master.ts';

const {
  AcknowledgeExecutorUpdate,
  ExecutorRegistered,
  ExecutorToFramework,
  ExecutorUpdate,
  FrameworkToExecutor,
  KillExecutorTask,
  LaunchTask,
  LaunchTaskGroup,
  ReconnectExecutor,
  RegisterExecutor,
  ReregisterExecutor,
  ShutdownExecutor,
} = executorMessages;

/** What a program does that is an executor: it takes orders and writes them down, and reports what the test says. */
export class FakeExecutor extends Process {
  /** As whom it speaks. */
  executorId: ExecutorID;
  readonly registered: BodyOf<typeof ExecutorRegistered>[] = [];
  /** Ids of the tasks that it got, one list per message. */
  readonly launches: string[][] = [];
  readonly sandboxes: string[] = [];
  readonly kills: BodyOf<typeof KillExecutorTask>[] = [];
  readonly messages: Uint8Array[] = [];
  readonly acknowledged: string[] = [];
  shutdowns = 0;
  reconnects = 0;
  readonly #agent: PID;

  constructor(executorId: string, agent: PID) {
    super('executor');
    this.executorId = ExecutorID(executorId);
    this.#agent = agent;
  }

  /** On a node of its own, which it takes for a real one that its program would start; not registered yet. */
  static async start(
    cluster: Cluster,
    executorId: string,
    agent: string = cluster.agent.toString(),
  ): Promise<FakeExecutor> {
    const runtime = await cluster.world.start(`node-of-${executorId}`);
    const executor = new FakeExecutor(executorId, runtime.pid(agent));
    runtime.spawn(executor);
    return executor;
  }

  /** As executor `e1`, registered, with task `t1` handed to it. */
  static async withTask(cluster: Cluster, framework: FrameworkInfo): Promise<FakeExecutor> {
    const executor = await FakeExecutor.start(cluster, 'e1');
    cluster.master.runIn(customExecutor('e1'), taskOf('t1', ''), true, framework);
    await cluster.until(() => cluster.children.running.length > 0);
    executor.register();
    await cluster.until(() => executor.launches.length > 0);
    return executor;
  }

  protected override initialize(): void {
    this.install(ExecutorRegistered, (body) => void this.registered.push(body));
    this.install(LaunchTask, ({ task, sandbox }) => {
      this.launches.push([task.taskId]);
      this.sandboxes.push(sandbox);
    });
    this.install(LaunchTaskGroup, ({ tasks }) => void this.launches.push(tasks.map(({ taskId }) => taskId)));
    this.install(KillExecutorTask, (body) => void this.kills.push(body));
    this.install(FrameworkToExecutor, ({ data }) => void this.messages.push(data.slice()));
    this.install(AcknowledgeExecutorUpdate, ({ uuid }) => void this.acknowledged.push(uuid));
    this.install(ReconnectExecutor, () => void this.reconnects++);
    this.install(ShutdownExecutor, () => void this.shutdowns++);
  }

  register(): void {
    const { executorId } = this;
    this.send(this.#agent, RegisterExecutor, { frameworkId, executorId });
  }

  /** With the tasks of which no update was acknowledged, and the states of `t1` that were not. */
  reregister(tasks: readonly TaskInfo[], states: readonly TaskState[] = []): void {
    const { executorId } = this;
    const updates = states.map((state) => this.#statusOf('t1', state));
    this.send(this.#agent, ReregisterExecutor, { frameworkId, executorId, tasks: [...tasks], updates });
  }

  /** Gives the update's uuid. */
  report(taskId: string, state: TaskState): string {
    const { executorId } = this;
    const status = this.#statusOf(taskId, state);
    this.send(this.#agent, ExecutorUpdate, { frameworkId, executorId, status });
    return status.uuid;
  }

  #statusOf(taskId: string, state: TaskState) {
    const uuid = UpdateUUID(this.random.uuid());
    // What a task's id may be is for the agent to say.
    return { taskId: taskId as TaskID, state, source: 'SOURCE_EXECUTOR', timestamp: 0, uuid } as const;
  }

  tell(data: Uint8Array): void {
    const { executorId } = this;
    this.send(this.#agent, ExecutorToFramework, { frameworkId, executorId, data });
  }
}
