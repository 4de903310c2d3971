import type { RegistryOperation } from '@mezzo/protocol';
import fc from 'fast-check';
import { agent, infoOf } from './registrar-world.ts';

/** As the codec makes them: with Object's prototype. */
function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

const n = fc.integer({ min: 0, max: 4 });
const agentId = n.map(agent);
const info = fc.tuple(n, fc.integer({ min: 1, max: 3 })).map(([number, cpus]) => infoOf(number, cpus));
const timestamp = fc.integer({ min: 0, max: 1_000_000 });
const machine = fc.constantFrom({ hostname: 'a' }, { hostname: 'A' }, { hostname: 'b', ip: '10.0.0.2' }, { ip: '::1' });
const machines = fc.array(machine, { maxLength: 2 });
const unavailability = fc.oneof(
  timestamp.map((start) => ({ start })),
  plain({ start: timestamp, duration: timestamp }),
);
const role = fc.constantFrom('ads', 'eng/dev', '__proto__');
const amounts = fc.constantFrom<Record<string, number>>({}, { cpus: 1.5 }, { cpus: 2, mem: 64 });

const operation: fc.Arbitrary<RegistryOperation> = fc.oneof(
  plain({ kind: fc.constant('ADMIT_AGENT' as const), agentId, info }),
  plain({ kind: fc.constant('ADMIT_AGENT' as const), agentId, info }),
  plain({ kind: fc.constant('UPDATE_AGENT' as const), agentId, info }),
  plain({ kind: fc.constant('MARK_AGENT_UNREACHABLE' as const), agentId, timestamp }),
  plain({ kind: fc.constant('MARK_AGENT_REACHABLE' as const), agentId, info }),
  plain({ kind: fc.constant('MARK_AGENT_GONE' as const), agentId, timestamp }),
  plain({ kind: fc.constant('REMOVE_AGENT' as const), agentId }),
  plain({ kind: fc.constant('PRUNE' as const), unreachable: fc.array(agentId), gone: fc.array(agentId) }),
  plain({
    kind: fc.constant('DRAIN_AGENT' as const),
    agentId,
    config: fc.constantFrom({ markGone: true }, { markGone: false, maxGracePeriod: 10 }),
  }),
  plain({ kind: fc.constant('MARK_AGENT_DRAINED' as const), agentId }),
  plain({ kind: fc.constant('DEACTIVATE_AGENT' as const), agentId }),
  plain({ kind: fc.constant('REACTIVATE_AGENT' as const), agentId }),
  plain({
    kind: fc.constant('UPDATE_SCHEDULE' as const),
    windows: fc.array(plain({ machines, unavailability }), { maxLength: 2 }),
  }),
  plain({ kind: fc.constant('START_MAINTENANCE' as const), machines }),
  plain({ kind: fc.constant('STOP_MAINTENANCE' as const), machines }),
  plain({
    kind: fc.constant('UPDATE_QUOTAS' as const),
    quotas: fc.array(plain({ role, quota: plain({ guarantees: amounts, limits: amounts }) }), { maxLength: 2 }),
  }),
  plain({
    kind: fc.constant('UPDATE_WEIGHTS' as const),
    weights: fc.array(plain({ role, weight: fc.constantFrom(0.5, 2) }), { maxLength: 2 }),
  }),
);

/** Any operations, many of which make no sense where they stand. */
export const registryOperations: fc.Arbitrary<RegistryOperation[]> = fc.array(operation, { maxLength: 30 });
