import type { BodyOf } from '@mezzo/process';
import { allocatorMessages, Resources, resourcesFault } from '@mezzo/protocol';

export type Allocated = BodyOf<typeof allocatorMessages.Allocated>;
export type Allocation = Allocated['allocations'][number];

/** What is wrong with the form of a body, or undefined: what comes from the same runtime nobody has checked yet. */
export function allocatedFault(body: unknown): string | undefined {
  const result = allocatorMessages.Allocated.schema?.['~standard'].validate(body);
  if (result === undefined || result instanceof Promise || result.issues === undefined) return undefined;
  const [issue] = result.issues;
  return `malformed: ${String(issue?.path)} ${issue?.message ?? ''}`;
}

/** Resources that can be offered as they are, or why they never could have been. @param free what nobody has of the agent */
export function judgeAllocation(
  { role, resources: entries }: Allocation,
  free: Resources,
): { readonly resources: Resources; readonly fault?: undefined } | { readonly fault: string } {
  const fault = resourcesFault(entries);
  if (fault !== undefined) return { fault };
  const resources = Resources.of(entries);
  if (resources.isEmpty) return { fault: 'nothing was allocated' };
  for (const { name, allocationRole } of entries) {
    if (allocationRole === role) continue;
    return { fault: `${name} is allocated to ${allocationRole ?? 'nobody'} and not to the role ${role}` };
  }
  const plain = resources.unallocate();
  if (plain.hasReservations && !plain.allocatableTo(role).equals(plain))
    return { fault: `some of ${String(plain)} is reserved to another role than ${role}` };
  if (!free.contains(plain)) return { fault: `${String(plain)} is not free: ${String(free) || 'nothing'} is` };
  return { resources };
}
