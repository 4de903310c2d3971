import fc from 'fast-check';
import { type DiskInfo, type Reservation, type Resource, Resources } from '../../src/index.ts';

// Few names, roles and numbers, so that amounts meet often.

const ads: Reservation = { type: 'STATIC', role: 'ads' };
const dynamic: Reservation = { type: 'DYNAMIC', role: 'ads', principal: 'ops' };
const labelled: Reservation = { type: 'DYNAMIC', role: 'ads', labels: [{ key: 'a', value: '1' }, { key: 'b' }] };
const refinement: Reservation = { type: 'DYNAMIC', role: 'ads/web', principal: 'x, y: {z}' };

const metadata = fc
  .record({
    reservations: fc.constantFrom(undefined, undefined, [ads], [dynamic], [labelled], [ads, refinement]),
    allocationRole: fc.constantFrom(undefined, undefined, 'ads', 'batch'),
    revocable: fc.constantFrom(undefined, undefined, undefined, true as const),
    providerId: fc.constantFrom(undefined, undefined, undefined, 'p1'),
  })
  .map(({ reservations, allocationRole, revocable, providerId }) => ({
    ...(reservations === undefined ? undefined : { reservations }),
    ...(allocationRole === undefined ? undefined : { allocationRole }),
    ...(revocable === undefined ? undefined : { revocable }),
    ...(providerId === undefined ? undefined : { providerId }),
  }));

const thousandths = fc.integer({ min: 0, max: 20_000 });

const scalar = fc
  .tuple(fc.constantFrom('cpus', 'mem'), metadata, thousandths)
  .map(([name, data, amount]): Resource => ({ name, ...data, type: 'SCALAR', scalar: amount / 1000 }));

const range = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 9 }))
  .map(([begin, length]) => ({ begin, end: begin + length }));

const ranges = fc
  .tuple(metadata, fc.array(range, { maxLength: 5 }))
  .map(([data, list]): Resource => ({ name: 'ports', ...data, type: 'RANGES', ranges: list }));

const set = fc
  .tuple(metadata, fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd e', '"'), { maxLength: 4 }))
  .map(([data, list]): Resource => ({ name: 'zones', ...data, type: 'SET', set: list }));

const source: fc.Arbitrary<DiskInfo['source']> = fc.constantFrom(
  undefined,
  undefined,
  { type: 'PATH', root: '/data' },
  { type: 'MOUNT', root: '/mnt/1' },
  { type: 'MOUNT', root: '/mnt/2', id: 'm2', profile: 'fast', vendor: 'org.example' },
  { type: 'BLOCK', id: 'b1', metadata: [{ key: 'k', value: 'v w' }] },
  { type: 'RAW' },
  { type: 'RAW', id: 'r1' },
);

const diskInfo = fc
  .tuple(source, fc.constantFrom(undefined, 'v1', 'v2', 'RAW'), fc.boolean())
  .map(([from, id, isMounted]): DiskInfo | undefined => {
    if (from === undefined && id === undefined) return undefined;
    return {
      ...(id === undefined ? undefined : { persistence: { id, ...(isMounted ? { principal: 'ops' } : undefined) } }),
      ...(id === undefined || !isMounted ? undefined : { volume: { containerPath: 'data', mode: 'RW' as const } }),
      ...(from === undefined ? undefined : { source: from }),
    };
  });

const disk = fc
  .tuple(metadata, diskInfo, fc.constantFrom(1, 2, 20.5), fc.boolean())
  .map(([data, info, amount, isShared]): Resource => ({
    name: 'disk',
    ...data,
    ...(info === undefined ? undefined : { disk: info }),
    ...(isShared && info?.persistence !== undefined ? { shared: true } : undefined),
    type: 'SCALAR',
    scalar: amount,
  }));

export const anyResource: fc.Arbitrary<Resource> = fc.oneof(scalar, ranges, set, disk);

export const anyResources: fc.Arbitrary<Resources> = fc.array(anyResource, { maxLength: 8 }).map(Resources.of);

/** Numbers of a range that are in it, as a plain model of range arithmetic. */
export function numbers(resources: Resources, name = 'ports'): Set<number> {
  const result = new Set<number>();
  for (const { begin, end } of resources.ranges(name)) for (let n = begin; n <= end; n += 1) result.add(n);
  return result;
}
