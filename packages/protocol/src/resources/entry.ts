import { INDIVISIBLE, Metadata, sameMetadata } from './metadata.ts';
import { coalesce, differenceOfRanges, rangesContain, sameRanges, unionOfRanges, type Ranges } from './ranges.ts';
import type { Resource, ResourceMetadata } from './resource.ts';
import { fromThousandths, MAX_SCALAR, MAX_THOUSANDTHS, toThousandths } from './scalar.ts';

// The inside of `Resources`. Allocation runs compare and add these by the million, so every entry has the same shape
// whatever its type (one hidden class), scalars are kept as integers, and entries with the same metadata share it.

const NO_RANGES: Ranges = [];
const NO_ITEMS: ReadonlySet<string> = new Set();

export class Entry {
  readonly metadata: Metadata;
  readonly thousandths: number;
  readonly ranges: Ranges;
  readonly items: ReadonlySet<string>;
  /** How often a shared one is there; 1 for all others. */
  readonly copies: number;

  constructor(metadata: Metadata, thousandths: number, ranges: Ranges, items: ReadonlySet<string>, copies: number) {
    this.metadata = metadata;
    this.thousandths = thousandths;
    this.ranges = ranges;
    this.items = items;
    this.copies = copies;
  }

  /** Expects a valid resource. */
  static of(resource: Resource): Entry {
    const metadata = Metadata.of(resource);
    switch (resource.type) {
      case 'SCALAR':
        return Entry.scalar(metadata, toThousandths(resource.scalar));
      case 'RANGES':
        return new Entry(metadata, 0, coalesce(resource.ranges), NO_ITEMS, 1);
      case 'SET':
        return new Entry(metadata, 0, NO_RANGES, new Set(resource.set), 1);
    }
  }

  static scalar(metadata: Metadata, thousandths: number): Entry {
    return new Entry(metadata, thousandths, NO_RANGES, NO_ITEMS, 1);
  }

  withMetadata(metadata: Metadata): Entry {
    return new Entry(metadata, this.thousandths, this.ranges, this.items, this.copies);
  }

  withThousandths(thousandths: number): Entry {
    return new Entry(this.metadata, thousandths, NO_RANGES, NO_ITEMS, this.copies);
  }

  /** Whether it is certain that `of` would make the same of the resource. */
  isWrittenAs(resource: Resource): boolean {
    const { metadata } = this;
    if (!metadata.isWrittenAs(resource)) return false;
    const { type } = resource;
    if (type === 'SET' || 'set' in resource) return false;
    if (type === 'RANGES') return !('scalar' in resource) && sameRanges(this.ranges, resource.ranges);
    return !('ranges' in resource) && this.thousandths === toThousandths(resource.scalar);
  }

  get isEmpty(): boolean {
    return this.thousandths === 0 && this.ranges.length === 0 && this.items.size === 0;
  }

  /** Whether the two can be added to, taken from and compared with each other. */
  meets(other: Entry): boolean {
    const { metadata } = this;
    if (!sameMetadata(metadata, other.metadata)) return false;
    return (metadata.traits & INDIVISIBLE) === 0 || this.sameAmount(other);
  }

  /**
   * The three below expect entries that meet, and this one none that is to stay apart.
   *
   * @throws {RangeError} if the sum is too large to be exact
   */
  plus(other: Entry): Entry {
    const { metadata } = this;
    if (metadata.isShared) {
      return new Entry(metadata, this.thousandths, this.ranges, this.items, this.copies + other.copies);
    }
    switch (metadata.type) {
      case 'SCALAR': {
        const sum = this.thousandths + other.thousandths;
        if (sum > MAX_THOUSANDTHS) {
          throw new RangeError(`Cannot add up resources: the sum of ${metadata.name} is larger than ${MAX_SCALAR}`);
        }
        return new Entry(metadata, sum, NO_RANGES, NO_ITEMS, 1);
      }
      case 'RANGES':
        return new Entry(metadata, 0, unionOfRanges(this.ranges, other.ranges), NO_ITEMS, 1);
      case 'SET':
        return new Entry(metadata, 0, NO_RANGES, unionOfSets(this.items, other.items), 1);
    }
  }

  /** What is left; undefined when that is nothing, and never a negative amount. */
  minus(other: Entry): Entry | undefined {
    const { metadata } = this;
    if ((metadata.traits & INDIVISIBLE) !== 0) {
      const copies = metadata.isShared ? this.copies - other.copies : 0;
      return copies > 0 ? new Entry(metadata, this.thousandths, this.ranges, this.items, copies) : undefined;
    }
    switch (metadata.type) {
      case 'SCALAR': {
        const rest = this.thousandths - other.thousandths;
        return rest > 0 ? new Entry(metadata, rest, NO_RANGES, NO_ITEMS, 1) : undefined;
      }
      case 'RANGES': {
        const rest = differenceOfRanges(this.ranges, other.ranges);
        return rest.length > 0 ? new Entry(metadata, 0, rest, NO_ITEMS, 1) : undefined;
      }
      case 'SET': {
        const rest = differenceOfSets(this.items, other.items);
        return rest.size > 0 ? new Entry(metadata, 0, NO_RANGES, rest, 1) : undefined;
      }
    }
  }

  contains(other: Entry): boolean {
    if (this.copies < other.copies) return false;
    switch (this.metadata.type) {
      case 'SCALAR':
        return this.thousandths >= other.thousandths;
      case 'RANGES':
        return rangesContain(this.ranges, other.ranges);
      case 'SET':
        return setContains(this.items, other.items);
    }
  }

  sameAmount(other: Entry): boolean {
    switch (this.metadata.type) {
      case 'SCALAR':
        return this.thousandths === other.thousandths;
      case 'RANGES':
        return sameRanges(this.ranges, other.ranges);
      case 'SET':
        return this.items.size === other.items.size && setContains(this.items, other.items);
    }
  }

  /** One copy of it. */
  toResource(): Resource {
    const { name, type } = this.metadata;
    switch (type) {
      case 'SCALAR':
        return withMetadata({ name, type, scalar: fromThousandths(this.thousandths) }, this.metadata);
      case 'RANGES':
        return withMetadata({ name, type, ranges: this.ranges }, this.metadata);
      case 'SET':
        return withMetadata({ name, type, set: [...this.items] }, this.metadata);
    }
  }
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/**
 * Absent fields are left out, not undefined: this is what goes over the wire. Assigned and not spread, which is fifty
 * times slower in V8.
 */
function withMetadata<Value extends { name: string }>(resource: Value, metadata: Metadata): Value {
  const fields: Writable<ResourceMetadata> = resource;
  if (metadata.reservations.length > 0) fields.reservations = metadata.reservations;
  if (metadata.allocationRole !== undefined) fields.allocationRole = metadata.allocationRole;
  if (metadata.disk !== undefined) fields.disk = metadata.disk;
  if (metadata.isRevocable) fields.revocable = true;
  if (metadata.providerId !== undefined) fields.providerId = metadata.providerId;
  if (metadata.isShared) fields.shared = true;
  return resource;
}

function unionOfSets(left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> {
  const result = new Set(left);
  for (const item of right) result.add(item);
  return result;
}

function differenceOfSets(left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> {
  const result = new Set<string>();
  for (const item of left) if (!right.has(item)) result.add(item);
  return result;
}

function setContains(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  if (right.size > left.size) return false;
  for (const item of right) if (!left.has(item)) return false;
  return true;
}
