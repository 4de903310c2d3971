import { roleFault } from '../roles.ts';
import { diskFault, type DiskInfo } from './disk.ts';
import { faultAt, type Fault } from './fault.ts';
import { rangesFault, type Range } from './ranges.ts';
import { type Reservation, reservationsFault, roleOfReservations } from './reservation.ts';
import { MAX_SCALAR, MAX_THOUSANDTHS, scalarFault, toThousandths } from './scalar.ts';

/** What tells two amounts of the same name apart. */
export interface ResourceMetadata {
  /** `cpus`, `mem` (MB), `disk` (MB), `gpus`, `ports`, or any name of one's own. */
  readonly name: string;
  /** For whom it is kept. Absent: for nobody. */
  readonly reservations?: readonly Reservation[] | undefined;
  /** The role to which the allocator gave it, on everything that is offered or used. */
  readonly allocationRole?: string | undefined;
  /** Only with `disk`. */
  readonly disk?: DiskInfo | undefined;
  /** The agent may take it back at any time. */
  readonly revocable?: true | undefined;
  /** The resource provider it is from; absent for the agent itself. */
  readonly providerId?: string | undefined;
  /** Several tasks may use it at once. Only with persistent volumes. */
  readonly shared?: true | undefined;
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
export type ResourceType = Resource['type'];

/** Says what is wrong with a resource that came from outside, or undefined. Zero and empty amounts are valid. */
export function resourceFault(resource: Resource): string | undefined {
  const fault = faultOfResource(resource);
  if (fault === undefined) return undefined;
  return resource.name === '' ? fault.reason : `resource ${JSON.stringify(resource.name)}: ${fault.reason}`;
}

/** As `resourceFault` for all of them; also when the sum of a name is too large to be exact. */
export function resourcesFault(resources: Iterable<Resource>): string | undefined {
  const sums = new Map<string, number>();
  for (const resource of resources) {
    const fault = resourceFault(resource);
    if (fault !== undefined) return fault;
    if (resource.type !== 'SCALAR') continue;
    const { name, scalar } = resource;
    const sum = (sums.get(name) ?? 0) + toThousandths(scalar);
    if (sum > MAX_THOUSANDTHS) return `the sum of resource ${JSON.stringify(name)} is larger than ${MAX_SCALAR}`;
    sums.set(name, sum);
  }
  return undefined;
}

/** As `resourceFault`, with the way to the faulty part. */
export function faultOfResource(resource: Resource): Fault | undefined {
  const { name, allocationRole, reservations, disk, shared } = resource;
  if (name === '') return { path: ['name'], reason: 'a resource must have a name' };
  const amount = amountFault(resource);
  if (amount !== undefined) return amount;
  if (reservations !== undefined) {
    const fault = reservationsFault(reservations);
    if (fault !== undefined) return within('reservations', fault);
  }
  if (allocationRole !== undefined) {
    const fault = roleFault(allocationRole);
    if (fault !== undefined) return faultAt(['allocationRole'], fault);
  }
  if (disk !== undefined) {
    const fault = diskFaultOf(resource, disk);
    if (fault !== undefined) return fault;
  }
  if (shared === true && disk?.persistence === undefined) {
    return { path: ['shared'], reason: 'only persistent volumes can be shared' };
  }
  return undefined;
}

function within(part: string, { path, reason }: Fault): Fault {
  return { path: [part, ...path], reason };
}

function diskFaultOf({ name, type }: Resource, disk: DiskInfo): Fault | undefined {
  if (name !== 'disk') return { path: ['disk'], reason: 'only the resource "disk" has information about disks' };
  if (type !== 'SCALAR')
    return { path: ['disk'], reason: `disk with information about disks is a SCALAR, not ${type}` };
  const fault = diskFault(disk);
  return fault && within('disk', fault);
}

function amountFault(resource: Resource): Fault | undefined {
  const { type } = resource;
  switch (resource.type) {
    case 'SCALAR':
      if ('ranges' in resource || 'set' in resource) break;
      return faultAt(['scalar'], scalarFault(resource.scalar));
    case 'RANGES':
      if ('scalar' in resource || 'set' in resource) break;
      return faultAt(['ranges'], rangesFault(resource.ranges));
    case 'SET':
      if ('scalar' in resource || 'ranges' in resource) break;
      return faultAt(['set'], setFault(resource.set));
    default:
      return { path: ['type'], reason: `the type is one of SCALAR, RANGES, SET, not ${JSON.stringify(type)}` };
  }
  return { path: ['type'], reason: `of type ${type} it must have that value only` };
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
  return roleOfReservations(resource.reservations);
}
