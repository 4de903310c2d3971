import { isStrictSubrole, UNRESERVED } from '../roles.ts';
import { Entry, Metadata, sameMetadata } from './entry.ts';
import { parseResources } from './parse.ts';
import { unionOfRanges, type Ranges } from './ranges.ts';
import { resourceFault, type Resource } from './resource.ts';
import { fromThousandths } from './scalar.ts';

// Not a static field: TypeScript 7.0 emits an initializer that runs before the class has its name.
let nothing: Resources | undefined;

/**
 * An immutable amount of resources. Amounts of one name stay apart when their metadata differ: `cpus:1` and
 * `cpus(ads):1` do not add up to 2 and neither can be taken from the other.
 *
 * Results may share parts with, or be, their operands.
 */
export class Resources implements Iterable<Resource> {
  static get empty(): Resources {
    return (nothing ??= new Resources([]));
  }

  // No two entries have the same metadata, none is empty. Not a #private field: assertions compare enumerable ones.
  private readonly list: readonly Entry[];
  #wire: readonly Resource[] | undefined;
  #quantities: ReadonlyMap<string, number> | undefined;

  private constructor(list: readonly Entry[]) {
    this.list = list;
  }

  /**
   * Adds up resources. As in Mesos, empty and invalid ones are left out; ask `resourceFault` first where the sender
   * must be told.
   */
  static of(resources: Iterable<Resource>): Resources {
    const list: Entry[] = [];
    for (const resource of resources) {
      if (resourceFault(resource) === undefined) addTo(list, Entry.of(resource));
    }
    return Resources.wrap(list);
  }

  /**
   * Reads `cpus:4;mem(ads):8192;ports:[31000-32000];zones:{a,b}`. White space is ignored. Zero amounts are left out.
   *
   * @param defaultRole the role of entries that name none; `*` reserves to nobody
   * @throws {ResourcesParseError} with the text, a caret below the character, what was found and what was expected
   */
  static parse(text: string, defaultRole: string = UNRESERVED): Resources {
    return Resources.of(parseResources(text, defaultRole));
  }

  static sum(all: Iterable<Resources>): Resources {
    const list: Entry[] = [];
    for (const resources of all) for (const entry of resources.list) addTo(list, entry);
    return Resources.wrap(list);
  }

  private static wrap(list: readonly Entry[]): Resources {
    return list.length === 0 ? Resources.empty : new Resources(list);
  }

  get isEmpty(): boolean {
    return this.list.length === 0;
  }

  /** The form for messages, made once. */
  get entries(): readonly Resource[] {
    this.#wire ??= this.list.map((entry) => entry.toResource());
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
    return this.list.join(';');
  }

  plus(other: Resources): Resources {
    if (other.list.length === 0) return this;
    if (this.list.length === 0) return other;
    const list = [...this.list];
    for (const entry of other.list) addTo(list, entry);
    return new Resources(list);
  }

  /** Takes away what is there of `other`; what is not there changes nothing, and nothing becomes negative. */
  minus(other: Resources): Resources {
    if (this.list.length === 0 || other.list.length === 0) return this;
    let list: Entry[] | undefined;
    for (const entry of other.list) {
      const at = indexOf(list ?? this.list, entry.metadata);
      if (at === -1) continue;
      list ??= [...this.list];
      const rest = list[at]?.minus(entry);
      if (rest === undefined || rest.isEmpty) list.splice(at, 1);
      else list[at] = rest;
    }
    return list === undefined ? this : Resources.wrap(list);
  }

  contains(other: Resources): boolean {
    if (other === this) return true;
    for (const entry of other.list) {
      const own = this.#find(entry.metadata);
      if (own === undefined || !own.contains(entry)) return false;
    }
    return true;
  }

  /** Same amounts with the same metadata, in any order. */
  equals(other: Resources): boolean {
    if (other === this) return true;
    if (other.list.length !== this.list.length) return false;
    for (const entry of other.list) {
      const own = this.#find(entry.metadata);
      if (own === undefined || !own.sameAmount(entry)) return false;
    }
    return true;
  }

  /** The sum over all scalars of that name, whatever their metadata; 0 when there is none. */
  scalar(name: string): number {
    let thousandths = 0;
    for (const entry of this.list) if (entry.metadata.name === name) thousandths += entry.thousandths;
    return fromThousandths(thousandths);
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

  /** Marks everything as given to `role`. */
  allocate(role: string): Resources {
    return this.#mapMetadata(
      ({ allocationRole }) => allocationRole === role,
      (old) => new Metadata(old.name, old.type, old.role, role),
    );
  }

  unallocate(): Resources {
    return this.#mapMetadata(
      ({ allocationRole }) => allocationRole === undefined,
      (old) => new Metadata(old.name, old.type, old.role, undefined),
    );
  }

  /** The same amounts, reserved to nobody. */
  toUnreserved(): Resources {
    return this.#mapMetadata(
      ({ role }) => role === UNRESERVED,
      (old) => new Metadata(old.name, old.type, UNRESERVED, old.allocationRole),
    );
  }

  /** What is reserved to nobody. */
  unreserved(): Resources {
    return this.#select(({ metadata }) => metadata.role === UNRESERVED);
  }

  /** What is reserved to exactly this role. */
  reservedTo(role: string): Resources {
    return this.#select(({ metadata }) => metadata.role === role && role !== UNRESERVED);
  }

  /** What may be offered to a role: unreserved, reserved to it, or reserved to one of its ancestors. */
  allocatableTo(role: string): Resources {
    return this.#select(
      ({ metadata }) => metadata.role === UNRESERVED || metadata.role === role || isStrictSubrole(role, metadata.role),
    );
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
    return new Map([...groups].map(([role, list]) => [role, new Resources(list)]));
  }

  /** Scalars summed by name without their metadata. Made once: sorters read it in every allocation run. */
  scalarQuantities(): ReadonlyMap<string, number> {
    if (this.#quantities !== undefined) return this.#quantities;
    const thousandths = new Map<string, number>();
    for (const entry of this.list) {
      if (entry.metadata.type !== 'SCALAR') continue;
      const { name } = entry.metadata;
      thousandths.set(name, (thousandths.get(name) ?? 0) + entry.thousandths);
    }
    for (const [name, sum] of thousandths) thousandths.set(name, fromThousandths(sum));
    this.#quantities = thousandths;
    return thousandths;
  }

  /** The scalars with their metadata, without ranges and sets. */
  scalarsOnly(): Resources {
    return this.#select(({ metadata }) => metadata.type === 'SCALAR');
  }

  filter(keep: (resource: Resource) => boolean): Resources {
    const wire = this.entries;
    return this.#select((_, index) => {
      const resource = wire[index];
      return resource !== undefined && keep(resource);
    });
  }

  #find(metadata: Metadata): Entry | undefined {
    return this.list[indexOf(this.list, metadata)];
  }

  #select(keep: (entry: Entry, index: number) => boolean): Resources {
    const kept = this.list.filter(keep);
    return kept.length === this.list.length ? this : Resources.wrap(kept);
  }

  #mapMetadata(isDone: (metadata: Metadata) => boolean, change: (metadata: Metadata) => Metadata): Resources {
    if (this.list.every(({ metadata }) => isDone(metadata))) return this;
    const list: Entry[] = [];
    // What was apart may now be the same, so each is added anew.
    for (const entry of this.list) addTo(list, entry.withMetadata(change(entry.metadata)));
    return new Resources(list);
  }
}

function indexOf(list: readonly Entry[], metadata: Metadata): number {
  for (let i = 0; i < list.length; i += 1) {
    const entry = list[i];
    if (entry !== undefined && sameMetadata(entry.metadata, metadata)) return i;
  }
  return -1;
}

function addTo(list: Entry[], entry: Entry): void {
  if (entry.isEmpty) return;
  const at = indexOf(list, entry.metadata);
  const own = list[at];
  if (own === undefined) list.push(entry);
  else list[at] = own.plus(entry);
}
