import type { Duration, LocalPID, Runtime } from '@mezzo/process';
import { Simulation, type SimulationOptions } from '@mezzo/process/testing';
import { type Agent, type AgentOptions, startAgent } from '@mezzo/agent';
import { FakeMaster } from './fake-master.ts';

export const workDirectory = '/work-dir';

const defaults = { cluster: 'test', workDirectory, resources: 'cpus:4;mem:1024;ports:[31000-32000]' };

/** A simulated master node and agent node. */
export class Cluster implements AsyncDisposable {
  readonly world: Simulation;
  readonly master: FakeMaster;
  readonly masterRuntime: Runtime;
  readonly runtime: Runtime;
  readonly agent: LocalPID<Agent>;
  readonly shutdowns: string[];
  readonly #options: Partial<AgentOptions>;
  #restarted: Runtime | undefined;

  private constructor(
    world: Simulation,
    master: FakeMaster,
    masterRuntime: Runtime,
    runtime: Runtime,
    agent: LocalPID<Agent>,
    shutdowns: string[],
    options: Partial<AgentOptions>,
  ) {
    this.#options = options;
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
      readonly master?: FakeMaster;
    } = {},
  ): Promise<Cluster> {
    const { simulation, prepare, master = new FakeMaster(), ...given } = options;
    const world = new Simulation({ latency: [1, 5], ...simulation });
    const masterRuntime = await world.start('master');
    prepare?.(master);
    masterRuntime.spawn(master);
    const runtime = await world.start('agent-1', { onError: () => {} });
    const shutdowns: string[] = [];
    const started = startAgent(runtime, {
      ...defaults,
      onShutdown: (message) => void shutdowns.push(message),
      ...given,
    });
    await world.advanceUntil(() => !started.isPending, '1s');
    return new Cluster(world, master, masterRuntime, runtime, started.get(), shutdowns, given);
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

  /** The node again, after a crash, with a new agent; `options` instead of those it had. Rejects as starting it fails. */
  async restart(options: Partial<AgentOptions> = {}): Promise<LocalPID<Agent>> {
    const runtime = await this.world.start('agent-1', { onError: () => {} });
    this.#restarted = runtime;
    const started = startAgent(runtime, {
      ...defaults,
      onShutdown: (message) => void this.shutdowns.push(message),
      ...this.#options,
      ...options,
    });
    await this.world.advanceUntil(() => !started.isPending, '1s');
    return started;
  }

  /** The same, until it has registered again. */
  async comeBack(options: Partial<AgentOptions> = {}): Promise<void> {
    const before = this.master.reregistrations.length;
    await this.restart(options);
    await this.until(() => this.master.reregistrations.length > before);
    await this.world.advance('100ms');
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
    const answer = (this.#restarted ?? this.runtime).http({ path, query: new URLSearchParams(query) });
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
