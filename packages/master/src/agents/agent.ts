import type { PID, Timer } from '@mezzo/process';
import {
  agentAtMaster,
  type AgentAtMasterState,
  type AgentID,
  type AgentInfo,
  type FrameworkID,
  Resources,
} from '@mezzo/protocol';
import type { MasterOffer } from '../offers/master-offer.ts';
import type { MasterTask } from '../tasks/master-task.ts';
import type { AgentObserver } from './agent-observer.ts';

/** An agent as the master sees it. */
export class Agent {
  readonly id: AgentID;
  readonly tasks = new Set<MasterTask>();
  readonly offers = new Set<MasterOffer>();
  state: AgentAtMasterState = agentAtMaster.initial;
  pid: PID;
  version: string;
  registeredAt: number;
  reregisteredAt: number | undefined;
  unreachableAt: number | undefined;
  observer: AgentObserver | undefined;
  reregisterTimer: Timer | undefined;
  #info: AgentInfo;
  #total: Resources;
  #held = Resources.empty;

  constructor(id: AgentID, info: AgentInfo, version: string, pid: PID, now: number) {
    this.id = id;
    this.#info = info;
    this.#total = Resources.of(info.resources);
    this.version = version;
    this.pid = pid;
    this.registeredAt = now;
  }

  get info(): AgentInfo {
    return this.#info;
  }

  set info(info: AgentInfo) {
    this.#info = info;
    this.#total = Resources.of(info.resources);
  }

  get total(): Resources {
    return this.#total;
  }

  get isConnected(): boolean {
    return this.state === 'registered.connected';
  }

  get isRegistered(): boolean {
    return this.state.startsWith('registered.');
  }

  /** What is neither used nor offered, and shared resources always. */
  get free(): Resources {
    if (!this.#total.hasShared) return this.#total.minus(this.#held);
    return this.#total.nonShared().minus(this.#held.nonShared()).plus(this.#total.shared());
  }

  /** Something of it is offered or used from now on. */
  hold(resources: Resources): void {
    this.#held = this.#held.plus(resources.unallocate());
  }

  release(resources: Resources): void {
    this.#held = this.#held.minus(resources.unallocate());
  }

  /** Forgets its tasks and offers. */
  clear(): void {
    this.tasks.clear();
    this.offers.clear();
    this.#held = Resources.empty;
  }

  get used(): Resources {
    return Resources.sum([...this.tasks].filter((task) => task.isHolding).map((task) => task.resources));
  }

  get offered(): Resources {
    return Resources.sum([...this.offers].map((offer) => offer.resources));
  }

  /** What each framework has of it, in use or on offer. */
  holdings(): ReadonlyMap<FrameworkID, Resources> {
    const holdings = new Map<FrameworkID, Resources>();
    const add = (id: FrameworkID, resources: Resources): void => {
      holdings.set(id, (holdings.get(id) ?? Resources.empty).plus(resources));
    };
    for (const task of this.tasks) if (task.isHolding) add(task.frameworkId, task.resources);
    for (const offer of this.offers) add(offer.frameworkId, offer.resources);
    return holdings;
  }
}
