import { type BodyOf, type Future, type Message, type PID, Process } from '@mezzo/process';
import {
  AgentID,
  type AgentInfo,
  allocatorMessages as messages,
  conversionsOf,
  FrameworkID,
  type OfferConstraints,
  type Quota,
  type ResourceConversion,
  type ResourceOperation,
  ResourceQuantities,
  Resources,
  type Unavailability,
} from '@mezzo/protocol';
import { type AllocatedEntry, textOf } from './allocated-entry.ts';

export interface InverseEntry {
  readonly framework: string;
  readonly agent: string;
  readonly unavailability: Unavailability;
}

export interface BeginOptions {
  /** Milliseconds. Default: 1000. */
  readonly interval?: number;
  /** Default: Mesos's. */
  readonly minAllocatable?: readonly string[];
  readonly fairnessExcluded?: readonly string[];
  /** Default: true. */
  readonly filterGpus?: boolean;
  readonly domain?: AgentInfo['domain'];
}

export interface FrameworkOptions {
  readonly capabilities?: readonly string[];
  /** Default: true. */
  readonly active?: boolean;
  /** By agent. Amounts without a role of the allocation are given to the framework's first. */
  readonly used?: Readonly<Record<string, string>>;
  readonly suppressed?: readonly string[];
  /** By role. */
  readonly minAllocatable?: Readonly<Record<string, readonly string[]>>;
  readonly constraints?: OfferConstraints;
}

export interface AgentOptions {
  /** Default: the agent's id. */
  readonly hostname?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly domain?: AgentInfo['domain'];
  /** Default: all of Mesos's that concern offers. */
  readonly capabilities?: readonly string[];
  /** By framework, with the role of the allocation: `cpus(allocated: r):1`. */
  readonly used?: Readonly<Record<string, string>>;
  readonly unavailability?: Unavailability;
}

export const allCapabilities = ['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT'];

/** Speaks to an allocator as a master does, and keeps what it allocates. */
export class FakeMaster extends Process {
  isInitialized = false;
  readonly allocated: AllocatedEntry[] = [];
  readonly inverse: InverseEntry[] = [];
  readonly #allocator: PID;

  constructor(allocator: PID, id = 'master') {
    super(id);
    this.#allocator = allocator;
  }

  protected override initialize(): void {
    this.install(messages.AllocatorInitialized, () => {
      this.isInitialized = true;
    });
    this.install(messages.Allocated, (body) => this.#keep(body));
    this.install(messages.InverseAllocated, ({ frameworkId, agents }) => {
      for (const { agentId, unavailability } of agents)
        this.inverse.push({ framework: frameworkId, agent: agentId, unavailability });
    });
  }

  begin(options: BeginOptions = {}): void {
    const { interval = 1000, minAllocatable = ['cpus:0.01', 'mem:32'], fairnessExcluded = [] } = options;
    this.tell(messages.InitializeAllocator, {
      allocationInterval: interval,
      minAllocatable: minAllocatable.map(amounts),
      fairnessExcluded: [...fairnessExcluded],
      filterGpuResources: options.filterGpus ?? true,
      ...(options.domain === undefined ? undefined : { domain: options.domain }),
    });
  }

  end(): void {
    this.terminate();
  }

  // ---- what it got

  /** What was allocated since the last call. */
  take(): AllocatedEntry[] {
    return this.allocated.splice(0);
  }

  /** The same as `framework<-agent`. */
  pairs(): string[] {
    return this.take().map(({ framework, agent }) => `${framework}<-${agent}`);
  }

  /** The same as `framework resources`, sorted. */
  amounts(): string[] {
    return this.take()
      .map(({ framework, resources }) => `${framework} ${resources}`)
      .toSorted();
  }

  /** The only one since the last call. */
  one(): AllocatedEntry {
    const [first, ...more] = this.take();
    if (first === undefined || more.length > 0)
      throw new Error(`expected one allocation, got ${JSON.stringify(first && [first, ...more])}`);
    return first;
  }

  takeInverse(): InverseEntry[] {
    return this.inverse.splice(0);
  }

  // ---- frameworks

  framework(id: string, roles: readonly string[] = ['*'], options: FrameworkOptions = {}): void {
    const { active = true, used = {} } = options;
    this.tell(messages.AddFramework, {
      ...frameworkParts(id, roles, options),
      active,
      used: Object.entries(used).map(([agentId, text]) => {
        const resources = Resources.parse(text);
        const given = resources.allocations().size > 0 ? resources : resources.allocate(roles[0] ?? '*');
        return { agentId: AgentID(agentId), resources: [...given] };
      }),
    });
  }

  updateFramework(id: string, roles: readonly string[], options: Omit<FrameworkOptions, 'active' | 'used'> = {}): void {
    this.tell(messages.UpdateFramework, frameworkParts(id, roles, options));
  }

  removeFramework(id: string): void {
    this.tell(messages.RemoveFramework, { frameworkId: FrameworkID(id) });
  }

  activate(id: string): void {
    this.tell(messages.ActivateFramework, { frameworkId: FrameworkID(id) });
  }

  deactivate(id: string): void {
    this.tell(messages.DeactivateFramework, { frameworkId: FrameworkID(id) });
  }

  suppress(id: string, roles: readonly string[] = []): void {
    this.tell(messages.SuppressOffers, { frameworkId: FrameworkID(id), roles: [...roles] });
  }

  revive(id: string, roles: readonly string[] = []): void {
    this.tell(messages.ReviveOffers, { frameworkId: FrameworkID(id), roles: [...roles] });
  }

  // ---- agents

  agent(id: string, total: string, options: AgentOptions = {}): void {
    const { capabilities = allCapabilities, used = {}, unavailability } = options;
    this.tell(messages.AddAgent, {
      agentId: AgentID(id),
      agent: agentInfo(id, options),
      capabilities: [...capabilities],
      total: [...Resources.parse(total)],
      used: usedBy(used),
      ...(unavailability === undefined ? undefined : { unavailability }),
    });
  }

  updateAgent(id: string, { total, ...options }: Omit<AgentOptions, 'used'> & { readonly total?: string } = {}): void {
    this.tell(messages.UpdateAgent, {
      agentId: AgentID(id),
      agent: agentInfo(id, options),
      ...(options.capabilities === undefined ? undefined : { capabilities: [...options.capabilities] }),
      ...(total === undefined ? undefined : { total: [...Resources.parse(total)] }),
    });
  }

  resourceProvider(id: string, total: string, used: Readonly<Record<string, string>> = {}): void {
    this.tell(messages.AddResourceProvider, {
      agentId: AgentID(id),
      total: [...Resources.parse(total)],
      used: usedBy(used),
    });
  }

  removeAgent(id: string): void {
    this.tell(messages.RemoveAgent, { agentId: AgentID(id) });
  }

  activateAgent(id: string): void {
    this.tell(messages.ActivateAgent, { agentId: AgentID(id) });
  }

  deactivateAgent(id: string): void {
    this.tell(messages.DeactivateAgent, { agentId: AgentID(id) });
  }

  /** Without names: all are listed. */
  whitelist(hostnames?: readonly string[]): void {
    this.tell(messages.UpdateWhitelist, hostnames === undefined ? {} : { hostnames: [...hostnames] });
  }

  unavailable(id: string, unavailability?: Unavailability): void {
    this.tell(messages.UpdateUnavailability, {
      agentId: AgentID(id),
      ...(unavailability === undefined ? undefined : { unavailability }),
    });
  }

  // ---- offers

  /** The framework launches something with it. */
  launch(entry: AllocatedEntry): void {
    this.tell(messages.TransitionOfferedToAllocated, held(entry));
  }

  /** Gives back what was offered; with seconds the framework does not want it for that long. */
  recover(entry: AllocatedEntry, refuseSeconds?: number): void {
    const filters = refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } };
    this.tell(messages.RecoverResources, { ...held(entry), ...filters, isAllocated: false });
  }

  /** Gives back what was launched. */
  finish(entry: AllocatedEntry): void {
    this.tell(messages.RecoverResources, { ...held(entry), isAllocated: true });
  }

  /** The framework has accepted the offer with operations; what it has then. */
  operate(entry: AllocatedEntry, ...operations: readonly ResourceOperation[]): AllocatedEntry {
    return this.convert(entry, operations.flatMap(conversionsOf));
  }

  convert(entry: AllocatedEntry, conversions: readonly ResourceConversion[]): AllocatedEntry {
    const { frameworkId, agentId, resources: offered } = held(entry);
    const given = conversions.map((conversion) => ({
      ...conversion,
      consumed: conversion.consumed.allocate(entry.role),
      converted: conversion.converted.allocate(entry.role),
    }));
    this.tell(messages.UpdateAllocation, { frameworkId, agentId, offered, conversions: given.map(onWire) });
    let after = Resources.of(offered);
    for (const conversion of given) after = after.apply(conversion);
    return { ...entry, resources: textOf(after.unallocate()) };
  }

  /** An operator does something with what nobody has. */
  updateAvailable(agent: string, ...operations: readonly ResourceOperation[]): Future<{ readonly fault?: string }> {
    const conversions = operations.flatMap(conversionsOf).map(onWire);
    return this.ask(this.#allocator, messages.UpdateAvailable, { agentId: AgentID(agent), conversions });
  }

  answerInverse(
    { framework, agent }: { readonly framework: string; readonly agent: string },
    status?: 'ACCEPT' | 'DECLINE',
    refuseSeconds?: number,
  ): void {
    this.tell(messages.UpdateInverseOffer, {
      frameworkId: FrameworkID(framework),
      agentId: AgentID(agent),
      ...(status === undefined ? undefined : { status }),
      ...(refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } }),
    });
  }

  inverseOfferStatuses(): Future<BodyOf<typeof messages.GetInverseOfferStatuses.reply>> {
    return this.ask(this.#allocator, messages.GetInverseOfferStatuses, {});
  }

  // ---- roles

  /** Both as `cpus:1;mem:32`. Without limits: no limits, not even for what is guaranteed. */
  quota(role: string, guarantees: string, limits = ''): void {
    this.tell(messages.UpdateQuota, { role, quota: quotaOf(guarantees, limits) });
  }

  /** At least and at most this much. */
  exactly(role: string, both: string): void {
    this.quota(role, both, both);
  }

  weights(weights: Readonly<Record<string, number>>): void {
    this.tell(messages.UpdateWeights, {
      weights: Object.entries(weights).map(([role, weight]) => ({ role, weight })),
    });
  }

  /** A new leader tells what there was. */
  failOver(
    expectedAgents: number,
    quotas: Readonly<Record<string, string>>,
    { timeout = 600_000, factor = 0.8 } = {},
  ): void {
    this.tell(messages.Recover, {
      expectedAgents,
      quotas: Object.fromEntries(Object.entries(quotas).map(([role, text]) => [role, quotaOf(text, '')])),
      timeout,
      factor,
    });
  }

  tell<T>(kind: Message<T>, body: T): void {
    this.send(this.#allocator, kind, ...([body] as [T] extends [void] ? [] : [T]));
  }

  #keep({ frameworkId, allocations }: BodyOf<typeof messages.Allocated>): void {
    for (const { role, agentId, resources } of allocations) {
      if (resources.some(({ allocationRole }) => allocationRole !== role))
        throw new Error(`not allocated to ${role}: ${String(Resources.of(resources))}`);
      const text = textOf(Resources.of(resources).unallocate());
      this.allocated.push({ framework: frameworkId, role, agent: agentId, resources: text });
    }
  }
}

function held({ framework, role, agent, resources }: AllocatedEntry) {
  return {
    frameworkId: FrameworkID(framework),
    agentId: AgentID(agent),
    resources: [...Resources.parse(resources).allocate(role)],
  };
}

function onWire({ consumed, converted, takesEveryCopy }: ResourceConversion) {
  const plain = { consumed: [...consumed], converted: [...converted] };
  return takesEveryCopy === undefined ? plain : { ...plain, takesEveryCopy };
}

function frameworkParts(id: string, roles: readonly string[], options: FrameworkOptions) {
  const { capabilities = [], suppressed = [], minAllocatable = {}, constraints } = options;
  return {
    frameworkId: FrameworkID(id),
    roles: [...roles],
    suppressedRoles: [...suppressed],
    capabilities: [...capabilities],
    minAllocatable: Object.fromEntries(
      Object.entries(minAllocatable).map(([role, alternatives]) => [role, alternatives.map(amounts)]),
    ),
    ...(constraints === undefined ? undefined : { offerConstraints: constraints }),
  };
}

function agentInfo(id: string, { hostname = id, attributes = {}, domain }: AgentOptions): AgentInfo {
  const info = { hostname, resources: [], attributes: { ...attributes }, url: '' };
  return domain === undefined ? info : { ...info, domain };
}

function usedBy(used: Readonly<Record<string, string>>) {
  return Object.entries(used).map(([frameworkId, text]) => ({
    frameworkId: FrameworkID(frameworkId),
    resources: [...Resources.parse(text)],
  }));
}

function quotaOf(guarantees: string, limits: string): Quota {
  return {
    guarantees: amounts(guarantees),
    // 0 is a limit too.
    limits: Object.fromEntries(
      limits
        .split(';')
        .filter((part) => part !== '')
        .map((part) => part.split(':'))
        .map(([name = '', amount]) => [name, Number(amount)]),
    ),
  };
}

function amounts(text: string): Record<string, number> {
  return Object.fromEntries(ResourceQuantities.parse(text));
}
