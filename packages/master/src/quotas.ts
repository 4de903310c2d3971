import {
  type Quota,
  reservationRole,
  ResourceLimits,
  ResourceQuantities,
  type Resources,
  type ResourcesParseError,
} from '@mezzo/protocol';
import type { MasterContext } from './master-context.ts';
import type { MasterOffer } from './offers/master-offer.ts';
import type { Offers } from './offers/offers.ts';
import { judgeQuotas, type QuotaText } from './validation/quota.ts';

type Amounts = Map<string, ResourceQuantities>;

/** What roles are guaranteed and may have at most, seen with what they have. */
export class Quotas {
  readonly #context: MasterContext;
  readonly #offers: Offers;

  constructor(context: MasterContext, offers: Offers) {
    this.#context = context;
    this.#offers = offers;
  }

  /** Of the roles that have one. */
  get present(): ReadonlyMap<string, Quota> {
    const isSet = ({ guarantees, limits }: Quota): boolean => Object.keys({ ...guarantees, ...limits }).length > 0;
    return new Map([...this.#context.allocator.quotas].filter(([, quota]) => isSet(quota)));
  }

  judge(
    given: Readonly<Record<string, QuotaText>>,
    isForced: boolean,
  ): ReadonlyMap<string, Quota> | RangeError | ResourcesParseError {
    const { agents, options } = this.#context;
    let total = ResourceQuantities.empty;
    for (const agent of agents.values()) total = total.plus(agent.total.nonRevocable().quantities);
    const consumed = this.#consumed();
    return judgeQuotas(given, { present: this.present, total, consumed, roles: options.roles, isForced });
  }

  /**
   * Tells the allocator, and rescinds what is in the way: offers to these roles above their limits, and as many to others
   * as it takes to meet guarantees.
   */
  enforce(quotas: ReadonlyMap<string, Quota>): void {
    const { allocator, offers } = this.#context;
    // The allocator knows before it gets back what is rescinded.
    for (const [role, quota] of quotas) allocator.setQuota(role, quota);
    const held = this.#consumed();
    for (const offer of offers.values()) add(held, topRole(offer.role), countedOf(offer));
    for (const [role, { limits }] of quotas) this.#keepWithin(role, ResourceLimits.of(limits), held);
    const isMissing = [...quotas].some(([role, { guarantees }]) => !missing(held, role, guarantees).isEmpty);
    if (isMissing) this.#makeRoom(held);
  }

  #keepWithin(role: string, limits: ResourceLimits, held: Amounts): void {
    for (const offer of [...this.#context.offers.values()]) {
      // The allocator does not limit the roles below it, so taking back from them would be in vain.
      if (offer.role !== role) continue;
      const amounts = amountOf(held, role);
      const isAbove = (name: string): boolean => amounts.thousandths(name) > (limits.thousandths(name) ?? Infinity);
      if (countedOf(offer).names.some(isAbove)) this.#takeBack(offer, held);
    }
  }

  /** For all guarantees: what is free is wanted by those of before too. */
  #makeRoom(held: Amounts): void {
    const { agents, offers } = this.#context;
    const quotas = this.present;
    let wanted = ResourceQuantities.empty;
    for (const [role, { guarantees }] of quotas) wanted = wanted.plus(missing(held, role, guarantees));
    for (const agent of agents.values()) if (agent.isOffered) wanted = wanted.minus(counted(agent.free));
    for (const offer of [...offers.values()]) {
      if (wanted.isEmpty) return;
      const role = topRole(offer.role);
      const guaranteed = ResourceQuantities.of(quotas.get(role)?.guarantees ?? {});
      const surplus = amountOf(held, role).minus(guaranteed);
      const offered = countedOf(offer);
      // What its role is guaranteed would only have to be given to it again.
      const useful = offered.minus(offered.minus(surplus));
      if (!overlaps(useful, wanted)) continue;
      wanted = wanted.minus(useful);
      this.#takeBack(offer, held);
    }
  }

  #takeBack(offer: MasterOffer, held: Amounts): void {
    const role = topRole(offer.role);
    held.set(role, amountOf(held, role).minus(countedOf(offer)));
    this.#offers.rescind(offer);
  }

  /** What is reserved for each role, or unreserved and in its use; with the roles below it. */
  #consumed(): Amounts {
    const consumed: Amounts = new Map();
    for (const agent of this.#context.agents.values()) {
      const reserved = agent.total.reserved();
      for (const role of new Set([...reserved].map(reservationRole)))
        add(consumed, topRole(role), reserved.reserved(role).quantities);
      for (const [role, used] of agent.used.allocations()) add(consumed, topRole(role), counted(used));
    }
    return consumed;
  }
}

function add(amounts: Amounts, role: string, more: ResourceQuantities): void {
  amounts.set(role, amountOf(amounts, role).plus(more));
}

function amountOf(amounts: Amounts, role: string): ResourceQuantities {
  return amounts.get(role) ?? ResourceQuantities.empty;
}

function missing(held: Amounts, role: string, guarantees: Quota['guarantees']): ResourceQuantities {
  return ResourceQuantities.of(guarantees).minus(amountOf(held, role));
}

/** What counts against quotas beside reservations, which count whether they are in use or not. */
function counted(resources: Resources): ResourceQuantities {
  return resources.unreserved().nonRevocable().quantities;
}

function countedOf({ resources }: MasterOffer): ResourceQuantities {
  return counted(resources);
}

function overlaps(some: ResourceQuantities, others: ResourceQuantities): boolean {
  return some.names.some((name) => others.thousandths(name) > 0);
}

/** Only roles that lie below no other have quotas. */
function topRole(role: string): string {
  return role.split('/', 1)[0] ?? role;
}
