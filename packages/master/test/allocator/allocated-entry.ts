import { Resources } from '@mezzo/protocol';

/** What an allocation gives: `resources` without the role, sorted by name. */
export interface AllocatedEntry {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  readonly resources: string;
}

/** Sorted, so that it can be compared. */
export function textOf(resources: Resources): string {
  return [...resources]
    .map((resource) => String(Resources.of([resource])))
    .toSorted()
    .join(';');
}

/** The entry with only some of its resources, or other ones. */
export function withResources(entry: AllocatedEntry, resources: string): AllocatedEntry {
  return { ...entry, resources: textOf(Resources.parse(resources)) };
}

/** Resources with a dynamic reservation for the role on top of those they have, as RESERVE takes them. */
export function reserved(role: string, text: string): Resources {
  return Resources.parse(text).pushReservation({ type: 'DYNAMIC', role });
}
