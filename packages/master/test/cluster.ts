import type { Process } from '@mezzo/process';
import type { Duration, LocalPID, Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import type { FrameworkInfo } from '@mezzo/protocol';
import { HierarchicalAllocator, type Master, startMaster, type StartMasterOptions } from '@mezzo/master';
import { FakeAgent, FakeScheduler } from './peers.ts';

export interface ClusterOptions extends StartMasterOptions {
  readonly seed?: number;
  /** Runs the allocator in a runtime of its own. Default: only if MEZZO_EXPLODED is set. */
  readonly exploded?: boolean;
  /** False leaves it to the test to start that allocator. Default true. */
  readonly startAllocator?: boolean;
}

/** The real master and allocator with scripted agents and schedulers, each on a node of its own, under virtual time. */
export class TestCluster implements AsyncDisposable {
  readonly world: Simulation;
  readonly #options: ClusterOptions;
  #master: Runtime | undefined;
  #allocator: Runtime | undefined;
  #leader: LocalPID<Master> | undefined;
  readonly #peers: (FakeAgent | FakeScheduler)[] = [];

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.world = new Simulation({ seed: options.seed ?? 1, latency: [1, 3] });
  }

  static async start(given: ClusterOptions = {}): Promise<TestCluster> {
    const options = { exploded: process.env['MEZZO_EXPLODED'] !== undefined, ...given };
    const cluster = new TestCluster(options);
    if (options.exploded === true && options.startAllocator !== false) await cluster.startAllocator();
    await cluster.startMaster();
    return cluster;
  }

  get master(): Runtime {
    if (this.#master === undefined) throw new Error('no master');
    return this.#master;
  }

  /** The process itself, for dispatches. */
  get leader(): LocalPID<Master> {
    if (this.#leader === undefined) throw new Error('no master');
    return this.#leader;
  }

  /** Where the allocator runs: beside the master unless exploded. */
  get allocatorRuntime(): Runtime {
    return this.#allocator ?? this.master;
  }

  async startAllocator(): Promise<Runtime> {
    this.#allocator = await this.world.start('allocator');
    this.#allocator.spawn(new HierarchicalAllocator());
    return this.#allocator;
  }

  async startMaster(): Promise<void> {
    const { seed: _seed, startAllocator: _start, exploded, ...options } = this.#options;
    this.#master = await this.world.start('master');
    const allocator = exploded === true ? this.#master.pid('allocator@allocator') : undefined;
    this.#leader = startMaster(this.#master, {
      ...options,
      ...(allocator === undefined ? undefined : { allocator }),
    }).master;
    await this.advance('50ms');
  }

  /** The master dies, and another one reads what it stored. */
  async failOver(): Promise<void> {
    this.world.crash('master');
    await this.advance('1s');
    await this.startMaster();
    for (const peer of this.#peers) peer.knock();
    await this.advance('1s');
  }

  async agent(
    node = 'agent-1',
    resources?: string,
    more?: ConstructorParameters<typeof FakeAgent>[1],
  ): Promise<FakeAgent> {
    const agent = await this.peer(node, new FakeAgent(resources, { hostname: node, ...more }));
    this.#peers.push(agent);
    agent.register();
    await this.advance('20ms');
    return agent;
  }

  async scheduler(node = 'framework-1', info: Partial<FrameworkInfo> = {}): Promise<FakeScheduler> {
    const scheduler = await this.peer(node, new FakeScheduler());
    this.#peers.push(scheduler);
    scheduler.subscribe(info);
    await this.advance('20ms');
    return scheduler;
  }

  async peer<P extends Process>(node: string, peer: P): Promise<P> {
    const runtime = await this.world.start(node);
    runtime.spawn(peer);
    await this.world.settle();
    return peer;
  }

  advance(duration: Duration): Promise<void> {
    return this.world.advance(duration);
  }

  async state(): Promise<State> {
    const answer = this.master.http({ path: '/state' });
    await this.world.settle();
    const response = answer.get();
    if (response.status !== 200 || typeof response.body !== 'string') throw new Error(`no state: ${response.status}`);
    return JSON.parse(response.body) as State;
  }

  async metric(name: string, runtime = this.#owner(name)): Promise<number | undefined> {
    const answer = runtime.metrics.snapshot();
    await this.world.settle();
    return answer.get().get(name);
  }

  #owner(metric: string): Runtime {
    return metric.startsWith('allocator/') ? this.allocatorRuntime : this.master;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }
}

export interface TaskEntry {
  readonly id: string;
  readonly state: string;
  readonly slave_id: string;
  readonly statuses: readonly { readonly state: string }[];
}

export interface FrameworkEntry {
  readonly id: string;
  readonly name: string;
  readonly active: boolean;
  readonly connected: boolean;
  readonly recovered: boolean;
  readonly tasks: readonly TaskEntry[];
  readonly unreachable_tasks: readonly TaskEntry[];
  readonly completed_tasks: readonly TaskEntry[];
  readonly offers: readonly { readonly id: string; readonly slave_id: string }[];
}

export type Amounts = Readonly<Record<string, number | string>>;

export interface AgentEntry {
  readonly id: string;
  readonly hostname: string;
  readonly active: boolean;
  readonly resources: Amounts;
  readonly used_resources: Amounts;
  readonly reserved_resources: Readonly<Record<string, Amounts>>;
  readonly offered_resources: Amounts;
}

export interface State {
  readonly id: string;
  readonly cluster: string;
  readonly slaves: readonly AgentEntry[];
  readonly frameworks: readonly FrameworkEntry[];
  readonly completed_frameworks: readonly FrameworkEntry[];
  readonly unreachable_slaves: number;
}
