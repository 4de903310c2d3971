import type { AnswerHandler, BodyOf, Message, PID, Request } from '@mezzo/process';
import { HierarchicalAllocator } from '@mezzo/master';
import { AgentID, allocatorMessages as messages, Resources } from '@mezzo/protocol';

type Allocated = BodyOf<typeof messages.Allocated>;
type Allocation = Allocated['allocations'][number];

/** Between the shipping allocator and its master: what it hears, and what it says, is changed on the way. */
interface Tampering {
  /** Bodies to hear instead of one; none: it does not hear it. */
  readonly hears?: (kind: string, body: unknown) => readonly unknown[];
  /** What is said instead of an allocation. */
  readonly says?: (body: Allocated) => readonly unknown[];
  /** Takes anybody for its master. */
  readonly trustsAnybody?: true;
}

class Tampered extends HierarchicalAllocator {
  readonly #tampering: Tampering;
  #master: PID | undefined;

  constructor(tampering: Tampering) {
    super();
    this.#tampering = tampering;
  }

  protected override install<T>(kind: Message<T>, handler: (body: T, from: PID) => unknown): void {
    const { hears, trustsAnybody } = this.#tampering;
    super.install(kind, (body, sender) => {
      if (kind.name === messages.InitializeAllocator.name) this.#master = sender;
      const from = trustsAnybody === true ? (this.#master ?? sender) : sender;
      // The bodies are of this kind: the tampering knows it by its name.
      for (const heard of hears?.(kind.name, body) ?? [body]) handler(heard as T, from);
    });
  }

  protected override answer<Q, A>(kind: Request<Q, A>, handler: AnswerHandler<Q, A>): void {
    if (this.#tampering.hears?.(kind.name, undefined).length !== 0) super.answer(kind, handler);
  }

  protected override send<T>(to: PID, kind: Message<T>, ...body: [T] extends [void] ? [] : [T]): boolean {
    const { says } = this.#tampering;
    if (says === undefined || kind.name !== messages.Allocated.name) return super.send(to, kind, ...body);
    for (const said of says(body[0] as Allocated)) super.send(to, messages.Allocated, said as Allocated);
    return true;
  }
}

/** An allocator that changes each of its allocations in the same way. */
function changing(change: (allocation: Allocation) => Partial<Record<keyof Allocation, unknown>>): Tampering {
  return {
    says: ({ frameworkId, allocations }) => [
      { frameworkId, allocations: allocations.map((allocation) => ({ ...allocation, ...change(allocation) })) },
    ],
  };
}

/** An allocator that does not hear messages of these kinds. */
function deafTo(...kinds: readonly { readonly name: string }[]): Tampering {
  const names = new Set(kinds.map(({ name }) => name));
  return { hears: (kind, body) => (names.has(kind) ? [] : [body]) };
}

/** An allocator that misunderstands messages of one kind. */
function mishearing<T>({ name }: Message<T>, heard: (body: T) => unknown): Tampering {
  return { hears: (kind, body) => [kind === name ? heard(body as T) : body] };
}

const doubled = ({ resources, role }: Allocation): Resources => {
  const all = Resources.of(resources);
  return all.plus(Resources.parse('cpus:0.001').allocate(role));
};

/** An allocator that crashes over the second agent. */
function throwing(): Tampering {
  let agents = 0;
  return mishearing(messages.AddAgent, (body) => {
    if (++agents === 2) throw new Error('one agent is enough');
    return body;
  });
}

export interface BrokenAllocator {
  readonly name: string;
  readonly create: () => HierarchicalAllocator;
  /** Words of the titles of tests that must find it, each of them. */
  readonly foundBy: readonly string[];
  /** All other tests must pass. */
  readonly passesElse?: true;
}

function broken(name: string, tampering: () => Tampering, ...foundBy: readonly string[]): BrokenAllocator {
  return { name, create: () => new Tampered(tampering()), foundBy };
}

function brokenOnly(name: string, tampering: () => Tampering, ...foundBy: readonly string[]): BrokenAllocator {
  return { ...broken(name, tampering, ...foundBy), passesElse: true };
}

const asksWhoHolds = 'asks who holds something';
const asksNotAgain = 'does not ask again';
const walk = 'keeps the books';

/** The shipping allocator, broken in one way each. */
export const brokenAllocators: readonly BrokenAllocator[] = [
  broken(
    'offers a little more than there is',
    () => changing((allocation) => ({ resources: [...doubled(allocation)] })),
    ...['nothing twice', 'offers an agent that comes', walk],
  ),
  broken('offers everything twice', () => ({ says: (body) => [body, body] }), 'nothing twice', walk),
  broken(
    'offers less than it thinks',
    () => changing(({ resources }) => ({ resources: resources.slice(0, 1) })),
    'offers the agents that are there',
    walk,
  ),
  broken(
    'offers for a role of its own',
    () =>
      changing(({ resources }) => ({
        role: 'mine',
        resources: [...Resources.of(resources).unallocate().allocate('mine')],
      })),
    'for a role that the framework is subscribed to',
    walk,
  ),
  broken(
    'forgets to say for which role resources are',
    () => changing(({ resources }) => ({ resources: [...Resources.of(resources).unallocate()] })),
    'offers the agents that are there',
  ),
  broken(
    'offers agents that it made up',
    () => changing(() => ({ agentId: AgentID('ghost') })),
    'an agent that comes',
    walk,
  ),
  broken(
    'offers negative amounts',
    () => changing(({ role }) => ({ resources: [{ name: 'cpus', type: 'SCALAR', scalar: -1, allocationRole: role }] })),
    'an agent that comes',
  ),
  broken('says something else', () => ({ says: () => [{ frameworkId: 7 }] }), 'offers the agents that are there'),
  broken(
    'never says that it listens',
    () => mishearing(messages.InitializeAllocator, (body) => ({ ...body, allocationInterval: 0 })),
    'says that it listens',
  ),
  broken(
    'does not hear that agents are removed',
    () => deafTo(messages.RemoveAgent),
    'of an agent that was removed',
    'while it allocates',
    walk,
  ),
  broken(
    'does not hear that agents are deactivated',
    () => deafTo(messages.DeactivateAgent),
    'of an agent that is deactivated',
    walk,
  ),
  broken(
    'does not hear that frameworks are removed',
    () => deafTo(messages.RemoveFramework),
    'to a framework that was removed',
    'while it allocates',
    walk,
  ),
  broken(
    'does not hear that frameworks are deactivated',
    () => deafTo(messages.DeactivateFramework),
    'that is deactivated, until',
    walk,
  ),
  broken(
    'does not hear that frameworks are activated',
    () => deafTo(messages.ActivateFramework),
    'to a framework that is deactivated',
  ),
  broken(
    'does not hear that agents are activated',
    () => deafTo(messages.ActivateAgent),
    'of an agent that is deactivated',
    walk,
  ),
  broken('does not hear that roles are suppressed', () => deafTo(messages.SuppressOffers), 'that are suppressed', walk),
  broken('does not hear that roles are revived', () => deafTo(messages.ReviveOffers), 'that are suppressed'),
  broken('does not hear that frameworks change', () => deafTo(messages.UpdateFramework), 'one that it has left', walk),
  broken(
    'does not hear that agents change',
    () => deafTo(messages.UpdateAgent),
    'gained, and not what it has lost',
    walk,
  ),
  broken('does not hear what comes back', () => deafTo(messages.RecoverResources), 'offers again', walk),
  broken(
    'does not hear what is converted',
    () => deafTo(messages.UpdateAllocation),
    'what a framework made of its offer',
  ),
  broken(
    'ignores filters',
    () => mishearing(messages.RecoverResources, ({ filters: _filters, ...body }) => body),
    'for the time it gave',
    walk,
  ),
  broken(
    'keeps filters for ever',
    () =>
      mishearing(messages.RecoverResources, (body) =>
        body.filters === undefined ? body : { ...body, filters: { refuseSeconds: 1e6 } },
      ),
    'for the time it gave',
  ),
  broken(
    'gives tasks away',
    () => mishearing(messages.AddAgent, (body) => ({ ...body, used: [] })),
    'what agents say is in use',
    'that comes later than its agents',
  ),
  broken(
    'knows no reservations',
    () => mishearing(messages.AddAgent, (body) => ({ ...body, total: [...Resources.of(body.total).toUnreserved()] })),
    'reserved only to its role',
    walk,
  ),
  broken('does not hear operators', () => deafTo(messages.UpdateAvailable), 'reserves what an operator reserves'),
  broken('knows no quota', () => deafTo(messages.UpdateQuota), 'within their limits', 'what it is guaranteed'),
  broken('knows no whitelist', () => deafTo(messages.UpdateWhitelist), 'on the whitelist'),
  broken(
    'offers crumbs',
    () => mishearing(messages.InitializeAllocator, (body) => ({ ...body, minAllocatable: [] })),
    'smaller than the master wants',
  ),
  broken(
    'offers GPUs to anybody',
    () => mishearing(messages.InitializeAllocator, (body) => ({ ...body, filterGpuResources: false })),
    'agents with GPUs',
  ),
  brokenOnly(
    'offers frameworks crumbs that they do not want',
    () => mishearing(messages.AddFramework, (body) => ({ ...body, minAllocatable: {} })),
    'smaller than it wants',
  ),
  brokenOnly(
    'suppresses all roles of a framework with one',
    () => mishearing(messages.SuppressOffers, (body) => ({ ...body, roles: [] })),
    'each role of a framework for itself',
  ),
  brokenOnly(
    'knows no constraints',
    () => mishearing(messages.AddFramework, ({ offerConstraints: _constraints, ...body }) => body),
    'only agents that meet them',
  ),
  brokenOnly('keeps constraints for ever', keepingConstraints, 'only agents that meet them'),
  brokenOnly(
    'knows no regions',
    () => mishearing(messages.InitializeAllocator, ({ domain: _domain, ...body }) => body),
    'agents of other regions',
  ),
  brokenOnly(
    'keeps agents of other regions from everybody',
    () =>
      mishearing(messages.AddFramework, (body) => ({
        ...body,
        capabilities: ['MULTI_ROLE', 'GPU_RESOURCES', 'REVOCABLE_RESOURCES'].filter((name) =>
          body.capabilities.includes(name),
        ),
      })),
    'agents of other regions',
  ),
  brokenOnly('knows no weights', () => deafTo(messages.UpdateWeights), 'to the weights of roles'),
  brokenOnly(
    'does not hear that weights change',
    () => onlyTheFirst(messages.UpdateWeights),
    'to the weights of roles',
  ),
  brokenOnly(
    'does not hear that machines will be away',
    () => deafTo(messages.UpdateUnavailability),
    ...[asksWhoHolds, asksNotAgain, 'how inverse offers were answered'],
  ),
  brokenOnly(
    'does not hear that agents come with a time to be away',
    () => mishearing(messages.AddAgent, ({ unavailability: _unavailability, ...body }) => body),
    asksWhoHolds,
  ),
  brokenOnly(
    'mistakes when machines will be away',
    () =>
      mishearing(messages.UpdateUnavailability, ({ unavailability, ...body }) =>
        unavailability === undefined ? body : { ...body, unavailability: { start: unavailability.start } },
      ),
    ...[asksWhoHolds, asksNotAgain],
  ),
  brokenOnly(
    'asks again at once who has declined to give back',
    () =>
      mishearing(messages.UpdateInverseOffer, (body) => {
        const { filters: _filters, ...rest } = body;
        return body.status === 'DECLINE' ? rest : body;
      }),
    asksNotAgain,
  ),
  brokenOnly(
    'asks again at once who has agreed to give back',
    () =>
      mishearing(messages.UpdateInverseOffer, (body) => {
        const { filters: _filters, ...rest } = body;
        return body.status === 'ACCEPT' ? rest : body;
      }),
    asksNotAgain,
  ),
  brokenOnly(
    'never asks again who has answered',
    () => mishearing(messages.UpdateInverseOffer, (body) => ({ ...body, filters: { refuseSeconds: 1e6 } })),
    asksNotAgain,
  ),
  brokenOnly(
    'does not say how inverse offers were answered',
    () => deafTo(messages.GetInverseOfferStatuses),
    'how inverse offers were answered',
  ),
  broken(
    'does not hear a master that begins anew',
    () => onlyTheFirst(messages.InitializeAllocator),
    'begins anew',
    'started again',
  ),
  broken('hears strangers', () => ({ trustsAnybody: true }), 'hears nobody but its master'),
  broken('throws', throwing, 'an agent that comes', walk),
  broken(
    'throws over who is unknown',
    () =>
      mishearing(messages.RemoveFramework, (body) => {
        if (body.frameworkId === 'nobody') throw new Error('nobody is unknown');
        return body;
      }),
    'does not know',
  ),
  broken(
    'throws over negative amounts',
    () =>
      mishearing(messages.RecoverResources, (body) => {
        for (const resource of body.resources)
          if (resource.type === 'SCALAR' && resource.scalar < 0) throw new Error('negative');
        return body;
      }),
    'makes no sense',
  ),
];

/** An allocator that does not hear a second message of that kind. */
function onlyTheFirst({ name }: { readonly name: string }): Tampering {
  let hasHeard = false;
  return {
    hears: (kind, body) => {
      if (kind !== name) return [body];
      const heard = hasHeard ? [] : [body];
      hasHeard = true;
      return heard;
    },
  };
}

/** An allocator for which a framework has the constraints with which it came. */
function keepingConstraints(): Tampering {
  const first = new Map<string, unknown>();
  return {
    hears: (kind, body) => {
      if (kind !== messages.AddFramework.name && kind !== messages.UpdateFramework.name) return [body];
      const told = body as BodyOf<typeof messages.UpdateFramework>;
      if (kind === messages.AddFramework.name) first.set(told.frameworkId, told.offerConstraints);
      const offerConstraints = first.get(told.frameworkId);
      return [offerConstraints === undefined ? body : { ...told, offerConstraints }];
    },
  };
}

/** Takes nothing back of an agent that was enlarged: no rule is about that, but the books tell. */
export function forgetful(): HierarchicalAllocator {
  const enlarged = new Set<string>();
  return new Tampered({
    hears: (kind, body) => {
      if (kind === messages.UpdateAgent.name) enlarged.add((body as BodyOf<typeof messages.UpdateAgent>).agentId);
      if (kind !== messages.RecoverResources.name) return [body];
      return enlarged.has((body as BodyOf<typeof messages.RecoverResources>).agentId) ? [] : [body];
    },
  });
}
