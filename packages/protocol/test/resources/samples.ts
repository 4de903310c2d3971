import fc from 'fast-check';
import { Resources, type Resource } from '../../src/index.ts';

// Few names, roles and numbers, so that amounts meet often.
const metadata = (name: string) =>
  fc
    .record({
      role: fc.constantFrom(undefined, undefined, 'ads', 'eng/web'),
      allocationRole: fc.constantFrom(undefined, undefined, 'ads', 'batch'),
    })
    .map(({ role, allocationRole }) => ({
      name,
      ...(role === undefined ? undefined : { role }),
      ...(allocationRole === undefined ? undefined : { allocationRole }),
    }));

const scalar = fc
  .constantFrom('cpus', 'mem')
  .chain((name) => fc.tuple(metadata(name), fc.integer({ min: 0, max: 20_000 })))
  .map(([data, thousandths]): Resource => ({
    ...data,
    type: 'SCALAR',
    scalar: thousandths / 1000,
  }));

const range = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 9 }))
  .map(([begin, length]) => ({ begin, end: begin + length }));

const ranges = fc
  .tuple(metadata('ports'), fc.array(range, { maxLength: 5 }))
  .map(([data, list]): Resource => ({ ...data, type: 'RANGES', ranges: list }));

const set = fc
  .tuple(metadata('zones'), fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 4 }))
  .map(([data, list]): Resource => ({ ...data, type: 'SET', set: list }));

export const anyResource: fc.Arbitrary<Resource> = fc.oneof(scalar, ranges, set);

export const anyResources: fc.Arbitrary<Resources> = fc.array(anyResource, { maxLength: 8 }).map(Resources.of);

/** Numbers of a range that are in it, as a plain model of range arithmetic. */
export function numbers(resources: Resources, name = 'ports'): Set<number> {
  const result = new Set<number>();
  for (const { begin, end } of resources.ranges(name)) for (let n = begin; n <= end; n += 1) result.add(n);
  return result;
}
