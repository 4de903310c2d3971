import type { BodyOf, PID, Timer } from '@mezzo/process';
import {
  agentAtMaster,
  type AgentAtMasterState,
  type AgentID,
  type AgentInfo,
  type agentMessages,
  type AgentOperation,
  type FrameworkID,
  needsCheckpoint,
  type OperationUUID,
  type ResourceConversion,
  Resources,
  schedulingLifecycle,
  type SchedulingState,
  unallocatedConversion,
  type Unavailability,
  withCheckpointed,
} from '@mezzo/protocol';
import type { MasterOffer } from '../offers/master-offer.ts';
import type { MasterOperation } from '../operations/master-operation.ts';
import type { MasterTask } from '../tasks/master-task.ts';
import { AgentExecutors, type MasterExecutor } from './agent-executors.ts';
import type { AgentObserver } from './agent-observer.ts';

/** What an agent says of itself when it registers. */
export type Introduction = Pick<
  BodyOf<typeof agentMessages.ReregisterAgent>,
  'agent' | 'version' | 'capabilities' | 'checkpointedResources' | 'operations'
>;

/** An agent as the master sees it. */
export class Agent {
  readonly id: AgentID;
  readonly tasks = new Set<MasterTask>();
  readonly offers = new Set<MasterOffer>();
  readonly executors = new AgentExecutors();
  readonly operations = new Map<OperationUUID, MasterOperation>();
  /** What has not come to pass and still counts, because what was made of it does; oldest first. */
  readonly unsettled: AgentOperation[] = [];
  state: AgentAtMasterState = agentAtMaster.initial;
  /** What operators want of it. */
  scheduling: SchedulingState = schedulingLifecycle.initial;
  /** It is drained, and that is being stored. */
  isStoringDrained = false;
  /** Of nobody while it has not come back to this master. */
  pid: PID;
  version = '';
  registeredAt: number;
  reregisteredAt: number | undefined;
  unreachableAt: number | undefined;
  /** When its machine will be away. */
  unavailability: Unavailability | undefined;
  observer: AgentObserver | undefined;
  reregisterTimer: Timer | undefined;
  #info: AgentInfo | undefined;
  #capabilities: ReadonlySet<string> = new Set();
  #total = Resources.empty;
  #held = Resources.empty;

  constructor(id: AgentID, pid: PID, now: number) {
    this.id = id;
    this.pid = pid;
    this.registeredAt = now;
  }

  /** What it said last of itself. */
  get info(): AgentInfo {
    if (this.#info === undefined) throw new Error(`Agent ${this.id} has not introduced itself`);
    return this.#info;
  }

  /** Throws ResourceConversionError if it cannot have what it remembers; `agentFault` tells before. */
  introduce({ agent, version, checkpointedResources = [], capabilities = [] }: Introduction): void {
    this.version = version;
    this.#total = withCheckpointed(Resources.of(agent.resources), checkpointedResources);
    this.unsettled.length = 0;
    this.#info = agent;
    this.#capabilities = new Set(capabilities);
  }

  /** Mesos's names, such as RESIZE_VOLUME. */
  get capabilities(): readonly string[] {
    return [...this.#capabilities];
  }

  has(capability: string): boolean {
    return this.#capabilities.has(capability);
  }

  /** Dynamic reservations and persistent volumes. */
  get checkpointed(): Resources {
    return this.#total.filter(needsCheckpoint);
  }

  /** Something of its total becomes something else, in this order, all or nothing. Throws ResourceConversionError. */
  convert(...conversions: readonly ResourceConversion[]): void {
    let total = this.#total;
    for (const conversion of conversions) total = total.apply(unallocatedConversion(conversion));
    this.#total = total;
  }

  get total(): Resources {
    return this.#total;
  }

  /** What may be used of it as long as its owners do not, in place of what was told before. */
  oversubscribe(revocable: Resources): void {
    this.#total = this.#total.nonRevocable().plus(revocable);
  }

  get isConnected(): boolean {
    return this.state === 'registered.connected';
  }

  get isRegistered(): boolean {
    return this.state.startsWith('registered.');
  }

  /** Whether the allocator may offer it. */
  get isOffered(): boolean {
    return this.isConnected && this.scheduling === 'active';
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

  addExecutor(executor: MasterExecutor): void {
    this.executors.add(executor);
    this.hold(executor.resources);
  }

  removeExecutor(executor: MasterExecutor): void {
    this.executors.delete(executor);
    this.release(executor.resources);
  }

  /** Forgets its tasks, executors, operations and offers. */
  clear(): void {
    this.tasks.clear();
    this.offers.clear();
    this.executors.clear();
    this.operations.clear();
    this.#held = Resources.empty;
  }

  /** By tasks and executors. */
  get used(): Resources {
    const tasks = [...this.tasks].filter((task) => task.isHolding);
    return Resources.sum([...tasks, ...this.executors].map(({ resources }) => resources));
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
    for (const { frameworkId, resources } of this.executors) add(frameworkId, resources);
    for (const offer of this.offers) add(offer.frameworkId, offer.resources);
    return holdings;
  }
}
