import { expect } from 'chai';
import fc from 'fast-check';
import { Resources, wire } from '../../src/index.ts';
import { resource } from '../../src/messages/model.ts';
import { anyResource } from '../resources/samples.ts';

async function isAccepted(value: unknown): Promise<boolean> {
  return (await wire(resource)['~standard'].validate(value)).issues === undefined;
}

describe('a resource in a message', () => {
  it('passes the check of the wire with all that it can have', async () => {
    await fc.assert(
      fc.asyncProperty(anyResource, async (sample) => {
        for (const entry of Resources.of([sample]).allocate('x')) {
          expect(await isAccepted(JSON.parse(JSON.stringify(entry)))).to.equal(true);
        }
      }),
    );
    const [volume] = Resources.parse(
      'disk(reservations: [(STATIC,a), (DYNAMIC,a/b,p,{k: v, l})])(provider: x)[MOUNT(id: i, profile: f, vendor: v, metadata: {k}):/m,id(p):/h:c:ro]{REV}<SHARED>:1',
    );
    expect(await isAccepted(JSON.parse(JSON.stringify(volume)))).to.equal(true);
  });

  const cpus = { name: 'cpus', type: 'SCALAR', scalar: 1 };
  const wrong: object[] = [
    { ...cpus, name: 1 },
    { ...cpus, type: 'TEXT' },
    { ...cpus, scalar: '1' },
    { name: 'p', type: 'RANGES', ranges: [{ begin: 1 }] },
    { name: 's', type: 'SET', set: [1] },
    { ...cpus, allocationRole: 1 },
    { ...cpus, reservations: {} },
    { ...cpus, reservations: [{ type: 'UNKNOWN', role: 'a' }] },
    { ...cpus, reservations: [{ type: 'STATIC' }] },
    { ...cpus, reservations: [{ type: 'STATIC', role: 'a', principal: 1 }] },
    { ...cpus, reservations: [{ type: 'STATIC', role: 'a', labels: [{ value: 'v' }] }] },
    { ...cpus, disk: { persistence: {} } },
    { ...cpus, disk: { volume: { containerPath: 'p' } } },
    { ...cpus, disk: { volume: { containerPath: 'p', mode: 'XX' } } },
    { ...cpus, disk: { source: { type: 'UNKNOWN' } } },
    { ...cpus, disk: { source: { type: 'RAW', metadata: [{}] } } },
    { ...cpus, revocable: false },
    { ...cpus, shared: {} },
    { ...cpus, providerId: 1 },
  ];
  for (const value of wrong) {
    it(`does not pass as ${JSON.stringify(value)}`, async () => {
      expect(await isAccepted(value)).to.equal(false);
    });
  }
});
