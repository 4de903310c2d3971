import { type Quota, ResourceLimits, ResourceQuantities, ResourcesParseError, roleFault } from '@mezzo/protocol';

/** In the text form of quantities, such as `cpus:8;mem:8192`. */
export interface QuotaText {
  readonly guarantees?: string;
  readonly limits?: string;
}

/**
 * Reads quotas, or says what is wrong: a role that is invalid or lies below another one, what is no amount, guarantees above
 * their limits and, unless forced, all guarantees together above what the cluster has.
 */
export function judgeQuotas(
  quotas: Readonly<Record<string, QuotaText>>,
  present: ReadonlyMap<string, Quota>,
  total: ResourceQuantities,
  force: boolean,
): ReadonlyMap<string, Quota> | RangeError | ResourcesParseError {
  const judged = new Map<string, Quota>();
  for (const [role, text] of Object.entries(quotas)) {
    const quota = judgeQuota(role, text);
    if (quota instanceof Error) return quota;
    judged.set(role, quota);
  }
  let guaranteed = ResourceQuantities.empty;
  for (const { guarantees } of new Map([...present, ...judged]).values())
    guaranteed = guaranteed.plus(ResourceQuantities.of(guarantees));
  if (force || total.contains(guaranteed)) return judged;
  return new RangeError(
    `All quotas together guarantee ${String(guaranteed)}, but the cluster has ${String(total)}: force it, or guarantee less`,
  );
}

function judgeQuota(
  role: string,
  { guarantees = '', limits = '' }: QuotaText,
): Quota | RangeError | ResourcesParseError {
  const fault = roleFault(role) ?? (role.includes('/') ? 'expected a role that lies below no other' : undefined);
  if (fault !== undefined) return new RangeError(`Invalid role '${role}' for a quota: ${fault}`);
  try {
    const [least, most] = [ResourceQuantities.parse(guarantees), ResourceLimits.parse(limits)];
    if (most.contains(least)) return { guarantees: Object.fromEntries(least), limits: Object.fromEntries(most) };
    return new RangeError(
      `Invalid quota of role '${role}': its guarantees ${String(least)} are above its limits ${String(most)}`,
    );
  } catch (error) {
    if (error instanceof ResourcesParseError) return error;
    throw error;
  }
}
