import type { AgentID, Filters, FrameworkID, Unavailability } from '@mezzo/protocol';
import type { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorState } from './allocator-state.ts';

export interface InverseAllocation {
  readonly agentId: AgentID;
  readonly unavailability: Unavailability;
}

export interface InverseOfferStatus {
  readonly agentId: AgentID;
  readonly frameworkId: FrameworkID;
  readonly status: 'ACCEPT' | 'DECLINE';
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** The machine will be away, or will not. Whoever was asked is asked anew. */
export function setUnavailability(
  state: AllocatorState,
  agent: AllocatorAgent,
  unavailability: Unavailability | undefined,
): void {
  for (const framework of state.frameworks.values()) framework.inverseFilters.delete(agent.id);
  agent.maintenance =
    unavailability === undefined ? undefined : { unavailability, outstanding: new Set(), statuses: new Map() };
}

/** @param refused until when, in milliseconds since the epoch, the framework does not want to be asked again */
export function answerInverseOffer(
  state: AllocatorState,
  agentId: AgentID,
  frameworkId: FrameworkID,
  answer: {
    readonly status?: 'ACCEPT' | 'DECLINE' | undefined;
    readonly refused?: number | undefined;
    readonly now: number;
  },
): void {
  const framework = state.frameworks.get(frameworkId);
  const maintenance = state.agents.get(agentId)?.maintenance;
  if (framework === undefined || maintenance === undefined) return;
  const { status, refused, now } = answer;
  if (maintenance.outstanding.delete(frameworkId) && status !== undefined)
    maintenance.statuses.set(frameworkId, { status, time: now });
  if (refused === undefined) return;
  framework.inverseFilters.set(agentId, Math.max(refused, framework.inverseFilters.get(agentId) ?? 0));
}

/** Asks all who hold something on machines that will be away, unless they have been asked, or do not want to be. */
export function inverseOffers(
  state: AllocatorState,
  candidates: Iterable<AgentID>,
  now: number,
): ReadonlyMap<FrameworkID, readonly InverseAllocation[]> {
  const offers = new Map<FrameworkID, InverseAllocation[]>();
  for (const agentId of candidates) {
    const agent = state.agents.get(agentId);
    const maintenance = agent?.maintenance;
    if (agent === undefined || maintenance === undefined) continue;
    for (const { framework } of agent.holdings.keys()) {
      const { id, isActive, inverseFilters } = framework;
      if (!isActive || maintenance.outstanding.has(id)) continue;
      const refusedUntil = inverseFilters.get(agentId);
      // A short refusal is still there in the next periodic run, due at the same time.
      if (refusedUntil !== undefined && refusedUntil >= now) continue;
      inverseFilters.delete(agentId);
      maintenance.outstanding.add(id);
      const list = offers.get(id) ?? [];
      list.push({ agentId, unavailability: maintenance.unavailability });
      offers.set(id, list);
    }
  }
  return offers;
}

/** Longer refusals are cut to this, in seconds (Mesos: 365 days). */
const longestRefusal = 365 * 86_400;
/** What a refusal without a valid time lasts, in seconds (Mesos's default Filters). */
const usualRefusal = 5;

/** How long, in milliseconds, something is refused: not shorter than the time between two runs. 0: not at all. */
export function refusalTime({ refuseSeconds }: Filters, interval: number): number {
  if (refuseSeconds === 0) return 0;
  const valid = refuseSeconds > 0 ? Math.min(refuseSeconds, longestRefusal) : usualRefusal;
  return Math.max(interval, valid * 1000);
}

/** What frameworks have answered, of all agents that will be away. */
export function inverseOfferStatuses(state: AllocatorState): InverseOfferStatus[] {
  return [...state.agents.values()].flatMap(({ id: agentId, maintenance }) =>
    [...(maintenance?.statuses ?? [])].map(([frameworkId, answer]) => ({ agentId, frameworkId, ...answer })),
  );
}
