import { type OfferID, type Resource, Resources } from '@mezzo/protocol';
import type { Agent as MasterAgent } from '../../../packages/master/src/agents/agent.ts';
import type { MasterTask } from '../../../packages/master/src/tasks/master-task.ts';
import type { FrameworkRecord } from '../framework-record.ts';
import { type Scene, type SeenMaster, Violation } from '../scene.ts';
import type { Law } from './law.ts';
import { add, type Amounts, difference, excess, same, sumOf, textOf } from './quantities.ts';

/** Milliseconds between two looks at the offers that schedulers have. */
const offersInterval = 5000;
/** Milliseconds after which a scheduler has heard that an offer was taken back, or that it has lost its master. */
const staleLimit = 90_000;

/** What it looked at last: if nothing has changed since, there is nothing to look at. */
interface Seen {
  readonly tasks: number;
  /** Tasks that hold their resources. */
  readonly holding: number;
  readonly offers: number;
  readonly total: Resources;
  /** By the allocator's books: another object after each change. */
  readonly held: Resources | undefined;
}

/**
 * No resource is over-committed: neither in the master's books, nor on the agent, nor among the offers that schedulers have.
 * None is leaked: master and allocator agree at any time about what of each agent is in use or on offer.
 */
export class ResourceUse implements Law {
  looks = 0;
  readonly #scene: Scene;
  readonly #seen = new WeakMap<MasterAgent, Seen>();
  /** Offers that their master has taken back and their scheduler still has, and since when. */
  readonly #stale = new Map<FrameworkRecord, ReadonlyMap<OfferID, number>>();
  #nextOffers = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  settled(nodes: ReadonlySet<string>): void {
    for (const node of nodes) {
      const master = this.#scene.master(node);
      if (master !== undefined) this.#lookAtMaster(master);
      this.#lookAtAgent(node);
    }
    this.#lookAtOffers();
  }

  over(): void {
    for (const record of this.#scene.frameworks) for (const id of this.#takenBack(record)) throw stale(record, id);
  }

  /** What a scheduler has on offer is taken by somebody else once its master has taken it back: it must hear of that. */
  #lookAtOffers(): void {
    const now = this.#scene.world.elapsed;
    if (now < this.#nextOffers) return;
    this.#nextOffers = now + offersInterval;
    for (const record of this.#scene.frameworks) {
      const before = this.#stale.get(record);
      const stales = new Map(this.#takenBack(record).map((id) => [id, before?.get(id) ?? now] as const));
      this.#stale.set(record, stales);
      for (const [id, since] of stales) if (now - since > staleLimit) throw stale(record, id);
    }
  }

  #takenBack(record: FrameworkRecord): readonly OfferID[] {
    const { id } = record;
    if (id === undefined || record.offers.size === 0) return [];
    const known = this.#scene.masters().flatMap(({ context }) => context.frameworks.get(id) ?? []);
    const present = known.find(({ pid }) => pid?.node === record.name);
    if (present === undefined) return [];
    this.looks++;
    return [...record.offers.keys()].filter((offer) => !present.offers.has(offer));
  }

  #lookAtMaster(master: SeenMaster): void {
    const { context, allocator } = master;
    for (const agent of context.agents.values()) {
      const counted = allocator?.agents.get(agent.id);
      let holding = 0;
      for (const task of agent.tasks) if (task.isHolding) holding++;
      const seen: Seen = {
        tasks: agent.tasks.size,
        holding,
        offers: agent.offers.size,
        total: agent.total,
        held: counted?.held,
      };
      const before = this.#seen.get(agent);
      if (before !== undefined && sameSight(before, seen)) continue;
      this.#seen.set(agent, seen);
      this.looks++;
      const sum: Amounts = new Map();
      const held = [...agent.tasks].filter((task) => task.isHolding);
      for (const { resources } of held) add(sum, resources);
      const phantom = sumOf(...held.filter((task) => isPhantom(agent, task)).map(({ resources }) => resources));
      for (const executor of agent.executors) add(sum, executor.resources);
      for (const offer of agent.offers) add(sum, offer.resources);
      const total = sumOf(agent.total);
      const fault = excess(difference(sum, phantom), total);
      if (fault !== undefined)
        throw new Violation(
          `The master on ${master.node} gave away ${fault} of ${agent.info.hostname}: ${holdersOf(agent)}`,
        );
      if (counted === undefined || !agent.isRegistered) continue;
      const allocated = sumOf(counted.held);
      if (!same(allocated, sum))
        throw new Violation(
          `Of ${agent.info.hostname}, ${textOf(allocated)} are held as the allocator on ${master.node} counts, and ${textOf(sum)} as its master does`,
        );
      if (!same(sumOf(counted.total), total))
        throw new Violation(
          `${agent.info.hostname} has ${textOf(sumOf(counted.total))} for the allocator on ${master.node}, and ${textOf(total)} for its master`,
        );
    }
  }

  #lookAtAgent(node: string): void {
    const agent = this.#scene.agent(node);
    if (agent === undefined) return;
    const sum: Amounts = new Map();
    let tasks = 0;
    for (const framework of agent['frameworks'].all()) {
      for (const task of framework.tasks.values()) {
        if (!task.isActive) continue;
        add(sum, resourcesOf(task.info.resources));
        tasks++;
      }
    }
    if (tasks === 0) return;
    this.looks++;
    const fault = excess(sum, sumOf(agent['total']));
    if (fault !== undefined) throw new Violation(`The tasks on ${node} use ${fault}`);
  }
}

const parsed = new WeakMap<object, Resources>();

function resourcesOf(given: readonly Resource[]): Resources {
  let resources = parsed.get(given);
  if (resources === undefined) parsed.set(given, (resources = Resources.of(given)));
  return resources;
}

function sameSight(one: Seen, other: Seen): boolean {
  return (
    one.tasks === other.tasks &&
    one.holding === other.holding &&
    one.offers === other.offers &&
    one.total === other.total &&
    one.held === other.held
  );
}

function stale(record: FrameworkRecord, id: OfferID): Violation {
  return new Violation(`Framework ${record.name} has offer ${id}, which its master has taken back`);
}

/**
 * A task that never began, of a reservation that its agent never made: both were lost on their way, and the agent has said what
 * it has, and is being asked for the task.
 */
function isPhantom(agent: MasterAgent, { state, resources }: MasterTask): boolean {
  return state === 'TASK_STAGING' && !agent.total.contains(resources.unallocate());
}

function holdersOf({ tasks, offers }: MasterAgent): string {
  return [
    ...[...tasks].filter((task) => task.isHolding).map(({ id, state }) => `task ${id} (${state})`),
    ...[...offers].map(({ id }) => `offer ${id}`),
  ].join(', ');
}
