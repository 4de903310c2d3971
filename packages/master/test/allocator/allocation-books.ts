import { expect } from 'chai';
import { type ResourceConversion, type ResourceLimits, ResourceQuantities, Resources } from '@mezzo/protocol';
import { type AllocatedEntry, textOf } from './allocated-entry.ts';

/** What a framework holds of an agent in a role. */
export interface Held {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  readonly resources: Resources;
  /** Launched, not only on offer. */
  readonly isUsed: boolean;
}

export interface BookedFramework {
  roles: ReadonlySet<string>;
  suppressed: Set<string>;
  isActive: boolean;
  readonly takesRevocable: boolean;
  readonly takesShared: boolean;
  readonly takesRefined: boolean;
  /** All together, as it tells them. */
  readonly capabilities: readonly string[];
}

interface BookedAgent {
  total: Resources;
  isActive: boolean;
}

interface BookedFilter {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  readonly refused: Resources;
  /** Milliseconds. */
  readonly until: number;
}

interface BookedQuota {
  readonly guarantees: ResourceQuantities;
  readonly limits: ResourceLimits;
}

/**
 * A master's books of who has what and who wants what, from what it told the allocator and what that gave. What is given
 * is entered by `enter`, which throws when that breaks a law.
 */
export class AllocationBooks {
  readonly frameworks = new Map<string, BookedFramework>();
  readonly agents = new Map<string, BookedAgent>();
  readonly quotas = new Map<string, BookedQuota>();
  held: Held[] = [];
  filters: BookedFilter[] = [];
  whitelist: readonly string[] | undefined;
  /** Milliseconds. */
  now = 0;

  /** All that one run gave. */
  enter(entries: readonly AllocatedEntry[]): void {
    const batch = entries.map((entry) => ({ ...entry, resources: Resources.parse(entry.resources), isUsed: false }));
    for (const given of batch) {
      this.#mayBeOffered(given);
      this.held.push(given);
    }
    onceShared(batch);
    this.#withinLimits(batch);
    this.#guaranteedFirst(batch);
    this.#headroomKept(batch);
  }

  /** To be asked when a run over all agents has given nothing: then nobody may have been passed over. */
  nobodyMissesAnything(): void {
    const isOvercommitted = [...this.agents].some(([id, { total }]) => !total.contains(this.heldOf(id)));
    const hasQuotas = [...this.quotas.values()].some(
      ({ guarantees, limits }) => !guarantees.isEmpty || !limits.isEmpty,
    );
    const [free, missing] = [this.#free, this.#missing];
    for (const [agent, { isActive }] of this.agents) {
      if (!isActive || this.whitelist?.includes(agent) === false) continue;
      for (const [id, framework] of this.frameworks) {
        for (const role of framework.roles) {
          const usable = usableBy(framework, this.freeOf(agent).allocatableTo(role));
          // With quotas it may have been a part that was refused.
          if (!this.#isWilling(id, role, agent, hasQuotas ? undefined : usable)) continue;
          const counted = usable.unreserved().nonRevocable().scalarsOnly();
          const isLimited = (name: string): boolean => this.quotas.get(role)?.limits.get(name) !== undefined;
          const isMissed = (name: string): boolean =>
            !isOvercommitted && !isLimited(name) && free.get(name) > missing.get(name);
          if (usable.minus(counted).isEmpty && !counted.names().some(isMissed)) continue;
          throw new Error(`${id} was not given ${textOf(usable)} of ${agent} for ${role} at ${this.now} ms`);
        }
      }
    }
  }

  /** Sums of the allocator's are the same. */
  agree(metrics: ReadonlyMap<string, number>): void {
    const { total, allHeld } = this;
    for (const name of ['cpus', 'mem', 'disk']) {
      const metric = (what: string): number | undefined => metrics.get(`allocator/mesos/resources/${name}/${what}`);
      expect(metric('total'), `${name} in total`).to.equal(total.get(name));
      expect(metric('offered_or_allocated'), `${name} offered or allocated`).to.equal(allHeld.get(name));
    }
    for (const [role, { guarantees, limits }] of this.quotas) {
      const [had, used] = [this.consumedBy(role), this.consumedBy(role, ({ isUsed }) => isUsed)];
      for (const name of new Set([...guarantees.names, ...limits.names])) {
        const metric = (what: string): number | undefined =>
          metrics.get(`allocator/mesos/quota/roles/${role}/resources/${name}/${what}`);
        expect(metric('offered_or_allocated'), `${name} that ${role} was given`).to.equal(had.get(name));
        expect(metric('consumed'), `${name} that ${role} uses`).to.equal(used.get(name));
      }
    }
    expect(metrics.get('allocator/mesos/ignored_messages')).to.equal(0);
  }

  // ---- sums

  heldOf(agent: string): Resources {
    return Resources.sum(this.held.filter((one) => one.agent === agent).map(({ resources }) => resources));
  }

  /** Of what is shared there is always another copy. */
  freeOf(agent: string): Resources {
    const total = this.totalOf(agent);
    return total.nonShared().minus(this.heldOf(agent)).plus(total.shared());
  }

  totalOf(agent: string): Resources {
    return this.agents.get(agent)?.total ?? Resources.empty;
  }

  get total(): ResourceQuantities {
    return sum([...this.agents.values()].map(({ total }) => total.quantities));
  }

  get allHeld(): ResourceQuantities {
    const agents = new Set(this.held.map(({ agent }) => agent));
    return sum([...agents].map((agent) => this.heldOf(agent).quantities));
  }

  /** What counts against the quota of a role. */
  consumedBy(role: string, isCounted: (one: Held) => boolean = () => true): ResourceQuantities {
    const holdings = this.held.filter((one) => isBelow(one.role, role) && isCounted(one));
    const reservations = [...this.agents.values()].map(({ total }) =>
      total.filter(({ reservations: stack }) => isBelow(stack?.at(-1)?.role ?? '', role)),
    );
    return sum([
      ...holdings.map(({ resources }) => countedByQuota(resources)),
      ...reservations.map(({ quantities }) => quantities),
    ]);
  }

  // ---- changes

  forget(which: (one: { readonly framework: string; readonly role: string; readonly agent: string }) => boolean): void {
    this.held = this.held.filter((one) => !which(one));
    this.filters = this.filters.filter((one) => !which(one));
  }

  forgetFilters(which: (one: BookedFilter) => boolean): void {
    this.filters = this.filters.filter((one) => !which(one));
  }

  replace(one: Held, ...others: readonly Held[]): void {
    this.held = [
      ...this.held.filter((other) => other !== one),
      ...others.filter(({ resources }) => !resources.isEmpty),
    ];
  }

  refuse({ framework, role, agent, resources }: Held, seconds: number, interval: number): void {
    if (seconds === 0 || resources.isEmpty || this.frameworks.get(framework)?.roles.has(role) !== true) return;
    const until = this.now + Math.max(interval, seconds * 1000);
    this.filters.push({ framework, role, agent, refused: resources, until });
  }

  convertTotal(agent: string, conversions: readonly ResourceConversion[]): void {
    const booked = this.agents.get(agent);
    for (const conversion of conversions) if (booked !== undefined) booked.total = booked.total.apply(conversion);
  }

  // ---- laws

  #mayBeOffered(given: Held): void {
    const { framework: id, role, agent: agentId, resources } = given;
    const framework = this.frameworks.get(id);
    const agent = this.agents.get(agentId);
    const broken = (law: string): Error => new Error(`${describe(given)} at ${this.now} ms: ${law}`);
    if (resources.isEmpty) throw broken('nothing is no offer');
    if (framework === undefined) throw broken('there is no such framework');
    if (!framework.roles.has(role)) throw broken('the framework is not in the role');
    if (!framework.isActive) throw broken('the framework is not active');
    if (framework.suppressed.has(role)) throw broken('the role is suppressed');
    if (agent === undefined) throw broken('there is no such agent');
    if (!agent.isActive) throw broken('the agent is deactivated');
    if (this.whitelist?.includes(agentId) === false) throw broken('the agent is not whitelisted');
    const free = this.freeOf(agentId);
    if (!free.contains(resources)) throw broken(`only ${textOf(free)} is free, of ${textOf(agent.total)}`);
    if (!resources.allocatableTo(role).equals(resources)) throw broken('it is reserved to somebody else');
    const usable = usableBy(framework, resources);
    if (!usable.equals(resources)) throw broken(`the framework takes no more of its kind than ${textOf(usable)}`);
    const filter = this.filters.find(
      (one) => this.now < one.until && isSame(one, given) && one.refused.contains(resources),
    );
    if (filter !== undefined) throw broken(`${textOf(filter.refused)} is refused until ${filter.until} ms`);
  }

  /** Only who was given something of a name must be within its limit then; limits may be set to less than what is had. */
  #withinLimits(batch: readonly Held[]): void {
    for (const [role, { limits }] of this.quotas) {
      const own = batch.filter((one) => one.role === role);
      // The roles below are not limited by it, and may have been given something after it.
      const consumed = this.consumedBy(role, (one) => one.role === role || !batch.includes(one));
      for (const name of sum(own.map(({ resources }) => countedByQuota(resources))).names) {
        const limit = limits.get(name);
        if (limit !== undefined && consumed.get(name) > limit)
          throw new Error(`${role} has ${consumed.get(name)} ${name}, more than its limit of ${limit}: ${list(own)}`);
      }
    }
  }

  /** Nobody without guarantees gets, of an agent, what a framework of a guaranteed role would have taken there. */
  #guaranteedFirst(batch: readonly Held[]): void {
    for (const [role, { guarantees }] of this.quotas) {
      const missing = guarantees.minus(this.consumedBy(role));
      for (const one of batch) {
        if (one.role === role || !(this.quotas.get(one.role)?.guarantees.isEmpty ?? true)) continue;
        const name = countedByQuota(one.resources).names.find((candidate) => missing.get(candidate) > 0);
        if (name === undefined || !this.#isWanted(role, one.agent)) continue;
        throw new Error(`${describe(one)}, though ${role} lacks ${missing.get(name)} ${name} of its guarantee`);
      }
    }
  }

  #isWanted(role: string, agent: string): boolean {
    return [...this.frameworks.keys()].some((id) => this.#isWilling(id, role, agent));
  }

  /** It would take these resources of the agent, or anything. */
  #isWilling(id: string, role: string, agent: string, resources?: Resources): boolean {
    const framework = this.frameworks.get(id);
    if (framework === undefined || !framework.isActive) return false;
    if (!framework.roles.has(role) || framework.suppressed.has(role)) return false;
    const client = { framework: id, role, agent };
    // In the moment when it expires a filter may still be there.
    return !this.filters.some(
      (filter) =>
        filter.until >= this.now &&
        isSame(filter, client) &&
        (resources === undefined || filter.refused.contains(resources)),
    );
  }

  /** What is shared and held by somebody is not free for what is guaranteed, though there are more copies. */
  get #free(): ResourceQuantities {
    const plain = (agent: string): Resources => this.totalOf(agent).minus(this.heldOf(agent));
    return sum([...this.agents.keys()].map((agent) => countedByQuota(plain(agent))));
  }

  /** Guaranteed to somebody who does not have it. */
  get #missing(): ResourceQuantities {
    return sum([...this.quotas].map(([role, { guarantees }]) => guarantees.minus(this.consumedBy(role))));
  }

  /** After something was given that was not guaranteed, there is enough left for all that is. */
  #headroomKept(batch: readonly Held[]): void {
    const [free, missing] = [this.#free, this.#missing];
    for (const one of batch) {
      for (const name of countedByQuota(one.resources).names) {
        if ((this.quotas.get(one.role)?.guarantees.get(name) ?? 0) > 0 || free.get(name) >= missing.get(name)) continue;
        throw new Error(`${describe(one)}, though ${missing.get(name)} ${name} are guaranteed, ${free.get(name)} free`);
      }
    }
  }
}

/** What of it the framework knows how to handle. */
function usableBy(framework: BookedFramework, resources: Resources): Resources {
  const { takesRevocable, takesShared, takesRefined } = framework;
  return resources.filter(
    ({ revocable, shared, reservations = [] }) =>
      (takesRevocable || revocable !== true) &&
      (takesShared || shared !== true) &&
      (takesRefined || reservations.length < 2),
  );
}

/** In one run what is shared goes to one framework, in one copy. */
function onceShared(batch: readonly Held[]): void {
  for (const agent of new Set(batch.map((one) => one.agent))) {
    const own = batch.filter((one) => one.agent === agent && one.resources.hasShared);
    const copies = own.flatMap(({ resources }) => [...resources.shared()].map((one) => JSON.stringify(one)));
    if (new Set(copies).size < copies.length) throw new Error(`A volume of ${agent} was given twice: ${list(own)}`);
  }
}

export function describe({ framework, role, agent, resources }: Held): string {
  return `${framework} was given ${textOf(resources)} of ${agent} for ${role}`;
}

function list(batch: readonly Held[]): string {
  return batch.map(describe).join('; ');
}

function isSame(
  one: { readonly framework: string; readonly role: string; readonly agent: string },
  other: { readonly framework: string; readonly role: string; readonly agent: string },
): boolean {
  return one.framework === other.framework && one.role === other.role && one.agent === other.agent;
}

/** The role itself, or one below it. */
function isBelow(role: string, ancestor: string): boolean {
  return role === ancestor || role.startsWith(`${ancestor}/`);
}

function countedByQuota(resources: Resources): ResourceQuantities {
  return resources.unreserved().nonRevocable().quantities;
}

function sum(all: readonly ResourceQuantities[]): ResourceQuantities {
  return all.reduce((one, other) => one.plus(other), ResourceQuantities.empty);
}
