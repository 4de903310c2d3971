import { type BodyOf, type ExitReason, type Message, type PID, Process, type Request } from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  allocatorMessages as messages,
  type FrameworkID,
  type OfferConstraints,
  type Quota,
  Resources,
  type Unavailability,
} from '@mezzo/protocol';
import type { Books, Offered } from './books.ts';

type Initialization = BodyOf<typeof messages.InitializeAllocator>;

export interface FrameworkSettings {
  readonly roles?: readonly string[];
  readonly suppressedRoles?: readonly string[];
  readonly capabilities?: readonly string[];
  readonly offerConstraints?: OfferConstraints;
  /** By role, alternatives of what an offer must at least hold. */
  readonly minAllocatable?: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>;
}

export interface InverseOffered {
  readonly frameworkId: FrameworkID;
  readonly agentId: AgentID;
  readonly unavailability: Unavailability;
}

export interface AgentSettings {
  /** By framework, with the roles that they are allocated to. */
  readonly used?: readonly Offered[];
  readonly info?: Partial<AgentInfo>;
  readonly unavailability?: Unavailability;
}

/** Milliseconds between periodic runs. */
export const interval = 1000;

/** A master that does what a test says, tells the allocator so, and keeps the books. */
export class ScriptedMaster extends Process {
  readonly books: Books;
  readonly #allocator: PID;
  readonly #inverseOffers: InverseOffered[] = [];
  /** How often the allocator said that it listens. */
  initialized = 0;

  constructor(allocator: PID, books: Books) {
    super('master');
    this.#allocator = allocator;
    this.books = books;
  }

  protected override initialize(): void {
    this.install(messages.AllocatorInitialized, () => {
      this.initialized++;
    });
    this.install(messages.Allocated, (body) => {
      for (const offered of this.books.allocated(body)) this.#recover(offered, false);
    });
    this.install(messages.InverseAllocated, ({ frameworkId, agents }) => {
      for (const inverse of agents) this.#inverseOffers.push({ frameworkId, ...inverse });
    });
    this.link(this.#allocator);
  }

  protected override exited(_pid: PID, reason: ExitReason): void {
    this.books.faults.push(reason.kind === 'crashed' ? `crashed: ${reason.message}` : `ended (${reason.kind})`);
  }

  begin(settings: Partial<Initialization> = {}): void {
    this.tell(messages.InitializeAllocator, {
      ...{ allocationInterval: interval, minAllocatable: [], fairnessExcluded: [], filterGpuResources: true },
      ...settings,
    });
  }

  // ---- frameworks

  addFramework(frameworkId: FrameworkID, settings: FrameworkSettings = {}): void {
    const { roles = ['research'], suppressedRoles = [], capabilities = ['MULTI_ROLE'], offerConstraints } = settings;
    this.books.addFramework(frameworkId, roles, suppressedRoles);
    const lists = { roles: [...roles], suppressedRoles: [...suppressedRoles], capabilities: [...capabilities] };
    const least = Object.entries(settings.minAllocatable ?? {}).map(([role, alternatives]) => [
      role,
      [...alternatives],
    ]);
    this.tell(messages.AddFramework, {
      ...{ frameworkId, ...lists, minAllocatable: Object.fromEntries(least), used: [], active: true },
      ...(offerConstraints === undefined ? undefined : { offerConstraints }),
    });
  }

  updateFramework(frameworkId: FrameworkID, roles: readonly string[]): void {
    const framework = this.books.frameworks.get(frameworkId);
    if (framework === undefined) return;
    this.books.forgetRefusals(
      frameworkId,
      [...framework.roles].filter((role) => !roles.includes(role)),
    );
    framework.roles = new Set(roles);
    const suppressedRoles = [...framework.suppressed].filter((role) => roles.includes(role));
    framework.suppressed.clear();
    for (const role of suppressedRoles) framework.suppressed.add(role);
    this.books.changed(frameworkId);
    const lists = { roles: [...roles], suppressedRoles, capabilities: ['MULTI_ROLE'] };
    this.tell(messages.UpdateFramework, { frameworkId, ...lists, minAllocatable: {} });
  }

  removeFramework(frameworkId: FrameworkID): void {
    this.books.removeFramework(frameworkId);
    this.tell(messages.RemoveFramework, { frameworkId });
  }

  /** Its offers are taken back, as a master does whose scheduler is gone. */
  deactivateFramework(frameworkId: FrameworkID): void {
    const framework = this.books.frameworks.get(frameworkId);
    if (framework === undefined) return;
    framework.isActive = false;
    framework.refusals = [];
    this.books.changed(frameworkId);
    this.tell(messages.DeactivateFramework, { frameworkId });
    for (const offer of [...this.books.offers]) if (offer.frameworkId === frameworkId) this.decline(offer);
  }

  activateFramework(frameworkId: FrameworkID): void {
    const framework = this.books.frameworks.get(frameworkId);
    if (framework === undefined) return;
    framework.isActive = true;
    this.tell(messages.ActivateFramework, { frameworkId });
  }

  /** Without roles: all. */
  suppress(frameworkId: FrameworkID, roles: readonly string[] = []): void {
    const framework = this.books.frameworks.get(frameworkId);
    if (framework === undefined) return;
    for (const role of roles.length === 0 ? framework.roles : roles) framework.suppressed.add(role);
    this.books.changed(frameworkId);
    this.tell(messages.SuppressOffers, { frameworkId, roles: [...roles] });
  }

  revive(frameworkId: FrameworkID, roles: readonly string[] = []): void {
    const framework = this.books.frameworks.get(frameworkId);
    if (framework === undefined) return;
    for (const role of roles.length === 0 ? framework.roles : roles) framework.suppressed.delete(role);
    this.books.forgetRefusals(frameworkId, roles.length === 0 ? framework.roles : roles);
    this.tell(messages.ReviveOffers, { frameworkId, roles: [...roles] });
  }

  // ---- agents

  /** @param total as `Resources.parse` reads it */
  addAgent(
    agentId: AgentID,
    total: string | Resources,
    { used = [], info = {}, unavailability }: AgentSettings = {},
  ): void {
    const resources = typeof total === 'string' ? Resources.parse(total) : total;
    this.books.addAgent(agentId, resources, used);
    this.tell(messages.AddAgent, {
      agentId,
      agent: infoOf(agentId, info),
      capabilities: ['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT'],
      total: [...resources],
      used: used.map((held) => ({ frameworkId: held.frameworkId, resources: [...held.resources] })),
      ...(unavailability === undefined ? undefined : { unavailability }),
    });
  }

  /** It has become larger, or smaller. */
  resizeAgent(agentId: AgentID, total: Resources): void {
    const agent = this.books.agents.get(agentId);
    if (agent === undefined) return;
    agent.total = total;
    this.books.changed(agentId);
    this.tell(messages.UpdateAgent, { agentId, agent: infoOf(agentId), total: [...total] });
  }

  removeAgent(agentId: AgentID): void {
    this.books.removeAgent(agentId);
    this.tell(messages.RemoveAgent, { agentId });
  }

  deactivateAgent(agentId: AgentID): void {
    const agent = this.books.agents.get(agentId);
    if (agent === undefined) return;
    agent.isActive = false;
    this.books.changed(agentId);
    this.tell(messages.DeactivateAgent, { agentId });
  }

  activateAgent(agentId: AgentID): void {
    const agent = this.books.agents.get(agentId);
    if (agent === undefined) return;
    agent.isActive = true;
    this.tell(messages.ActivateAgent, { agentId });
  }

  // ---- offers

  /** Gives an offer back. Without a time nothing is filtered. */
  decline(offer: Offered, refuseSeconds?: number): void {
    this.books.give(offer);
    if (refuseSeconds !== undefined) {
      this.books.refuse(offer, { refuseSeconds });
      this.books.changed(offer.frameworkId);
    }
    this.#recover(offer, false, refuseSeconds);
  }

  launch(offer: Offered): void {
    this.books.launch(offer);
    const { frameworkId, agentId, resources } = offer;
    this.tell(messages.TransitionOfferedToAllocated, { frameworkId, agentId, resources: [...resources] });
  }

  endTask(task: Offered): void {
    this.books.give(task);
    this.#recover(task, true);
  }

  // ---- what operators decide

  setQuota(role: string, quota: Quota): void {
    this.tell(messages.UpdateQuota, { role, quota });
  }

  setWhitelist(hostnames: readonly string[] | undefined): void {
    this.tell(messages.UpdateWhitelist, hostnames === undefined ? {} : { hostnames: [...hostnames] });
  }

  setWeights(weights: Readonly<Record<string, number>>): void {
    const list = Object.entries(weights).map(([role, weight]) => ({ role, weight }));
    this.tell(messages.UpdateWeights, { weights: list });
  }

  /** Without a time its machine will not be away. */
  setUnavailability(agentId: AgentID, unavailability: Unavailability | undefined): void {
    this.tell(messages.UpdateUnavailability, {
      agentId,
      ...(unavailability === undefined ? undefined : { unavailability }),
    });
  }

  /** Those made since the last time that they were taken. */
  takeInverseOffers(): readonly InverseOffered[] {
    return this.#inverseOffers.splice(0);
  }

  answerInverseOffer(
    frameworkId: FrameworkID,
    agentId: AgentID,
    status: 'ACCEPT' | 'DECLINE',
    refuseSeconds?: number,
  ): void {
    this.tell(messages.UpdateInverseOffer, {
      ...{ frameworkId, agentId, status },
      ...(refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } }),
    });
  }

  tell<T>(kind: Message<T>, body: T): void {
    this.send(this.#allocator, kind, ...([body] as [T] extends [void] ? [] : [T]));
  }

  /** The answer, once it is there. */
  askAllocator<Q, A>(kind: Request<Q, A>, body: Q): { readonly answer: A | undefined } {
    const asked: { answer: A | undefined } = { answer: undefined };
    this.ask(this.#allocator, kind, body).onReady((answer) => {
      asked.answer = answer;
    });
    return asked;
  }

  #recover({ frameworkId, agentId, resources }: Offered, isAllocated: boolean, refuseSeconds?: number): void {
    this.tell(messages.RecoverResources, {
      ...{ frameworkId, agentId, resources: [...resources], isAllocated },
      ...(refuseSeconds === undefined ? undefined : { filters: { refuseSeconds } }),
    });
  }
}

function infoOf(agentId: AgentID, info: Partial<AgentInfo> = {}): AgentInfo {
  return { hostname: agentId, resources: [], attributes: {}, url: '', ...info };
}
