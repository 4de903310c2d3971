import { type Quota, ResourceLimits, ResourceQuantities, ResourcesParseError, roleFault } from '@mezzo/protocol';

/** In the text form of quantities, such as `cpus:8;mem:8192`. */
export interface QuotaText {
  readonly guarantees?: string;
  readonly limits?: string;
}

/** What quotas are judged by. */
export interface QuotaSetting {
  /** Those that are set. */
  readonly present: ReadonlyMap<string, Quota>;
  /** Of the cluster. */
  readonly total: ResourceQuantities;
  /** What each role that lies below no other has, with those below it. */
  readonly consumed: ReadonlyMap<string, ResourceQuantities>;
  /** The only ones that there are; undefined: any. */
  readonly roles: ReadonlySet<string> | undefined;
  /** Whether guarantees may be above what the cluster has, and limits below what roles have. */
  readonly isForced: boolean;
}

/** 1 exabyte, in the megabytes in which Mesos counts. */
const mostMegabytes = 2 ** 40;
/** Of anything else. */
const mostUnits = 10 ** 12;

/**
 * Reads quotas, or says what is wrong: a role that is invalid, unknown or lies below another one, what is no amount or
 * absurd (Mesos's numbers), guarantees above their limits and, unless forced, limits below what the role has and all
 * guarantees together above what the cluster has.
 */
export function judgeQuotas(
  quotas: Readonly<Record<string, QuotaText>>,
  { present, total, consumed, roles, isForced }: QuotaSetting,
): ReadonlyMap<string, Quota> | RangeError | ResourcesParseError {
  const judged = new Map<string, Quota>();
  for (const [role, text] of Object.entries(quotas)) {
    const fault = roleFault(role) ?? placeFault(role, roles);
    if (fault !== undefined) return new RangeError(`Invalid role '${role}' for a quota: ${fault}`);
    const quota = judgeQuota(role, text);
    if (quota instanceof Error) return quota;
    const has = consumed.get(role) ?? ResourceQuantities.empty;
    const limits = ResourceLimits.of(quota.limits);
    if (!isForced && !limits.contains(has)) {
      const state = `its limits ${String(limits)} are below ${String(has)}, which it has`;
      return new RangeError(`Invalid quota of role '${role}': ${state}: force it, or raise them`);
    }
    judged.set(role, quota);
  }
  let guaranteed = ResourceQuantities.empty;
  for (const { guarantees } of new Map([...present, ...judged]).values())
    guaranteed = guaranteed.plus(ResourceQuantities.of(guarantees));
  if (isForced || total.contains(guaranteed)) return judged;
  const there = total.isEmpty ? 'no agents yet' : String(total);
  return new RangeError(
    `All quotas together guarantee ${String(guaranteed)}, but the cluster has ${there}: force it, or guarantee less`,
  );
}

function placeFault(role: string, roles: ReadonlySet<string> | undefined): string | undefined {
  if (role.includes('/')) return 'expected a role that lies below no other';
  return roles?.has(role) === false ? 'it is none of the roles of this cluster' : undefined;
}

function judgeQuota(
  role: string,
  { guarantees = '', limits = '' }: QuotaText,
): Quota | RangeError | ResourcesParseError {
  try {
    // Neither may name anything twice.
    const [least, most] = [ResourceLimits.parse(guarantees), ResourceLimits.parse(limits)];
    const fault = sizeFault(least) ?? sizeFault(most);
    if (fault !== undefined) return new RangeError(`Invalid quota of role '${role}': ${fault}`);
    const quantities = ResourceQuantities.of(least);
    if (most.contains(quantities))
      return { guarantees: Object.fromEntries(quantities), limits: Object.fromEntries(most) };
    return new RangeError(
      `Invalid quota of role '${role}': its guarantees ${String(quantities)} are above its limits ${String(most)}`,
    );
  } catch (error) {
    if (error instanceof ResourcesParseError) return error;
    throw error;
  }
}

function sizeFault(amounts: Iterable<readonly [string, number]>): string | undefined {
  for (const [name, amount] of amounts) {
    const most = name === 'mem' || name === 'disk' ? mostMegabytes : mostUnits;
    if (amount > most) return `${name}:${amount} is too large: expected at most ${most}`;
  }
  return undefined;
}
