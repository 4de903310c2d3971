import { type BodyOf, type Message, type PID, Process, type Runtime } from '@mezzo/process';
import { AgentID, allocatorMessages, FrameworkID, Resources } from '@mezzo/protocol';
import { Simulation } from '@mezzo/process/testing';
import { HierarchicalAllocator, type HierarchicalAllocatorOptions } from '@mezzo/master';

type Allocated = BodyOf<typeof allocatorMessages.Allocated>;

export interface AllocatedEntry {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  /** Without the role. */
  readonly resources: string;
}

/** Speaks to an allocator as a master does, and keeps what it allocates. */
export class FakeMaster extends Process {
  readonly allocated: AllocatedEntry[] = [];
  readonly #allocator: PID;
  isInitialized = false;

  constructor(allocator: PID, id = 'master') {
    super(id);
    this.#allocator = allocator;
  }

  protected override initialize(): void {
    this.install(allocatorMessages.AllocatorInitialized, () => {
      this.isInitialized = true;
    });
    this.install(allocatorMessages.Allocated, (body) => this.#keep(body));
  }

  /** What was allocated since the last call. */
  take(): AllocatedEntry[] {
    return this.allocated.splice(0);
  }

  /** The same as `framework<-agent`. */
  pairs(): string[] {
    return this.take().map(({ framework, agent }) => `${framework}<-${agent}`);
  }

  begin(interval = 1000, minAllocatable: readonly string[] = ['cpus:0.01', 'mem:32']): void {
    this.tell(allocatorMessages.InitializeAllocator, {
      allocationInterval: interval,
      minAllocatable: [...minAllocatable],
    });
  }

  framework(
    id: string,
    roles: readonly string[] = ['*'],
    more: { readonly capabilities?: string[]; readonly active?: boolean; readonly used?: Record<string, string> } = {},
  ): void {
    const { capabilities = [], active = true, used = {} } = more;
    this.tell(allocatorMessages.AddFramework, {
      frameworkId: FrameworkID(id),
      roles: [...roles],
      capabilities,
      active,
      used: Object.entries(used).map(([agentId, text]) => ({
        agentId: AgentID(agentId),
        resources: [...Resources.parse(text)],
      })),
    });
  }

  agent(id: string, total: string, used: Record<string, string> = {}): void {
    this.tell(allocatorMessages.AddAgent, {
      agentId: AgentID(id),
      agent: { hostname: id, resources: [], attributes: {}, url: '' },
      total: [...Resources.parse(total)],
      used: Object.entries(used).map(([frameworkId, text]) => ({
        frameworkId: FrameworkID(frameworkId),
        resources: [...Resources.parse(text)],
      })),
    });
  }

  recover({ framework, role, agent, resources }: AllocatedEntry, refuseSeconds?: number): void {
    this.tell(allocatorMessages.RecoverResources, {
      frameworkId: FrameworkID(framework),
      agentId: AgentID(agent),
      resources: [...Resources.parse(resources).allocate(role)],
      ...(refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } }),
    });
  }

  end(): void {
    this.terminate();
  }

  tell<T>(kind: Message<T>, body: T): void {
    this.send(this.#allocator, kind, ...([body] as [T] extends [void] ? [] : [T]));
  }

  #keep({ frameworkId, allocations }: Allocated): void {
    for (const { role, agentId, resources } of allocations) {
      const all = Resources.of(resources);
      if ([...all].some((resource) => resource.allocationRole !== role))
        throw new Error(`not allocated to ${role}: ${String(all)}`);
      this.allocated.push({ framework: frameworkId, role, agent: agentId, resources: String(all.unallocate()) });
    }
  }
}

/** An allocator and its master alone in the world. */
export class AllocatorWorld implements AsyncDisposable {
  readonly world: Simulation;
  readonly master: FakeMaster;
  readonly allocator: PID;
  readonly runtime: Runtime;
  readonly metric: (name: string) => Promise<number | undefined>;

  private constructor(
    world: Simulation,
    master: FakeMaster,
    allocator: PID,
    runtime: Runtime,
    metric: (name: string) => Promise<number | undefined>,
  ) {
    this.allocator = allocator;
    this.runtime = runtime;
    this.world = world;
    this.master = master;
    this.metric = metric;
  }

  static async start(options: HierarchicalAllocatorOptions & { readonly seed?: number } = {}): Promise<AllocatorWorld> {
    const world = new Simulation({ seed: options.seed ?? 1 });
    const runtime = await world.start('node');
    const allocator = runtime.spawn(new HierarchicalAllocator(options));
    const master = new FakeMaster(allocator);
    runtime.spawn(master);
    await world.settle();
    const metric = async (name: string): Promise<number | undefined> => {
      const snapshot = runtime.metrics.snapshot();
      await world.settle();
      return snapshot.get().get(name);
    };
    return new AllocatorWorld(world, master, allocator, runtime, metric);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }
}
