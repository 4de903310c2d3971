import { type FrameworkInfo, roleFault, UNRESERVED } from '@mezzo/protocol';

/** What is wrong with a FrameworkInfo, or undefined. */
export function frameworkFault({ roles, capabilities, failoverTimeout }: FrameworkInfo): string | undefined {
  if (!capabilities.includes('MULTI_ROLE') && roles.length > 1) {
    return `Framework has ${roles.length} roles (${roles.join(', ')}): without the capability MULTI_ROLE it may have one`;
  }
  if (new Set(roles).size < roles.length) return `Framework names a role twice: ${roles.join(', ')}`;
  for (const role of roles) {
    const fault = roleFault(role);
    if (fault !== undefined) return `Framework has an invalid role: ${fault}`;
  }
  if (!Number.isFinite(failoverTimeout)) return `Framework has an invalid failoverTimeout: ${failoverTimeout}`;
  return undefined;
}

/** As Mesos does, who has one role and names none has `*`. */
export function withDefaultRole(info: FrameworkInfo): FrameworkInfo {
  const isMissing = info.roles.length === 0 && !info.capabilities.includes('MULTI_ROLE');
  return isMissing ? { ...info, roles: [UNRESERVED] } : info;
}
