import { roleFault, UNRESERVED } from '../roles.ts';
import { readJson } from './json-form.ts';
import { ResourcesParseError } from './parse-error.ts';
import { faultOfResource, type Resource } from './resource.ts';
import { MAX_SCALAR, MAX_THOUSANDTHS, toThousandths } from './scalar.ts';
import { readText } from './text-form.ts';

/** A resource and where its parts are in the text. */
export interface Placed {
  readonly resource: Resource;
  /** The character at which a part begins, named by the way to it; where the part is not, of what would hold it. */
  positionOf(path: readonly (string | number)[]): number;
}

/**
 * Reads the text form or a JSON array of Mesos's resource objects into its entries as written: not added up, zero
 * amounts kept (an agent must tell `cpus:0` from no word about cpus).
 *
 * @param defaultRole the role of entries that name none; `*` reserves to nobody
 * @throws {ResourcesParseError}
 */
export function parseResources(text: string, defaultRole: string = UNRESERVED): Resource[] {
  return placedResources(text, defaultRole).map(({ resource }) => resource);
}

/**
 * As `parseResources`, for the resources that an agent is started with: what only operations and the agent itself can
 * make is refused (persistent volumes, revocable resources, dynamic reservations, allocations).
 *
 * @throws {ResourcesParseError}
 */
export function parseAgentResources(text: string, defaultRole: string = UNRESERVED): Resource[] {
  const placed = placedResources(text, defaultRole);
  for (const { resource, positionOf } of placed) {
    const refuse = (path: readonly (string | number)[], expected: string, found: string): never => {
      throw new ResourcesParseError(text, positionOf(path), expected, found);
    };
    const { reservations = [], disk, revocable, allocationRole } = resource;
    const dynamic = reservations.findIndex(({ type }) => type === 'DYNAMIC');
    if (dynamic !== -1) refuse(['reservations', dynamic], 'static reservations only', 'a dynamic reservation');
    if (disk?.persistence !== undefined) refuse(['disk', 'persistence'], 'no persistent volume', 'one');
    if (revocable === true) refuse(['revocable'], 'no revocable resource', 'one');
    if (allocationRole !== undefined) refuse(['allocationRole'], 'no allocated resource', 'one');
  }
  return placed.map(({ resource }) => resource);
}

function placedResources(text: string, defaultRole: string): Placed[] {
  const fault = roleFault(defaultRole);
  if (fault !== undefined) throw new RangeError(`Invalid default role for resources: ${fault}`);
  const placed = /^\s*\[/.test(text) ? readJson(text, defaultRole) : readText(text, defaultRole);
  judge(text, placed);
  return placed;
}

/** What is wrong in the sense of it. */
function judge(text: string, placed: readonly Placed[]): void {
  const typeOfName = new Map<string, Resource['type']>();
  const sums = new Map<string, number>();
  for (const { resource, positionOf } of placed) {
    const fault = faultOfResource(resource);
    if (fault !== undefined) {
      throw new ResourcesParseError(text, positionOf(fault.path), 'a valid resource', `a fault: ${fault.reason}`);
    }
    const { name, type } = resource;
    const otherType = typeOfName.get(name) ?? type;
    typeOfName.set(name, otherType);
    if (otherType !== type) {
      const expected = `every ${JSON.stringify(name)} to be ${otherType}, as the first one`;
      throw new ResourcesParseError(text, positionOf(['name']), expected, type);
    }
    if (resource.type !== 'SCALAR') continue;
    const sum = (sums.get(name) ?? 0) + toThousandths(resource.scalar);
    if (sum > MAX_THOUSANDTHS) {
      const expected = `a sum of all ${JSON.stringify(name)} up to ${MAX_SCALAR}`;
      throw new ResourcesParseError(text, positionOf(['scalar']), expected, 'more');
    }
    sums.set(name, sum);
  }
}
