import { expect } from 'chai';
import fc from 'fast-check';
import { type Resource, ResourceQuantities, Resources } from '../../src/index.ts';
import { anyResource, anyResources } from './samples.ts';

/** Other than it was in one thing. */
const changes: readonly ((resource: Resource) => object)[] = [
  ({ name }) => ({ name: `${name}x` }),
  () => ({ allocationRole: 'other' }),
  () => ({ reservations: [{ type: 'DYNAMIC', role: 'r' }] }),
  () => ({ disk: { persistence: { id: 'v' } } }),
  () => ({ revocable: true }),
  () => ({ providerId: 'p' }),
  () => ({ shared: true }),
  () => ({ scalar: 0.5 }),
  () => ({ ranges: [{ begin: 1, end: 1_000_000 }] }),
  () => ({ set: ['other'] }),
  () => ({ type: 'SET' }),
  () => bare,
];
const bare = {
  reservations: undefined,
  disk: undefined,
  revocable: undefined,
  providerId: undefined,
  shared: undefined,
};

/** Plain ones but for a few: one that is not makes the whole list something else. */
const mostlyPlain = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: anyResource.map((resource) => ({ ...resource, ...bare }) as unknown as Resource) },
    anyResource,
  ),
  { maxLength: 3 },
);

function isPlain({ type, reservations, disk, revocable, providerId, shared }: Resource): boolean {
  return type !== 'SET' && [reservations, disk, revocable, providerId, shared].every((field) => field === undefined);
}

describe('resources: the form that is known already', () => {
  it('is that of plain scalars and ranges, as messages have them', () => {
    fc.assert(
      fc.property(anyResources, fc.constantFrom('', 'r'), (some, role) => {
        const plain = some.filter(isPlain);
        const resources = role === '' ? plain : plain.allocate(role);
        expect(resources.isWrittenAs(structuredClone([...resources]))).to.equal(true);
        expect(some.isWrittenAs([...some])).to.equal([...some].every(isPlain));
      }),
    );
  });

  it('never is that of something else', () => {
    let written = 0;
    fc.assert(
      fc.property(mostlyPlain, fc.nat(), fc.constantFrom(...changes), (list, at, change) => {
        const resources = Resources.of(list);
        const wire = [...resources];
        const changed = wire.map((one, i) => (i === at % wire.length ? { ...one, ...change(one) } : one)) as Resource[];
        for (const given of [list, changed, wire.slice(1), [...wire, ...wire.slice(0, 1)]]) {
          if (!resources.isWrittenAs(given)) continue;
          written++;
          expect(Resources.of(given).equals(resources), JSON.stringify(given)).to.equal(true);
        }
      }),
      { numRuns: 2000 },
    );
    expect(written).to.be.greaterThan(100);
  });
});

describe('resources: chance', () => {
  it('has a say in what is cut only where there is room for some of a name, and not for all', () => {
    const drawn = (from: string, target: string): boolean => {
      let draws = 0;
      const random = { next: () => draws++ && 0 };
      Resources.parse(from).shrink(ResourceQuantities.parse(target), random);
      return draws > 0;
    };
    expect(drawn('disk:6;disk[MOUNT:/a]:8', 'disk:8')).to.equal(true);
    expect(drawn('disk:6;disk[MOUNT:/a]:8', 'disk:14')).to.equal(false);
    expect(drawn('disk:6;disk[MOUNT:/a]:8', 'cpus:1')).to.equal(false);
    expect(drawn('disk:6;cpus:8', 'disk:1;cpus:1')).to.equal(false);
    expect(drawn('disk:6;cpus:8;disk[PATH:/a]:1', 'disk:6;cpus:1')).to.equal(true);
  });
});
