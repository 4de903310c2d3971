import { UNRESERVED } from '../roles.ts';
import { BoundedCache } from './bounded-cache.ts';
import { copyOfDisk, diskKey, type DiskInfo, isIndivisible, withoutPersistence } from './disk.ts';
import {
  copyOfReservation,
  NO_RESERVATIONS,
  type Reservation,
  reservationKey,
  type Reservations,
} from './reservation.ts';
import type { ResourceMetadata, ResourceType } from './resource.ts';

// Metadata is made once and shared: equal metadata is mostly the same object, and finding a partner in a sum is then a
// comparison of pointers. The tables are bounded, so equal ones may also be two objects: then their keys decide.

/** Bits of `Metadata.traits`. */
export const SHARED = 1;
export const REVOCABLE = 2;
export const RESERVED = 4;
/** With more than one reservation. */
export const REFINED = 8;
/** A persistent volume. */
export const PERSISTENT = 16;
/** Used whole: never added to another, taken away or cut. */
export const INDIVISIBLE = 32;
export const NOT_SCALAR = 64;

interface Fields {
  readonly name: string;
  readonly type: ResourceType;
  readonly reservations: Reservations;
  readonly disk: DiskInfo | undefined;
  readonly isRevocable: boolean;
  readonly providerId: string | undefined;
  readonly isShared: boolean;
}

const PLAIN_LIMIT = 4096;
const LIMIT = 16_384;
/** What is reserved, or on some disk, is given to few roles; so many different ones must not add up. */
const LIMIT_OF_SPECIAL = 16;

const plain = {
  SCALAR: new BoundedCache<Metadata>(PLAIN_LIMIT),
  RANGES: new BoundedCache<Metadata>(PLAIN_LIMIT),
  SET: new BoundedCache<Metadata>(PLAIN_LIMIT),
};
const special = new BoundedCache<Metadata>(LIMIT);

export class Metadata implements Fields {
  readonly name: string;
  readonly type: ResourceType;
  /** undefined when not allocated. */
  readonly allocationRole: string | undefined;
  readonly reservations: Reservations;
  /** Whose it is: the role of the last reservation, or `*`. */
  readonly reservationRole: string;
  readonly disk: DiskInfo | undefined;
  readonly isRevocable: boolean;
  readonly providerId: string | undefined;
  readonly isShared: boolean;
  readonly traits: number;
  /** Equal for amounts that may be added to and taken from each other. */
  readonly key: string;
  readonly hash: number;
  readonly #unallocated: Metadata | undefined;
  #unreserved: Metadata | undefined;
  #allocated: BoundedCache<Metadata> | undefined;

  private constructor(fields: Fields, allocationRole?: string, unallocated?: Metadata) {
    this.name = fields.name;
    this.type = fields.type;
    this.allocationRole = allocationRole;
    this.reservations = fields.reservations;
    this.reservationRole = fields.reservations.at(-1)?.role ?? UNRESERVED;
    this.disk = fields.disk;
    this.isRevocable = fields.isRevocable;
    this.providerId = fields.providerId;
    this.isShared = fields.isShared;
    this.traits = traitsOf(fields);
    this.key = keyOf(fields, allocationRole);
    this.hash = hashOf(this.key);
    this.#unallocated = unallocated;
  }

  static of(resource: ResourceMetadata & { readonly type: ResourceType }): Metadata {
    const { name, type, reservations, allocationRole, disk, revocable, providerId, shared } = resource;
    const isPlain =
      (reservations === undefined || reservations.length === 0) &&
      disk === undefined &&
      revocable !== true &&
      providerId === undefined &&
      shared !== true;
    const base = isPlain
      ? Metadata.#plain(name, type)
      : Metadata.#special({
          name,
          type,
          reservations: reservations?.map(copyOfReservation) ?? NO_RESERVATIONS,
          disk: disk && copyOfDisk(disk),
          isRevocable: revocable === true,
          providerId,
          isShared: shared === true,
        });
    return allocationRole === undefined ? base : base.allocatedTo(allocationRole);
  }

  /** Whether it is certain that `of` would make the same of the resource: true for what has no more than a name and a role. */
  isWrittenAs(resource: ResourceMetadata & { readonly type: ResourceType }): boolean {
    return (
      (this.traits & ~NOT_SCALAR) === 0 &&
      this.disk === undefined &&
      this.providerId === undefined &&
      resource.name === this.name &&
      resource.type === this.type &&
      resource.allocationRole === this.allocationRole &&
      resource.reservations === undefined &&
      resource.disk === undefined &&
      resource.revocable === undefined &&
      resource.providerId === undefined &&
      resource.shared === undefined
    );
  }

  static #plain(name: string, type: ResourceType): Metadata {
    const known = plain[type].get(name);
    if (known !== undefined) return known;
    const made = new Metadata({
      name,
      type,
      reservations: NO_RESERVATIONS,
      disk: undefined,
      isRevocable: false,
      providerId: undefined,
      isShared: false,
    });
    plain[type].set(name, made);
    return made;
  }

  static #special(fields: Fields): Metadata {
    const { name, type, reservations, disk, isRevocable, providerId, isShared } = fields;
    if (reservations.length === 0 && disk === undefined && !isRevocable && providerId === undefined && !isShared) {
      return Metadata.#plain(name, type);
    }
    // By content and not by key: volumes with the same key may differ in what plays no part in their identity.
    const content = JSON.stringify([name, type, reservations, disk, isRevocable, providerId, isShared]);
    const known = special.get(content);
    if (known !== undefined) return known;
    const made = new Metadata(fields);
    special.set(content, made);
    return made;
  }

  /** undefined: to nobody. */
  allocatedTo(role: string | undefined): Metadata {
    if (role === this.allocationRole) return this;
    const base = this.#unallocated ?? this;
    if (role === undefined) return base;
    base.#allocated ??= new BoundedCache(
      base.reservations.length === 0 && base.disk === undefined ? LIMIT : LIMIT_OF_SPECIAL,
    );
    const known = base.#allocated.get(role);
    if (known !== undefined) return known;
    const made = new Metadata(base, role, base);
    base.#allocated.set(role, made);
    return made;
  }

  unreserved(): Metadata {
    if (this.reservations.length === 0) return this;
    return (this.#unreserved ??= this.#with({ ...fieldsOf(this), reservations: NO_RESERVATIONS }));
  }

  /** Expects a valid one. */
  withReservation(reservation: Reservation): Metadata {
    return this.#with({ ...fieldsOf(this), reservations: [...this.reservations, copyOfReservation(reservation)] });
  }

  withoutLastReservation(): Metadata {
    return this.#with({ ...fieldsOf(this), reservations: this.reservations.slice(0, -1) });
  }

  withReservations(reservations: Reservations): Metadata {
    return this.#with({ ...fieldsOf(this), reservations });
  }

  /** The disk a persistent volume is made of. */
  withoutPersistence(): Metadata {
    const { disk } = this;
    return this.#with({ ...fieldsOf(this), disk: disk && withoutPersistence(disk), isShared: false });
  }

  #with(fields: Fields): Metadata {
    const base = Metadata.#special(fields);
    return this.allocationRole === undefined ? base : base.allocatedTo(this.allocationRole);
  }
}

/** The one place that decides which amounts belong together. */
export function sameMetadata(left: Metadata, right: Metadata): boolean {
  return left === right || (left.hash === right.hash && left.key === right.key);
}

function fieldsOf({ name, type, reservations, disk, isRevocable, providerId, isShared }: Fields): Fields {
  return { name, type, reservations, disk, isRevocable, providerId, isShared };
}

function traitsOf({ type, reservations, disk, isRevocable, isShared }: Fields): number {
  return (
    (isShared ? SHARED | INDIVISIBLE : 0) |
    (isRevocable ? REVOCABLE : 0) |
    (reservations.length > 0 ? RESERVED : 0) |
    (reservations.length > 1 ? REFINED : 0) |
    (disk?.persistence === undefined ? 0 : PERSISTENT) |
    (disk !== undefined && isIndivisible(disk) ? INDIVISIBLE : 0) |
    (type === 'SCALAR' ? 0 : NOT_SCALAR)
  );
}

function keyOf(fields: Fields, allocationRole: string | undefined): string {
  const { name, type, reservations, disk, isRevocable, providerId, isShared } = fields;
  return JSON.stringify([
    name,
    type,
    allocationRole,
    reservations.map(reservationKey),
    disk && diskKey(disk),
    isRevocable,
    providerId,
    isShared,
  ]);
}

/** FNV-1a, cut to 30 bits: V8 keeps such integers without a box. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash & 0x3fff_ffff;
}
