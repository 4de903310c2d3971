import { type BodyOf, Future, type Message, type PID, type Request, type Timer } from '@mezzo/process';
import {
  type AgentID,
  allocatorMessages,
  type Filters,
  type FrameworkID,
  type Quota,
  type ResourceConversion,
  type Resources,
} from '@mezzo/protocol';
import type { Agent } from './agents/agent.ts';
import type { Framework } from './frameworks/framework.ts';
import type { ResolvedOptions } from './options.ts';

export interface AllocatorClientOptions {
  /** Bare, so that an allocator that was started again is found under it. */
  readonly address: PID;
  /** What logs call it. */
  readonly name: string;
  readonly options: ResolvedOptions;
  readonly frameworks: ReadonlyMap<FrameworkID, Framework>;
  readonly agents: ReadonlyMap<AgentID, Agent>;
  send<T>(to: PID, kind: Message<T>, body: T): void;
  link(to: PID): void;
  ask<Q, A>(to: PID, kind: Request<Q, A>, body: Q): Future<A>;
  delay(milliseconds: number, call: () => void): Timer;
}

/** Of agents that do not say what they can: all of Mesos's that concern offers. */
const agentCapabilities = ['MULTI_ROLE', 'HIERARCHICAL_ROLE', 'RESERVATION_REFINEMENT'];

/** Milliseconds between attempts to reach an allocator that is gone. */
const retryInterval = 500;

/**
 * The master's side of the allocator. Until an allocator has said that it listens, nothing is sent to it: then it is
 * told the whole state, and from then on every change.
 */
export class AllocatorClient {
  readonly #ports: AllocatorClientOptions;
  /** The exact address of the allocator that listens; what others say is not heard. */
  #pid: PID | undefined;
  /** It was asked to listen and has not said yet that it does. */
  #isAsked = false;
  readonly #quotas = new Map<string, Quota>();
  readonly #weights: Map<string, number>;
  #whitelist: readonly string[] | undefined;
  /** Of the registry, until most of them are back. */
  #expectedAgents = 0;

  constructor(ports: AllocatorClientOptions) {
    this.#ports = ports;
    this.#weights = new Map(Object.entries(ports.options.weights));
  }

  get name(): string {
    return this.#ports.name;
  }

  get isReady(): boolean {
    return this.#pid !== undefined;
  }

  connect(): void {
    const { address, options } = this.#ports;
    this.#isAsked = true;
    this.#ports.link(address);
    this.#ports.send(address, allocatorMessages.InitializeAllocator, {
      allocationInterval: options.allocationInterval,
      minAllocatable: [...options.minAllocatable],
      fairnessExcluded: [...options.fairnessExcludedNames],
      filterGpuResources: options.filterGpuResources,
      ...(options.domain === undefined ? undefined : { domain: options.domain }),
    });
  }

  /** Whether `pid` is the allocator, by its bare or exact address. */
  is(pid: PID): boolean {
    return pid.toString() === this.#ports.address.toString();
  }

  exited(): void {
    this.#pid = undefined;
    this.#ports.delay(retryInterval, () => this.connect());
  }

  /** The allocator listens: it gets everything there is. */
  initialized(from: PID): void {
    if (!this.is(from) || !this.#isAsked) return;
    this.#isAsked = false;
    this.#pid = from;
    if (this.#expectedAgents > 0 && this.#quotas.size > 0) {
      const { agentRecoveryFactor: factor, recoveryTimeout: timeout } = this.#ports.options;
      const body = { expectedAgents: this.#expectedAgents, quotas: Object.fromEntries(this.#quotas), timeout, factor };
      this.#send(allocatorMessages.Recover, body);
      // One that is started again later has the agents to look at.
      this.#expectedAgents = 0;
    }
    if (this.#weights.size > 0) this.setWeights({});
    for (const [role, quota] of this.#quotas) this.#send(allocatorMessages.UpdateQuota, { role, quota });
    if (this.#whitelist !== undefined) this.setWhitelist(this.#whitelist);
    for (const framework of this.#ports.frameworks.values()) this.addFramework(framework);
    for (const agent of this.#ports.agents.values()) this.addAgent(agent);
  }

  /** True for the allocator that was told the state. */
  trusts(from: PID): boolean {
    return this.#pid?.equals(from) === true;
  }

  addFramework(framework: Framework): void {
    // What it holds already comes with the agents.
    this.#send(allocatorMessages.AddFramework, { ...settingsOf(framework), used: [], active: framework.isActive });
  }

  updateFramework(framework: Framework): void {
    this.#send(allocatorMessages.UpdateFramework, settingsOf(framework));
  }

  removeFramework(frameworkId: FrameworkID): void {
    this.#send(allocatorMessages.RemoveFramework, { frameworkId });
  }

  activateFramework(frameworkId: FrameworkID): void {
    this.#send(allocatorMessages.ActivateFramework, { frameworkId });
  }

  deactivateFramework(frameworkId: FrameworkID): void {
    this.#send(allocatorMessages.DeactivateFramework, { frameworkId });
  }

  /** All about it; whatever the allocator thought of it before is replaced. */
  addAgent(agent: Agent): void {
    this.#send(allocatorMessages.AddAgent, {
      agentId: agent.id,
      agent: agent.info,
      capabilities: agent.capabilities.length === 0 ? agentCapabilities : [...agent.capabilities],
      ...(agent.unavailability === undefined ? undefined : { unavailability: agent.unavailability }),
      total: [...agent.total],
      used: [...agent.holdings()].map(([frameworkId, resources]) => ({ frameworkId, resources: [...resources] })),
    });
    if (!agent.isOffered) this.deactivateAgent(agent.id);
  }

  /** It has another total; what is free of it may be offered at once. */
  updateAgent(agent: Agent): void {
    this.#send(allocatorMessages.UpdateAgent, { agentId: agent.id, agent: agent.info, total: [...agent.total] });
  }

  removeAgent(agentId: AgentID): void {
    this.#send(allocatorMessages.RemoveAgent, { agentId });
  }

  activateAgent(agentId: AgentID): void {
    this.#send(allocatorMessages.ActivateAgent, { agentId });
  }

  deactivateAgent(agentId: AgentID): void {
    this.#send(allocatorMessages.DeactivateAgent, { agentId });
  }

  /** What was on offer to the framework is something else from now on. */
  convertOffered(
    frameworkId: FrameworkID,
    agentId: AgentID,
    offered: Resources,
    conversions: readonly ResourceConversion[],
  ): void {
    const body = { frameworkId, agentId, offered: [...offered], conversions: conversions.map(onWire) };
    this.#send(allocatorMessages.UpdateAllocation, body);
  }

  /** What nobody has becomes something else. READY with what is against it, or undefined if it is done. */
  convertAvailable(agentId: AgentID, conversions: readonly ResourceConversion[]): Future<string | undefined> {
    if (this.#pid === undefined) return Future.ready('the allocator is away: try again');
    const body = { agentId, conversions: conversions.map(onWire) };
    return this.#ports.ask(this.#pid, allocatorMessages.UpdateAvailable, body).map(({ fault }) => fault);
  }

  /** What was on offer is in use. */
  use(frameworkId: FrameworkID, agentId: AgentID, resources: Resources): void {
    this.#send(allocatorMessages.TransitionOfferedToAllocated, { frameworkId, agentId, resources: [...resources] });
  }

  /** What was on offer, and was not used, is free again. */
  recoverOffered(frameworkId: FrameworkID, agentId: AgentID, resources: Resources, filters?: Filters): void {
    if (resources.isEmpty) return;
    this.#send(allocatorMessages.RecoverResources, {
      frameworkId,
      agentId,
      resources: [...resources],
      isAllocated: false,
      ...(filters === undefined ? undefined : { filters }),
    });
  }

  /** What was in use is free again. */
  recoverUsed(frameworkId: FrameworkID, agentId: AgentID, resources: Resources): void {
    if (resources.isEmpty) return;
    const body = { frameworkId, agentId, resources: [...resources], isAllocated: true };
    this.#send(allocatorMessages.RecoverResources, body);
  }

  /** Without an answer: the inverse offer was taken back. */
  answerInverseOffer(
    frameworkId: FrameworkID,
    agentId: AgentID,
    status: 'ACCEPT' | 'DECLINE' | undefined,
    filters?: Filters,
  ): void {
    this.#send(allocatorMessages.UpdateInverseOffer, {
      frameworkId,
      agentId,
      ...(status === undefined ? undefined : { status }),
      ...(filters === undefined ? undefined : { filters }),
    });
  }

  updateUnavailability({ id: agentId, unavailability }: Agent): void {
    const body = unavailability === undefined ? { agentId } : { agentId, unavailability };
    this.#send(allocatorMessages.UpdateUnavailability, body);
  }

  /** How frameworks have answered inverse offers; nothing while the allocator is away. */
  inverseOfferAnswers(): Future<BodyOf<typeof allocatorMessages.GetInverseOfferStatuses.reply>['statuses']> {
    if (this.#pid === undefined) return Future.ready([]);
    return this.#ports.ask(this.#pid, allocatorMessages.GetInverseOfferStatuses, {}).map(({ statuses }) => statuses);
  }

  /** After a failover: no offers until most agents are back. To be told with the rest once it listens. */
  recover(expectedAgents: number): void {
    this.#expectedAgents = expectedAgents;
  }

  suppress(frameworkId: FrameworkID, roles: readonly string[]): void {
    this.#send(allocatorMessages.SuppressOffers, { frameworkId, roles: [...roles] });
  }

  revive(frameworkId: FrameworkID, roles: readonly string[]): void {
    this.#send(allocatorMessages.ReviveOffers, { frameworkId, roles: [...roles] });
  }

  // ---- what the operator decides; it is kept for an allocator that is started again

  setQuota(role: string, quota: Quota): void {
    this.#quotas.set(role, quota);
    this.#send(allocatorMessages.UpdateQuota, { role, quota });
  }

  get quotas(): ReadonlyMap<string, Quota> {
    return this.#quotas;
  }

  /** Those of other roles stay. */
  setWeights(weights: Readonly<Record<string, number>>): void {
    for (const [role, weight] of Object.entries(weights)) this.#weights.set(role, weight);
    const all = [...this.#weights].map(([role, weight]) => ({ role, weight }));
    this.#send(allocatorMessages.UpdateWeights, { weights: all });
  }

  /** Without a list agents on all hosts are offered. */
  setWhitelist(hostnames: readonly string[] | undefined): void {
    this.#whitelist = hostnames;
    const body = hostnames === undefined ? {} : { hostnames: [...hostnames] };
    this.#send(allocatorMessages.UpdateWhitelist, body);
  }

  #send<T>(kind: Message<T>, body: T): void {
    if (this.#pid !== undefined) this.#ports.send(this.#pid, kind, body);
  }
}

function onWire({ consumed, converted, takesEveryCopy }: ResourceConversion) {
  const lists = { consumed: [...consumed], converted: [...converted] };
  return takesEveryCopy === undefined ? lists : { ...lists, takesEveryCopy };
}

function settingsOf({ id, roles, info, suppressed }: Framework) {
  const { capabilities, offerFilters = {}, offerConstraints } = info;
  return {
    frameworkId: id,
    roles: [...roles],
    suppressedRoles: [...suppressed],
    capabilities,
    minAllocatable: offerFilters,
    ...(offerConstraints === undefined ? undefined : { offerConstraints }),
  };
}
