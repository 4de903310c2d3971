import type { AgentID, RegistryOperation } from '@mezzo/protocol';

export interface GarbageLimits {
  /** Milliseconds for which an agent that is unreachable or gone is remembered (registry_max_agent_age, 2 weeks). */
  readonly maxAge: number;
  /** So many of either are remembered (registry_max_agent_count, 102,400). */
  readonly maxCount: number;
}

/** Every so often garbage is looked for, in milliseconds (registry_gc_interval). */
export const garbageInterval = 15 * 60_000;

export const defaultGarbageLimits: GarbageLimits = { maxAge: 14 * 24 * 3_600_000, maxCount: 102_400 };

/** By agent, since when, in milliseconds since the epoch; in the order in which they were marked. */
type Marked = Iterable<{ readonly agentId: AgentID; readonly timestamp: number }>;

/**
 * The operation that forgets agents which are unreachable or gone for too long, and the oldest of too many; undefined if
 * there are none.
 *
 * @param now milliseconds since the epoch.
 */
export function collectGarbage(
  registry: { readonly unreachable: Marked; readonly gone: Marked },
  now: number,
  limits: GarbageLimits = defaultGarbageLimits,
): Extract<RegistryOperation, { kind: 'PRUNE' }> | undefined {
  const unreachable = expired(registry.unreachable, now, limits);
  const gone = expired(registry.gone, now, limits);
  return unreachable.length + gone.length === 0 ? undefined : { kind: 'PRUNE', unreachable, gone };
}

function expired(marked: Marked, now: number, { maxAge, maxCount }: GarbageLimits): AgentID[] {
  const all = [...marked];
  const surplus = all.length - maxCount;
  return all
    .filter(({ timestamp }, index) => index < surplus || now - timestamp > maxAge)
    .map(({ agentId }) => agentId);
}
