import { isStrictSubrole, roleFault, UNRESERVED } from '../roles.ts';
import { faultAt, type Fault } from './fault.ts';

export interface Label {
  readonly key: string;
  readonly value?: string | undefined;
}

/** For whom an amount is kept. A stack of them: the first one may be static, each further one refines the one before. */
export interface Reservation {
  /** STATIC is given by the agent's operator at its start, DYNAMIC is made and undone by operations. */
  readonly type: 'STATIC' | 'DYNAMIC';
  /** A role other than `*`; in a refinement a strict subrole of the one before, as `eng/web` of `eng`. */
  readonly role: string;
  /** Who made it. */
  readonly principal?: string | undefined;
  /** Part of its identity, in any order. */
  readonly labels?: readonly Label[] | undefined;
}

export type Reservations = readonly Reservation[];

export const NO_RESERVATIONS: Reservations = [];

/** The role that may use it: that of the last reservation, `*` when there is none. */
export function roleOfReservations(reservations: Reservations | undefined): string {
  return reservations?.at(-1)?.role ?? UNRESERVED;
}

/** What two stacks of reservations begin with in common. */
export function reservationAncestor(a: Reservations, b: Reservations): Reservation[] {
  const common: Reservation[] = [];
  for (const [i, reservation] of a.entries()) {
    const other = b[i];
    if (other === undefined || reservationKey(reservation) !== reservationKey(other)) break;
    common.push(reservation);
  }
  return common;
}

/** Equal for reservations that are the same one. */
export function reservationKey({ type, role, principal, labels }: Reservation): string {
  return JSON.stringify([type, role, principal, labelsKey(labels)]);
}

export function labelsKey(labels: readonly Label[] | undefined): string[] | undefined {
  if (labels === undefined || labels.length === 0) return undefined;
  return labels.map(({ key, value }) => JSON.stringify([key, value])).toSorted();
}

/** A copy without what is absent, empty or unknown: it is kept, while what was given stays its owner's. */
export function copyOfReservation({ type, role, principal, labels }: Reservation): Reservation {
  return {
    type,
    role,
    ...(principal === undefined ? undefined : { principal }),
    ...(labels === undefined || labels.length === 0 ? undefined : { labels: copyOfLabels(labels) }),
  };
}

export function copyOfLabels(labels: readonly Label[]): Label[] {
  return labels.map(({ key, value }) => (value === undefined ? { key } : { key, value }));
}

export function reservationsFault(reservations: Reservations): Fault | undefined {
  for (const [i, { type, role }] of reservations.entries()) {
    if (type !== 'STATIC' && type !== 'DYNAMIC') {
      return { path: [i, 'type'], reason: `a reservation is STATIC or DYNAMIC, not ${JSON.stringify(type)}` };
    }
    const fault = role === UNRESERVED ? 'a reservation must name a role other than "*"' : roleFault(role);
    if (fault !== undefined) return faultAt([i, 'role'], fault);
    const previous = reservations[i - 1];
    if (previous === undefined) continue;
    if (type !== 'DYNAMIC') {
      return { path: [i, 'type'], reason: `a refined reservation must be DYNAMIC, but that of ${role} is ${type}` };
    }
    if (!isStrictSubrole(role, previous.role)) {
      const reason = `a refined reservation must be of a subrole: ${JSON.stringify(role)} is none of ${JSON.stringify(previous.role)}`;
      return { path: [i, 'role'], reason };
    }
  }
  return undefined;
}
