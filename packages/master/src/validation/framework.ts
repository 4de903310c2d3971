import { maxDuration } from '@mezzo/process';
import { type FrameworkInfo, ResourceQuantities, roleFault, UNRESERVED } from '@mezzo/protocol';
import { ConstraintGroups } from '../allocator/offer-constraints.ts';

/**
 * What is wrong with a FrameworkInfo, or undefined.
 *
 * @param admitted the only roles that the cluster has; undefined for any
 */
export function frameworkFault(
  info: FrameworkInfo,
  suppressedRoles: readonly string[] = [],
  admitted?: ReadonlySet<string>,
): string | undefined {
  const { roles, capabilities, failoverTimeout } = info;
  if (!capabilities.includes('MULTI_ROLE') && roles.length > 1) {
    return `Framework has ${roles.length} roles (${roles.join(', ')}): without the capability MULTI_ROLE it may have one`;
  }
  if (new Set(roles).size < roles.length) return `Framework names a role twice: ${roles.join(', ')}`;
  for (const role of roles) {
    const fault = roleFault(role);
    if (fault !== undefined) return `Framework has an invalid role: ${fault}`;
  }
  if (!(failoverTimeout >= 0 && failoverTimeout <= maxDuration)) {
    return `Framework has an invalid failoverTimeout ${failoverTimeout}: expected milliseconds from 0 to ${maxDuration}`;
  }
  const excluded = roles.filter((role) => admitted?.has(role) === false);
  if (excluded.length > 0) return `Framework has roles that this master does not admit: ${excluded.join(', ')}`;
  const stranger = suppressedRoles.find((role) => !roles.includes(role));
  if (stranger !== undefined) return `Suppressed role '${stranger}' is not one of the framework's roles`;
  return filtersFault(info);
}

function filtersFault({ roles, offerFilters = {}, offerConstraints = {} }: FrameworkInfo): string | undefined {
  try {
    for (const alternatives of Object.values(offerFilters))
      for (const amounts of alternatives) ResourceQuantities.of(amounts);
    ConstraintGroups.byRole(offerConstraints, new Set(roles));
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return `Framework has invalid offer filters or constraints: ${error.message}`;
    throw error;
  }
}

/** As Mesos does, who has one role and names none has `*`. */
export function withDefaultRole(info: FrameworkInfo): FrameworkInfo {
  const isMissing = info.roles.length === 0 && !info.capabilities.includes('MULTI_ROLE');
  return isMissing ? { ...info, roles: [UNRESERVED] } : info;
}
