import type { Duration, LocalPID, Runtime } from '@mezzo/process';
import { Simulation, type SimulationOptions } from '@mezzo/process/testing';
import { type Agent, type AgentOptions, startAgent } from '@mezzo/agent';
import { FakeMaster } from './fake-master.ts';

export const workDirectory = '/work-dir';

/** A simulated master node and agent node. */
export class Cluster implements AsyncDisposable {
  readonly world: Simulation;
  readonly master: FakeMaster;
  readonly masterRuntime: Runtime;
  readonly runtime: Runtime;
  readonly agent: LocalPID<Agent>;
  readonly shutdowns: string[];

  private constructor(
    world: Simulation,
    master: FakeMaster,
    masterRuntime: Runtime,
    runtime: Runtime,
    agent: LocalPID<Agent>,
    shutdowns: string[],
  ) {
    this.world = world;
    this.master = master;
    this.masterRuntime = masterRuntime;
    this.runtime = runtime;
    this.agent = agent;
    this.shutdowns = shutdowns;
  }

  static async start(
    options: Partial<AgentOptions> & {
      readonly simulation?: SimulationOptions;
      readonly prepare?: (master: FakeMaster) => void;
    } = {},
  ): Promise<Cluster> {
    const { simulation, prepare, ...given } = options;
    const world = new Simulation({ latency: [1, 5], ...simulation });
    const masterRuntime = await world.start('master');
    const master = new FakeMaster();
    prepare?.(master);
    masterRuntime.spawn(master);
    const runtime = await world.start('agent-1', { onError: () => {} });
    const shutdowns: string[] = [];
    const started = startAgent(runtime, {
      cluster: 'test',
      workDirectory,
      resources: 'cpus:4;mem:1024;ports:[31000-32000]',
      onShutdown: (message) => void shutdowns.push(message),
      ...given,
    });
    await world.advanceUntil(() => !started.isPending, '1s');
    return new Cluster(world, master, masterRuntime, runtime, started.get(), shutdowns);
  }

  /** Until the agent has registered. */
  static async registered(options: Parameters<typeof Cluster.start>[0] = {}): Promise<Cluster> {
    const cluster = await Cluster.start(options);
    await cluster.until(() => cluster.master.registrations.length > 0);
    await cluster.world.advance('100ms');
    return cluster;
  }

  async until(condition: () => boolean, limit: Duration = '1mins'): Promise<void> {
    if (!(await this.world.advanceUntil(condition, limit)))
      throw new Error(`It did not happen within ${limit}: ${condition.toString()}`);
  }

  /** The node again, after a crash, with a new agent. */
  async restart(): Promise<void> {
    const runtime = await this.world.start('agent-1', { onError: () => {} });
    startAgent(runtime, { cluster: 'test', workDirectory, resources: 'cpus:4' });
    await this.world.advance('1s');
  }

  get files() {
    return this.world.machine('agent-1').files;
  }

  get children() {
    return this.world.machine('agent-1').children;
  }

  async get(
    path: string,
    query: Record<string, string> = {},
  ): Promise<{ readonly status: number; readonly body: string }> {
    const answer = this.runtime.http({ path, query: new URLSearchParams(query) });
    await this.world.settle();
    const { status, body = '' } = answer.get();
    return { status, body: typeof body === 'string' ? body : '' };
  }

  async state(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.get('/agent/state')).body) as Record<string, unknown>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }
}
