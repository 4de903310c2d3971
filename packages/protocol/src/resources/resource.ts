import { roleFault, UNRESERVED } from '../roles.ts';
import { rangesFault, type Range } from './ranges.ts';
import { scalarFault } from './scalar.ts';

/** What tells two amounts of the same name apart. */
export interface ResourceMetadata {
  /** `cpus`, `mem` (MB), `disk` (MB), `gpus`, `ports`, or any name of one's own. */
  readonly name: string;
  /** The role of a static reservation. Absent means `*`: reserved to nobody. */
  readonly role?: string | undefined;
  /** The role to which the allocator gave it, on everything that is offered or used. */
  readonly allocationRole?: string | undefined;
}

export interface ScalarResource extends ResourceMetadata {
  readonly type: 'SCALAR';
  /** Three decimals; further digits are rounded. */
  readonly scalar: number;
}

export interface RangesResource extends ResourceMetadata {
  readonly type: 'RANGES';
  readonly ranges: readonly Range[];
}

export interface SetResource extends ResourceMetadata {
  readonly type: 'SET';
  readonly set: readonly string[];
}

/** One amount as it travels in messages. Arithmetic is done by `Resources`. */
export type Resource = ScalarResource | RangesResource | SetResource;

/** Says what is wrong with a resource that came from outside, or undefined. Zero and empty amounts are valid. */
export function resourceFault(resource: Resource): string | undefined {
  if (resource.name === '') return 'a resource must have a name';
  const fault = roleOfResourceFault(resource) ?? valueFault(resource);
  return fault === undefined ? undefined : `resource ${JSON.stringify(resource.name)}: ${fault}`;
}

function roleOfResourceFault({ role, allocationRole }: ResourceMetadata): string | undefined {
  const reservation = role === undefined ? undefined : roleFault(role);
  if (reservation !== undefined) return reservation;
  return allocationRole === undefined ? undefined : roleFault(allocationRole);
}

function valueFault(resource: Resource): string | undefined {
  switch (resource.type) {
    case 'SCALAR':
      return scalarFault(resource.scalar);
    case 'RANGES':
      return rangesFault(resource.ranges);
    case 'SET':
      return setFault(resource.set);
  }
}

function setFault(items: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const item of items) {
    if (seen.has(item)) return `item ${JSON.stringify(item)} appears twice`;
    seen.add(item);
  }
  return undefined;
}

/** The role a resource is reserved to, `*` when to nobody. */
export function reservationRole(resource: ResourceMetadata): string {
  return resource.role ?? UNRESERVED;
}
