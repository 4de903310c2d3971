// node allocator-convert.mjs RESERVATIONS ROLES RANGES prints microseconds for each UpdateAllocation on one agent with so many resources.
import { nanoseconds, print } from '../measure.mjs';
import { Resources } from '@mezzo/protocol';
import { Cluster, milliseconds, wire } from './allocator-cluster.mjs';

const [reservations, roleCount, ranges] = process.argv.slice(2).map(Number);
const frameworkId = 'framework';
const roles = Array.from({ length: roleCount }, (_, index) => `role-${index}`);
/** Of each role, and odd, so that they end with a volume on it: fewer where each has more to do. */
const operations = 2 * Math.min(100, Math.floor(2000 / (reservations * roleCount ** 2))) + 1;

/** Four for each reservation, whose labels differ. */
function reserved(role, index) {
  const labels = [{ key: 'reservation', value: `${index}` }];
  const reservation = { reservations: [{ type: 'DYNAMIC', role, principal: 'ops', labels }] };
  const ports = Array.from({ length: ranges }, (_, range) => ({ begin: 4 * range, end: 4 * range + 1 }));
  return [
    { name: 'cpus', type: 'SCALAR', scalar: 1, ...reservation },
    { name: 'mem', type: 'SCALAR', scalar: 1024, ...reservation },
    { name: 'disk', type: 'SCALAR', scalar: 4096, ...reservation },
    { name: 'ports', type: 'RANGES', ranges: ports, ...reservation },
  ];
}

/** The disk of a role's first reservation, and the volume that is made of it. */
function diskAndVolume(role) {
  const [, , disk] = reserved(role, 0);
  const volume = { ...disk, disk: { persistence: { id: `volume-${role}`, principal: 'ops' } } };
  return [disk, volume].map((one) => Resources.of([one]).allocate(role));
}

const total = roles.flatMap((role) => Array.from({ length: reservations }, (_, index) => reserved(role, index)).flat());
const cluster = await Cluster.start();
cluster.frameworks.push({ frameworkId, role: roles[0] });
cluster.addFramework({ frameworkId, roles, active: true });
await cluster.untilOffered(roleCount, () => cluster.addAgent('agent', total));
const held = new Map(
  cluster.take().flatMap(({ allocations }) => allocations.map(({ role, resources }) => [role, resources])),
);
const objects = [...held.values()].reduce((sum, resources) => sum + resources.length, 0);
if (held.size !== roleCount || objects !== total.length)
  throw new Error(`${objects} resources of ${held.size} roles are on offer, expected ${total.length} of ${roleCount}`);

/** Creates or destroys a volume of each role; what is offered then. */
function toggle() {
  return roles.map((role) => {
    const [disk, volume] = diskAndVolume(role);
    const before = Resources.of(held.get(role));
    const [consumed, converted] = before.contains(volume) ? [volume, disk] : [disk, volume];
    const offered = held.get(role);
    held.set(role, wire(before.minus(consumed).plus(converted)));
    const conversions = [{ consumed: wire(consumed), converted: wire(converted) }];
    return { frameworkId, agentId: 'agent', offered, conversions };
  });
}

async function measured() {
  const bodies = Array.from({ length: operations }, toggle).flat();
  globalThis.gc();
  const start = nanoseconds();
  for (const body of bodies) cluster.tell('UpdateAllocation', body);
  await cluster.served();
  return (milliseconds(start, nanoseconds()) * 1000) / bodies.length;
}

// Once to warm up; an odd number of times in all, so that the volumes are there at the end.
const took = [];
for (let time = 0; time < 5; time++) took.push(await measured());

for (const [role, resources] of held) {
  const [, volume] = diskAndVolume(role);
  if (!Resources.of(resources).contains(volume)) throw new Error(`no volume of ${role} is left`);
  cluster.tell('RecoverResources', { frameworkId, agentId: 'agent', resources, isAllocated: false });
}
await cluster.served();
await cluster.untilOffered(roleCount, () => cluster.trigger());
for (const { role, resources } of cluster.take().flatMap(({ allocations }) => allocations))
  if (!Resources.of(resources).equals(Resources.of(held.get(role))))
    throw new Error(`what is offered to ${role} is not what the operations have left`);
print({ value: Math.min(...took.slice(1)) });
process.exit(0);
