import type { PID, Timer } from '@mezzo/process';
import {
  type FrameworkID,
  type FrameworkInfo,
  frameworkLifecycle,
  type FrameworkState,
  type OfferID,
  Resources,
  type TaskID,
} from '@mezzo/protocol';
import { History } from '../history.ts';
import type { MasterOffer } from '../offers/master-offer.ts';
import type { ResolvedOptions } from '../options.ts';
import type { MasterTask } from '../tasks/master-task.ts';

/** A framework as the master sees it. */
export class Framework {
  readonly id: FrameworkID;
  readonly tasks = new Map<TaskID, MasterTask>();
  readonly unreachableTasks: History<TaskID, MasterTask>;
  readonly completedTasks: History<TaskID, MasterTask>;
  readonly offers = new Map<OfferID, MasterOffer>();
  /** Roles for which it wants no offers. */
  readonly suppressed = new Set<string>();
  state: FrameworkState = frameworkLifecycle.initial;
  /** Its scheduler, while that is connected. */
  pid: PID | undefined;
  registeredAt: number;
  reregisteredAt: number | undefined;
  unregisteredAt: number | undefined;
  failoverTimer: Timer | undefined;
  #info: FrameworkInfo;
  #capabilities: ReadonlySet<string>;

  constructor(id: FrameworkID, info: FrameworkInfo, now: number, options: ResolvedOptions) {
    this.id = id;
    this.registeredAt = now;
    this.unreachableTasks = new History(options.maxUnreachableTasksPerFramework);
    this.completedTasks = new History(options.maxCompletedTasksPerFramework);
    this.#info = info;
    this.#capabilities = new Set(info.capabilities);
  }

  /** With its id. */
  get info(): FrameworkInfo {
    return this.#info;
  }

  set info(info: FrameworkInfo) {
    this.#info = info;
    this.#capabilities = new Set(info.capabilities);
  }

  has(capability: string): boolean {
    return this.#capabilities.has(capability);
  }

  get isConnected(): boolean {
    return this.state === 'connected';
  }

  /** Whether it gets offers. */
  get isActive(): boolean {
    return this.isConnected;
  }

  /** The roles it may be offered resources for. */
  get roles(): readonly string[] {
    return this.#info.roles;
  }

  get used(): Resources {
    return Resources.sum([...this.tasks.values()].filter((task) => task.isHolding).map((task) => task.resources));
  }

  get offered(): Resources {
    return Resources.sum([...this.offers.values()].map((offer) => offer.resources));
  }
}
