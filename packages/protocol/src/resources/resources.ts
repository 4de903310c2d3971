import type { Random } from '@mezzo/process';
import { isStrictSubrole, UNRESERVED } from '../roles.ts';
import { type ResourceConversion, ResourceConversionError } from './conversion.ts';
import { Entry } from './entry.ts';
import { addTo, count, differenceOf, isWrittenAs, listContains, sizeOf, sumOf, traitsOf } from './entry-list.ts';
import { found } from './find.ts';
import type { ResourceLimits } from './limits.ts';
import { type Metadata, NOT_SCALAR, PERSISTENT, REFINED, RESERVED, REVOCABLE, SHARED } from './metadata.ts';
import { parseResources } from './parse.ts';
import { textOfResource } from './print.ts';
import { ResourceQuantities } from './quantities.ts';
import { unionOfRanges, type Ranges } from './ranges.ts';
import { type Reservation, reservationsFault } from './reservation.ts';
import { resourceFault, type Resource, type ResourceType } from './resource.ts';
import { shrunk } from './shrink.ts';

// Not a static field: TypeScript 7.0 emits an initializer that runs before the class has its name.
let nothing: Resources | undefined;

/**
 * An immutable amount of resources. Amounts of one name stay apart when their metadata differ: `cpus:1` and
 * `cpus(ads):1` do not add up to 2 and neither can be taken from the other. What is used whole (a persistent volume, a
 * MOUNT or BLOCK disk, a RAW disk with an id) is never added to another. Equal shared volumes are counted.
 * Results may share parts with, or be, their operands.
 */
export class Resources implements Iterable<Resource> {
  static get empty(): Resources {
    return (nothing ??= new Resources([]));
  }

  // No two entries meet but indivisible ones, none is empty. Not a #private field: assertions compare enumerable ones.
  private readonly list: readonly Entry[];
  /** What its entries have, as bits; -1 as long as nobody asked. */
  #traits = -1;
  #wire: readonly Resource[] | undefined;
  /** Before they were given to a role. */
  #unallocated: Resources | undefined;
  #quantities: ResourceQuantities | undefined;

  private constructor(list: readonly Entry[]) {
    this.list = list;
  }

  /**
   * Adds up resources. As in Mesos, empty and invalid ones are left out; ask `resourceFault` first where the sender
   * must be told.
   *
   * @throws {RangeError} if a sum is too large to be exact; `resourcesFault` tells before
   */
  static of(resources: Iterable<Resource>): Resources {
    if (resources instanceof Resources) return resources;
    const list: Entry[] = [];
    for (const resource of resources) {
      if (resourceFault(resource) === undefined) addTo(list, Entry.of(resource), 0);
    }
    return Resources.wrap(list);
  }

  /**
   * Reads `cpus:4;mem(ads):8192;ports:[31000-32000];zones:{a,b}`, whatever `toString` prints, and a JSON array of
   * Mesos's resource objects. White space is ignored. Zero amounts are left out.
   *
   * @param defaultRole the role of entries that name none; `*` reserves to nobody
   * @throws {ResourcesParseError} with the text, a caret below the character, what was found and what was expected
   */
  static parse(text: string, defaultRole: string = UNRESERVED): Resources {
    return Resources.of(parseResources(text, defaultRole));
  }

  static sum(all: Iterable<Resources>): Resources {
    const list: Entry[] = [];
    for (const resources of all) {
      let guess = 0;
      for (const entry of resources.list) guess = addTo(list, entry, guess) + 1;
    }
    return Resources.wrap(list);
  }

  private static wrap(list: readonly Entry[]): Resources {
    return list.length === 0 ? Resources.empty : new Resources(list);
  }

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  get hasShared(): boolean {
    return (this.#allTraits() & SHARED) !== 0;
  }

  get hasRevocable(): boolean {
    return (this.#allTraits() & REVOCABLE) !== 0;
  }

  get hasReservations(): boolean {
    return (this.#allTraits() & RESERVED) !== 0;
  }

  /** Something has more than one reservation. */
  get hasRefinedReservations(): boolean {
    return (this.#allTraits() & REFINED) !== 0;
  }

  /** The form for messages, made once. A shared volume is there once per copy. */
  get entries(): readonly Resource[] {
    this.#wire ??= this.list.flatMap((entry): Resource | Resource[] => {
      const resource = entry.toResource();
      return entry.copies === 1 ? resource : Array.from({ length: entry.copies }, () => resource);
    });
    return this.#wire;
  }

  [Symbol.iterator](): Iterator<Resource> {
    return this.entries[Symbol.iterator]();
  }

  toJSON(): readonly Resource[] {
    return this.entries;
  }

  /** The form `Resources.parse` reads: `cpus:4;mem:8192;ports:[31000-32000]`. */
  toString(): string {
    return this.entries.map(textOfResource).join(';');
  }

  /** @throws {RangeError} if a sum is too large to be exact */
  plus(other: Resources): Resources {
    if (other.list.length === 0) return this;
    if (this.list.length === 0) return other;
    return new Resources(sumOf(this.list, other.list));
  }

  /** Takes away what is there of `other`; what is not there changes nothing, and nothing becomes negative. */
  minus(other: Resources): Resources {
    if (other === this) return Resources.empty;
    return this.#became(differenceOf(this.list, other.list));
  }

  contains(other: Resources): boolean {
    return other === this || listContains(this.list, other.list);
  }

  /** Whether there are such amounts, whatever their metadata: of ranges and sets it counts the numbers and items. */
  containsQuantities(quantities: ResourceQuantities): boolean {
    for (const name of quantities.names) if (sizeOf(this.list, name) < quantities.thousandths(name)) return false;
    return true;
  }

  /** Same amounts with the same metadata, in any order. */
  equals(other: Resources): boolean {
    if (other === this) return true;
    return this.list.length === other.list.length && this.contains(other) && other.contains(this);
  }

  /** Whether `Resources.of` would surely make the same of these: true for plain scalars and ranges in order of `entries`. */
  isWrittenAs(resources: readonly Resource[]): boolean {
    return isWrittenAs(this.list, resources);
  }

  /** How often exactly this amount is there: more than once only if it is used whole or shared. */
  count(resource: Resource): number {
    const entry = Entry.of(resource);
    const own = this.list.find((candidate) => candidate.meets(entry) && candidate.sameAmount(entry));
    if (own === undefined) return 0;
    return own.metadata.isShared ? own.copies : count(this.list, entry);
  }

  /** The sum over all scalars of that name, whatever their metadata; 0 when there is none. */
  scalar(name: string): number {
    return this.quantities.get(name);
  }

  /** The union of all ranges of that name, sorted and coalesced; empty when there is none. */
  ranges(name: string): Ranges {
    let union: Ranges | undefined;
    for (const { metadata, ranges } of this.list) {
      if (metadata.name === name) union = union === undefined ? ranges : unionOfRanges(union, ranges);
    }
    return union ?? [];
  }

  get ports(): Ranges {
    return this.ranges('ports');
  }

  /** The union of all sets of that name; empty when there is none. */
  set(name: string): ReadonlySet<string> {
    const union = new Set<string>();
    for (const { metadata, items } of this.list) {
      if (metadata.name === name) for (const item of items) union.add(item);
    }
    return union;
  }

  /** Each name once, in order of first appearance. */
  names(): readonly string[] {
    return [...new Set(this.list.map((entry) => entry.metadata.name))];
  }

  types(): ReadonlyMap<string, ResourceType> {
    return new Map(this.list.map(({ metadata }) => [metadata.name, metadata.type]));
  }

  /** Marks everything as given to `role`. */
  allocate(role: string): Resources {
    return this.#allocatedTo(role);
  }

  unallocate(): Resources {
    return this.#unallocated ?? this.#allocatedTo(undefined);
  }

  /** The same amounts, reserved to nobody. */
  toUnreserved(): Resources {
    return this.hasReservations ? this.#mapMetadata((metadata) => metadata.unreserved()) : this;
  }

  /**
   * Adds a reservation on top of those that each has.
   *
   * @throws {ResourceConversionError} if it cannot refine one that is there
   */
  pushReservation(reservation: Reservation): Resources {
    return this.#mapMetadata((metadata) => {
      const fault = reservationsFault([...metadata.reservations, reservation]);
      if (fault === undefined) return metadata.withReservation(reservation);
      throw new ResourceConversionError(`Cannot reserve ${metadata.name}: ${fault.reason}`);
    });
  }

  /**
   * Takes away the last reservation of each.
   *
   * @throws {ResourceConversionError} if one has none
   */
  popReservation(): Resources {
    return this.#mapMetadata((metadata) => {
      if (metadata.reservations.length > 0) return metadata.withoutLastReservation();
      throw new ResourceConversionError(`Cannot unreserve ${metadata.name}: it is not reserved in ${String(this)}`);
    });
  }

  /** What is reserved to nobody. */
  unreserved(): Resources {
    return this.#with(RESERVED, false);
  }

  /** What is reserved to exactly this role, or to any. */
  reserved(role?: string): Resources {
    if (role === undefined) return this.#with(RESERVED, true);
    if (!this.hasReservations || role === UNRESERVED) return Resources.empty;
    return this.#select(({ metadata }) => metadata.reservationRole === role);
  }

  /** What may be offered to a role: unreserved, reserved to it, or reserved to one of its ancestors. */
  allocatableTo(role: string): Resources {
    if (!this.hasReservations) return this;
    return this.#select(
      ({ metadata: { reservationRole: owner } }) =>
        owner === UNRESERVED || owner === role || isStrictSubrole(role, owner),
    );
  }

  shared(): Resources {
    return this.#with(SHARED, true);
  }

  nonShared(): Resources {
    return this.#with(SHARED, false);
  }

  revocable(): Resources {
    return this.#with(REVOCABLE, true);
  }

  nonRevocable(): Resources {
    return this.#with(REVOCABLE, false);
  }

  persistentVolumes(): Resources {
    return this.#with(PERSISTENT, true);
  }

  /** The scalars with their metadata, without ranges and sets. */
  scalarsOnly(): Resources {
    return this.#with(NOT_SCALAR, false);
  }

  /** Groups by the role they are given to; what is given to none is left out. */
  allocations(): ReadonlyMap<string, Resources> {
    const groups = new Map<string, Entry[]>();
    for (const entry of this.list) {
      const role = entry.metadata.allocationRole;
      if (role === undefined) continue;
      const group = groups.get(role);
      if (group === undefined) groups.set(role, [entry]);
      else group.push(entry);
    }
    return new Map([...groups].map(([role, list]) => [role, this.#kept(list)]));
  }

  /** Scalars summed by name, without their metadata and each shared volume once. Made once. */
  get quantities(): ResourceQuantities {
    return (this.#quantities ??= ResourceQuantities.ofEntries(this.list));
  }

  /**
   * Scalars up to the target; where several share a name, chance decides which are cut or left out. Names that the
   * target has not are left out; what is used whole is in it whole or not at all.
   */
  shrink(target: ResourceQuantities, random: Pick<Random, 'next'>): Resources {
    return target.isEmpty ? Resources.empty : this.#became(shrunk(this.list, target, random));
  }

  /** As `shrink`, but names that have no limit stay as they are. */
  shrinkToLimits(limits: ResourceLimits, random: Pick<Random, 'next'>): Resources {
    return limits.isEmpty ? this : this.#became(shrunk(this.list, limits, random));
  }

  /**
   * Such amounts, with the reservations they have here: for each first from what is reserved to the role it names, then
   * what is unreserved, then anything. undefined if they are not found.
   */
  find(target: Resources): Resources | undefined {
    const pieces = found(this.list, target.list);
    return pieces && Resources.wrap(pieces);
  }

  /** @throws {ResourceConversionError} if what it consumes is not there */
  apply({ consumed, converted, takesEveryCopy }: ResourceConversion): Resources {
    if (!this.contains(consumed)) {
      throw new ResourceConversionError(
        `Cannot make ${String(converted)} of ${String(consumed)}: ${String(consumed.minus(this))} is missing in ${String(this)}`,
      );
    }
    const rest = this.minus(consumed);
    if (takesEveryCopy === true && consumed.list.some((entry) => count(rest.list, entry) > 0)) {
      throw new ResourceConversionError(`Cannot make ${String(converted)}: other copies of ${String(consumed)} remain`);
    }
    return rest.plus(converted);
  }

  filter(keep: (resource: Resource) => boolean): Resources {
    return this.#select((entry) => keep(entry.toResource()));
  }

  #allTraits(): number {
    if (this.#traits !== -1) return this.#traits;
    return (this.#traits = traitsOf(this.list));
  }

  /** The entries that have, or have not, one trait. */
  #with(trait: number, has: boolean): Resources {
    if ((this.#allTraits() & trait) === 0) return has ? Resources.empty : this;
    const kept: Entry[] = [];
    for (const entry of this.list) if (((entry.metadata.traits & trait) !== 0) === has) kept.push(entry);
    return this.#kept(kept);
  }

  #select(keep: (entry: Entry) => boolean): Resources {
    return this.#kept(this.list.filter(keep));
  }

  /** Of some of this one's entries. */
  #kept(list: readonly Entry[]): Resources {
    return list.length === this.list.length ? this : Resources.wrap(list);
  }

  /** Of what became of this one's entries: it itself if that is its own list. */
  #became(list: readonly Entry[]): Resources {
    return list === this.list ? this : Resources.wrap(list);
  }

  #allocatedTo(role: string | undefined): Resources {
    const { list } = this;
    const before = list[0]?.metadata.allocationRole;
    for (const { metadata } of list) {
      // What was apart by this may now be the same.
      if (metadata.allocationRole !== before) return this.#mapMetadata((each) => each.allocatedTo(role));
    }
    if (before === role) return this;
    const result: Entry[] = [];
    for (const entry of list) result.push(entry.withMetadata(entry.metadata.allocatedTo(role)));
    const allocated = this.#became(result);
    if (before === undefined) allocated.#unallocated = this;
    return allocated;
  }

  #mapMetadata(change: (metadata: Metadata) => Metadata): Resources {
    const list: Entry[] = [];
    let isChanged = false;
    for (const entry of this.list) {
      const metadata = change(entry.metadata);
      if (metadata !== entry.metadata) isChanged = true;
      addTo(list, entry.withMetadata(metadata), 0);
    }
    return isChanged ? new Resources(list) : this;
  }
}
