import type { Message, PID, Timer } from '@mezzo/process';
import { type AgentID, allocatorMessages, type Filters, type FrameworkID, type Resources } from '@mezzo/protocol';
import type { Agent } from './agents/agent.ts';
import type { Framework } from './frameworks/framework.ts';
import type { ResolvedOptions } from './options.ts';

export interface AllocatorClientOptions {
  /** Bare, so that an allocator that was started again is found under it. */
  readonly address: PID;
  readonly options: ResolvedOptions;
  readonly frameworks: ReadonlyMap<FrameworkID, Framework>;
  readonly agents: ReadonlyMap<AgentID, Agent>;
  send<T>(to: PID, kind: Message<T>, body: T): void;
  link(to: PID): void;
  delay(milliseconds: number, call: () => void): Timer;
}

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

  constructor(ports: AllocatorClientOptions) {
    this.#ports = ports;
  }

  get isReady(): boolean {
    return this.#pid !== undefined;
  }

  connect(): void {
    const { address, options } = this.#ports;
    this.#ports.link(address);
    this.#ports.send(address, allocatorMessages.InitializeAllocator, {
      allocationInterval: options.allocationInterval,
      minAllocatable: [...options.minAllocatable],
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
    if (!this.is(from)) return;
    this.#pid = from;
    const weights = Object.entries(this.#ports.options.weights).map(([role, weight]) => ({ role, weight }));
    if (weights.length > 0) this.#send(allocatorMessages.UpdateWeights, { weights });
    for (const framework of this.#ports.frameworks.values()) this.addFramework(framework);
    for (const agent of this.#ports.agents.values()) this.addAgent(agent);
  }

  /** True for the allocator that was told the state. */
  trusts(from: PID): boolean {
    return this.#pid?.equals(from) === true;
  }

  addFramework(framework: Framework): void {
    const { id, roles, info, isActive, suppressed } = framework;
    // What it holds already comes with the agents.
    this.#send(allocatorMessages.AddFramework, {
      frameworkId: id,
      roles: [...roles],
      capabilities: info.capabilities,
      used: [],
      active: isActive,
    });
    if (suppressed.size > 0) this.suppress(id, [...suppressed]);
  }

  updateFramework({ id, roles, info }: Framework): void {
    this.#send(allocatorMessages.UpdateFramework, {
      frameworkId: id,
      roles: [...roles],
      capabilities: info.capabilities,
    });
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
      total: [...agent.total],
      used: [...agent.holdings()].map(([frameworkId, resources]) => ({ frameworkId, resources: [...resources] })),
    });
    if (!agent.isConnected) this.deactivateAgent(agent.id);
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

  recover(frameworkId: FrameworkID, agentId: AgentID, resources: Resources, filters?: Filters): void {
    if (resources.isEmpty) return;
    this.#send(allocatorMessages.RecoverResources, {
      frameworkId,
      agentId,
      resources: [...resources],
      ...(filters === undefined ? undefined : { filters }),
    });
  }

  suppress(frameworkId: FrameworkID, roles: readonly string[]): void {
    this.#send(allocatorMessages.SuppressOffers, { frameworkId, roles: [...roles] });
  }

  revive(frameworkId: FrameworkID, roles: readonly string[]): void {
    this.#send(allocatorMessages.ReviveOffers, { frameworkId, roles: [...roles] });
  }

  #send<T>(kind: Message<T>, body: T): void {
    if (this.#pid !== undefined) this.#ports.send(this.#pid, kind, body);
  }
}
