import { expect } from 'chai';
import fc from 'fast-check';
import {
  conversionsOf,
  type Resource,
  ResourceConversionError,
  type ResourceOperation,
  Resources,
  unallocatedConversion,
} from '../../src/index.ts';
import { anyResource, anyResources } from './samples.ts';

const parse = Resources.parse;
const text = (resources: Resources) => resources.toString();
const DYNAMIC = '(reservations: [(DYNAMIC,ads,ops)])';

function one(resource: string): Resource {
  const [entry] = parse(resource).entries;
  if (entry === undefined) throw new Error(`no resource in ${resource}`);
  return entry;
}

function after(resources: Resources | string, operation: ResourceOperation): Resources {
  let result = typeof resources === 'string' ? parse(resources) : resources;
  for (const conversion of conversionsOf(operation)) result = result.apply(conversion);
  return result;
}

describe('resource operations', () => {
  it('RES-20 reserve, unreserve, create and destroy convert, also MOUNT disks and shared volumes; destroy fails while copies remain', () => {
    const total = parse('cpus:4;mem:10;ports:[1-10]');
    const resources = parse(`cpus${DYNAMIC}:1;ports${DYNAMIC}:[3-4]`);
    const reserved = after(total, { type: 'RESERVE', resources });
    expect(text(reserved)).to.equal(`cpus:3;mem:10;ports:[1-2,5-10];cpus${DYNAMIC}:1;ports${DYNAMIC}:[3-4]`);
    expect(after(reserved, { type: 'UNRESERVE', resources }).equals(total)).to.equal(true);
    const refined = 'cpus(reservations: [(STATIC,ads), (DYNAMIC,ads/web)])';
    expect(text(after('cpus(ads):2', { type: 'RESERVE', resources: parse(`${refined}:1`) }))).to.equal(
      `cpus(ads):1;${refined}:1`,
    );
    expect(text(after(`${refined}:2`, { type: 'UNRESERVE', resources: parse(`${refined}:2`) }))).to.equal(
      'cpus(ads):2',
    );
    const from = {
      type: 'RESERVE',
      source: parse('cpus(reservations: [(DYNAMIC,eng)]):1'),
      resources: parse(`cpus${DYNAMIC}:1`),
    } as const;
    expect(text(after('cpus(reservations: [(DYNAMIC,eng)]):3;cpus:1', from))).to.equal(
      `cpus(reservations: [(DYNAMIC,eng)]):2;cpus:1;cpus${DYNAMIC}:1`,
    );
    expect(() => conversionsOf({ ...from, source: parse('cpus:2') })).to.throw(
      ResourceConversionError,
      /must be the same/,
    );
    expect(() => after('cpus:0.5', { type: 'RESERVE', resources: parse(`cpus${DYNAMIC}:1`) })).to.throw(
      ResourceConversionError,
      `Cannot make cpus${DYNAMIC}:1 of cpus:1: cpus:0.5 is missing in cpus:0.5`,
    );
    expect(() => after('cpus(ads):2', { type: 'UNRESERVE', resources: parse('cpus(ads):1') })).to.throw(
      ResourceConversionError,
      /Cannot unreserve cpus\(ads\):1: its last reservation must be DYNAMIC/,
    );
    expect(() => after('cpus:2', { type: 'RESERVE', resources: parse('cpus:1') })).to.throw(ResourceConversionError);

    const volumes = parse('disk(ads)[v1(ops):p:rw]:3;disk(ads)[PATH:/a,v2:p:rw]:2');
    const created = after('disk(ads):10;disk(ads)[PATH:/a]:5', { type: 'CREATE', volumes });
    expect(text(created)).to.equal(`disk(ads):7;disk(ads)[PATH:/a]:3;${String(volumes)}`);
    expect(text(after(created, { type: 'DESTROY', volumes }))).to.equal('disk(ads):10;disk(ads)[PATH:/a]:5');
    const mount = parse('disk(ads)[MOUNT:/a,v:p:rw]:5');
    expect(text(after('disk(ads)[MOUNT:/a]:5', { type: 'CREATE', volumes: mount }))).to.equal(text(mount));
    expect(text(after(mount, { type: 'DESTROY', volumes: mount }))).to.equal('disk(ads)[MOUNT:/a]:5');
    expect(() => after('disk(ads)[MOUNT:/a]:6', { type: 'CREATE', volumes: mount })).to.throw(
      ResourceConversionError,
      /disk\(ads\)\[MOUNT:\/a\]:5 is missing in disk\(ads\)\[MOUNT:\/a\]:6/,
    );
    expect(() => after('disk:5', { type: 'CREATE', volumes: parse('disk:5') })).to.throw(
      ResourceConversionError,
      /Cannot create disk:5: it is no persistent volume/,
    );
    expect(() => after('disk:5', { type: 'DESTROY', volumes: parse('disk:5') })).to.throw(ResourceConversionError);
    expect(() => after('disk(ads):5', { type: 'DESTROY', volumes: parse('disk(ads)[v]:5') })).to.throw(
      ResourceConversionError,
      /disk\(ads\)\[v\]:5 is missing/,
    );

    const shared = parse('disk(ads)[v:p:rw]<SHARED>:5');
    const withShared = after('disk(ads):8', { type: 'CREATE', volumes: shared });
    expect(text(withShared)).to.equal(`disk(ads):3;${String(shared)}`);
    expect(text(after(withShared, { type: 'DESTROY', volumes: shared }))).to.equal('disk(ads):8');
    expect(() => after(withShared.plus(shared), { type: 'DESTROY', volumes: shared })).to.throw(
      ResourceConversionError,
      /Cannot make disk\(ads\):5: other copies of disk\(ads\)\[v:p:rw\]<SHARED>:5 remain/,
    );
    // More copies for more tasks: nothing is consumed.
    expect(withShared.apply({ consumed: Resources.empty, converted: shared }).shared().entries).to.have.length(2);
  });

  it('grows a volume by plain disk and shrinks it back', () => {
    const volume = one('disk(ads)[v(ops):p:rw]:5');
    const grown = after('disk(ads)[v]:5;disk(ads):3', { type: 'GROW_VOLUME', volume, addition: one('disk(ads):2') });
    expect(text(grown)).to.equal('disk(ads):1;disk(ads)[v(ops):p:rw]:7');
    const small = after(grown, { type: 'SHRINK_VOLUME', volume: one('disk(ads)[v(ops):p:rw]:7'), subtract: 2 });
    expect(text(small)).to.equal('disk(ads):3;disk(ads)[v(ops):p:rw]:5');
    const path = one('disk(ads)[PATH:/a,v]:5');
    expect(
      text(
        after('disk(ads)[PATH:/a,v]:5;disk(ads)[PATH:/a]:2', {
          type: 'GROW_VOLUME',
          volume: path,
          addition: one('disk(ads)[PATH:/a]:1.5'),
        }),
      ),
    ).to.equal('disk(ads)[PATH:/a]:0.5;disk(ads)[PATH:/a,v]:6.5');
    const refused: [ResourceOperation, RegExp][] = [
      [
        { type: 'GROW_VOLUME', volume, addition: one('disk:1') },
        /it must be disk\(ads\)\[v\(ops\):p:rw\]:5 without persistence/,
      ],
      [{ type: 'GROW_VOLUME', volume, addition: one('disk(ads)[PATH:/a]:1') }, /without persistence and volume/],
      [{ type: 'GROW_VOLUME', volume: one('disk(ads):5'), addition: one('disk(ads):1') }, /no persistent volume/],
      [{ type: 'GROW_VOLUME', volume: one('disk[v]<SHARED>:5'), addition: one('disk:1') }, /it is shared/],
      [
        { type: 'GROW_VOLUME', volume: one('disk[MOUNT:/a,v]:5'), addition: one('disk[MOUNT:/a]:1') },
        /MOUNT disk is used whole/,
      ],
      [
        {
          type: 'GROW_VOLUME',
          volume: { ...volume, type: 'SCALAR', scalar: 8e12 },
          addition: { ...one('disk(ads):1'), type: 'SCALAR', scalar: 8e12 },
        },
        /larger than/,
      ],
      [{ type: 'GROW_VOLUME', volume, addition: { ...volume, type: 'SCALAR', scalar: -1 } }, /-1 is negative/],
      [{ type: 'SHRINK_VOLUME', volume, subtract: 5 }, /more than 0 and less than the volume/],
      [{ type: 'SHRINK_VOLUME', volume, subtract: 0 }, /more than 0 and less than the volume/],
      [{ type: 'SHRINK_VOLUME', volume, subtract: -1 }, /more than 0 and less than the volume/],
      [{ type: 'SHRINK_VOLUME', volume, subtract: Number.NaN }, /more than 0 and less than the volume/],
      [{ type: 'SHRINK_VOLUME', volume, subtract: 0.0001 }, /more than 0 and less than the volume/],
      [{ type: 'SHRINK_VOLUME', volume: one('disk[BLOCK,v]:5'), subtract: 1 }, /BLOCK disk is used whole/],
      [{ type: 'SHRINK_VOLUME', volume: one('disk(ads):5'), subtract: 1 }, /no persistent volume/],
    ];
    for (const [operation, message] of refused) {
      expect(() => conversionsOf(operation)).to.throw(ResourceConversionError, message);
    }
  });

  it('takes allocated resources, and applies to unallocated ones without the allocation', () => {
    const operation = { type: 'CREATE', volumes: parse('disk(allocated: ads)(ads)[v]<SHARED>:5') } as const;
    expect(text(after('disk(allocated: ads)(ads):5', operation))).to.equal('disk(allocated: ads)(ads)[v]<SHARED>:5');
    const [conversion] = conversionsOf(operation);
    if (conversion === undefined) throw new Error('no conversion');
    expect(text(parse('disk(ads):5').apply(unallocatedConversion(conversion)))).to.equal('disk(ads)[v]<SHARED>:5');
    const [destroy] = conversionsOf({ ...operation, type: 'DESTROY' });
    if (destroy === undefined) throw new Error('no conversion');
    const twice = 'disk(ads)[v]<SHARED>:5;disk(ads)[v]<SHARED>:5';
    expect(() => parse(twice).apply(unallocatedConversion(destroy))).to.throw(ResourceConversionError, /other copies/);
  });

  it('refuses invalid resources instead of leaving them out', () => {
    const negative: Resource = { ...one(`cpus${DYNAMIC}:1`), type: 'SCALAR', scalar: -1 };
    expect(() => conversionsOf({ type: 'RESERVE', resources: [negative] })).to.throw(
      ResourceConversionError,
      /negative/,
    );
    expect(() => conversionsOf({ type: 'UNRESERVE', resources: [negative] })).to.throw(
      ResourceConversionError,
      /negative/,
    );
  });

  const operationOn = (resource: Resource): ResourceOperation[] => [
    {
      type: 'RESERVE',
      resources: Resources.of([resource]).pushReservation({
        type: 'DYNAMIC',
        role: `${resource.reservations?.at(-1)?.role ?? 'r'}/x`,
      }),
    },
    { type: 'UNRESERVE', resources: [resource] },
    { type: 'CREATE', volumes: [resource] },
    { type: 'DESTROY', volumes: [resource] },
    { type: 'GROW_VOLUME', volume: resource, addition: { ...resource, disk: undefined, type: 'SCALAR', scalar: 3 } },
    { type: 'SHRINK_VOLUME', volume: resource, subtract: 0.5 },
  ];

  it('every operation keeps the quantities, and what it does not touch', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anyResource, fc.nat(5), anyResources, (resource, kind, others) => {
        const operation = operationOn(resource)[kind];
        if (operation === undefined) throw new Error('no operation');
        const conversions = accepted(operation);
        if (conversions === undefined) return;
        for (const conversion of conversions) {
          const { consumed, converted } = conversion;
          expect(converted.quantities.equals(consumed.quantities)).to.equal(true);
          expect(converted.ports).to.deep.equal(consumed.ports);
          expect(converted.set('zones')).to.deep.equal(consumed.set('zones'));
          const rest = others.minus(others.shared());
          const result = rest.plus(consumed).apply(conversion);
          expect(result.contains(converted)).to.equal(true);
          expect(result.equals(rest.plus(consumed).minus(consumed).plus(converted))).to.equal(true);
          if (!consumed.isEmpty) {
            expect(() => Resources.empty.apply(conversion)).to.throw(ResourceConversionError);
            seen.add(operation.type);
          }
        }
      }),
      { numRuns: 3000 },
    );
    expect([...seen].sort()).to.deep.equal([
      'CREATE',
      'DESTROY',
      'GROW_VOLUME',
      'RESERVE',
      'SHRINK_VOLUME',
      'UNRESERVE',
    ]);
  });

  function accepted(operation: ResourceOperation): ReturnType<typeof conversionsOf> | undefined {
    try {
      return conversionsOf(operation);
    } catch (error) {
      if (error instanceof ResourceConversionError) return undefined;
      throw error;
    }
  }
});
