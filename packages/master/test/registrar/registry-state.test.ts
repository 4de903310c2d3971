import type { RegistryContents, RegistryOperation } from '@mezzo/protocol';
import { expect } from 'chai';
import fc from 'fast-check';
import { machineKey } from '../../src/registrar/machine-key.ts';
import { RegistryState } from '../../src/registrar/registry-state.ts';
import { registryOperations } from './registry-operations.ts';
import { admission, agent, infoOf } from './registrar-world.ts';

const one = agent(1);
const two = agent(2);
const drain = { kind: 'DRAIN_AGENT', agentId: one, config: { markGone: false, maxGracePeriod: 5000 } } as const;

function stateAfter(...operations: readonly RegistryOperation[]): RegistryState {
  const state = new RegistryState();
  for (const operation of operations) expect(state.apply(operation), operation.kind).to.equal(undefined);
  return state;
}

describe('the state of the registry', () => {
  describe('agents', () => {
    it('admits an agent once', () => {
      const state = stateAfter(admission(1));
      expect(state.agents.get(one)).to.deep.equal({ agentId: one, info: infoOf(1), deactivated: false });
      expect(state.apply(admission(1))).to.equal(`agent ${one} is admitted already`);
      state.apply({ kind: 'MARK_AGENT_UNREACHABLE', agentId: one, timestamp: 1 });
      expect(state.apply(admission(1))).to.match(/unreachable/);
      state.apply({ kind: 'MARK_AGENT_GONE', agentId: one, timestamp: 2 });
      expect(state.apply(admission(1))).to.match(/gone/);
      expect(state.agents.size).to.equal(0);
    });

    it('updates only what is admitted, and keeps what is decided about it', () => {
      const state = stateAfter(admission(1), drain, { kind: 'UPDATE_AGENT', agentId: one, info: infoOf(1, 16) });
      expect(state.agents.get(one)).to.deep.equal({
        agentId: one,
        info: infoOf(1, 16),
        deactivated: true,
        drainInfo: { state: 'DRAINING', config: drain.config },
      });
      expect(state.apply({ kind: 'UPDATE_AGENT', agentId: two, info: infoOf(2) })).to.match(/not admitted/);
    });

    it('keeps draining and deactivation of an agent that becomes unreachable and comes back', () => {
      const state = stateAfter(admission(1), drain, { kind: 'MARK_AGENT_UNREACHABLE', agentId: one, timestamp: 42 });
      const kept = { deactivated: true, drainInfo: { state: 'DRAINING', config: drain.config } };
      expect(state.agents.size).to.equal(0);
      expect(state.unreachable.get(one)).to.deep.equal({ agentId: one, timestamp: 42, ...kept });
      expect(state.apply({ kind: 'MARK_AGENT_UNREACHABLE', agentId: one, timestamp: 43 })).to.match(/not admitted/);
      state.apply({ kind: 'MARK_AGENT_REACHABLE', agentId: one, info: infoOf(1, 4) });
      expect(state.unreachable.size).to.equal(0);
      expect(state.agents.get(one)).to.deep.equal({ agentId: one, info: infoOf(1, 4), ...kept });
    });

    it('takes back an agent nobody knows, leaves one that is admitted as it is, and no one that is gone', () => {
      const state = stateAfter({ kind: 'MARK_AGENT_REACHABLE', agentId: one, info: infoOf(1) });
      expect(state.agents.get(one)).to.deep.equal({ agentId: one, info: infoOf(1), deactivated: false });
      state.apply({ kind: 'MARK_AGENT_REACHABLE', agentId: one, info: infoOf(1, 99) });
      expect(state.agents.get(one)?.info).to.deep.equal(infoOf(1));
      state.apply({ kind: 'MARK_AGENT_GONE', agentId: one, timestamp: 1 });
      expect(state.apply({ kind: 'MARK_AGENT_REACHABLE', agentId: one, info: infoOf(1) })).to.match(/gone for ever/);
    });

    it('moves to gone from admitted and from unreachable, once', () => {
      const state = stateAfter(
        admission(1),
        admission(2),
        { kind: 'MARK_AGENT_UNREACHABLE', agentId: two, timestamp: 1 },
        { kind: 'MARK_AGENT_GONE', agentId: one, timestamp: 5 },
        { kind: 'MARK_AGENT_GONE', agentId: two, timestamp: 6 },
      );
      expect([state.agents.size, state.unreachable.size]).to.deep.equal([0, 0]);
      expect([...state.gone.values()]).to.deep.equal([
        { agentId: one, timestamp: 5 },
        { agentId: two, timestamp: 6 },
      ]);
      expect(state.apply({ kind: 'MARK_AGENT_GONE', agentId: one, timestamp: 7 })).to.match(/gone already/);
      expect(state.apply({ kind: 'MARK_AGENT_GONE', agentId: agent(3), timestamp: 7 })).to.match(/neither/);
    });

    it('removes only what is admitted', () => {
      const state = stateAfter(admission(1), { kind: 'REMOVE_AGENT', agentId: one });
      expect(state.agents.size).to.equal(0);
      expect(state.apply({ kind: 'REMOVE_AGENT', agentId: one })).to.match(/not admitted/);
    });

    it('prunes the unreachable and the gone that are named, and passes over others', () => {
      const state = stateAfter(admission(1), admission(2), admission(3), admission(4));
      for (const n of [1, 2]) state.apply({ kind: 'MARK_AGENT_UNREACHABLE', agentId: agent(n), timestamp: n });
      state.apply({ kind: 'MARK_AGENT_GONE', agentId: agent(3), timestamp: 3 });
      const prune = { kind: 'PRUNE', unreachable: [one, agent(3), agent(4)], gone: [agent(3), two] } as const;
      expect(state.apply({ ...prune, unreachable: [...prune.unreachable], gone: [...prune.gone] })).to.equal(undefined);
      expect([...state.unreachable.keys()]).to.deep.equal([two]);
      expect(state.gone.size).to.equal(0);
      expect([...state.agents.keys()]).to.deep.equal([agent(4)]);
    });

    it('drains, marks drained, and only what is being drained', () => {
      const state = stateAfter(admission(1), admission(2));
      expect(state.apply({ kind: 'MARK_AGENT_DRAINED', agentId: one })).to.match(/not being drained/);
      state.apply(drain);
      expect(state.agents.get(one)).to.deep.include({
        deactivated: true,
        drainInfo: { state: 'DRAINING', config: drain.config },
      });
      state.apply({ kind: 'MARK_AGENT_DRAINED', agentId: one });
      expect(state.agents.get(one)).to.deep.include({
        deactivated: true,
        drainInfo: { state: 'DRAINED', config: drain.config },
      });
      expect(state.apply({ ...drain, agentId: agent(9) })).to.match(/neither/);
    });

    it('drains, deactivates and reactivates unreachable agents as well', () => {
      const state = stateAfter(admission(1), { kind: 'MARK_AGENT_UNREACHABLE', agentId: one, timestamp: 7 }, drain, {
        kind: 'MARK_AGENT_DRAINED',
        agentId: one,
      });
      expect(state.unreachable.get(one)).to.deep.equal({
        agentId: one,
        timestamp: 7,
        deactivated: true,
        drainInfo: { state: 'DRAINED', config: drain.config },
      });
      state.apply({ kind: 'REACTIVATE_AGENT', agentId: one });
      expect(state.unreachable.get(one)).to.deep.equal({ agentId: one, timestamp: 7, deactivated: false });
      state.apply({ kind: 'DEACTIVATE_AGENT', agentId: one });
      expect(state.unreachable.get(one)).to.deep.equal({ agentId: one, timestamp: 7, deactivated: true });
    });

    it('deactivation keeps draining, reactivation ends both', () => {
      const state = stateAfter(admission(1), drain, { kind: 'DEACTIVATE_AGENT', agentId: one });
      expect(state.agents.get(one)?.drainInfo?.state).to.equal('DRAINING');
      state.apply({ kind: 'REACTIVATE_AGENT', agentId: one });
      expect(state.agents.get(one)).to.deep.equal({ agentId: one, info: infoOf(1), deactivated: false });
      expect(state.apply({ kind: 'REACTIVATE_AGENT', agentId: two })).to.match(/neither/);
      expect(state.apply({ kind: 'DEACTIVATE_AGENT', agentId: two })).to.match(/neither/);
    });

    it('demands AGENT_DRAINING while any agent is drained or deactivated', () => {
      const state = stateAfter(admission(1), admission(2));
      expect([...state.minimumCapabilities]).to.deep.equal([]);
      state.apply(drain);
      state.apply({ kind: 'DEACTIVATE_AGENT', agentId: two });
      expect([...state.minimumCapabilities]).to.deep.equal(['AGENT_DRAINING']);
      state.apply({ kind: 'MARK_AGENT_UNREACHABLE', agentId: two, timestamp: 1 });
      state.apply({ kind: 'REACTIVATE_AGENT', agentId: one });
      expect([...state.minimumCapabilities]).to.deep.equal(['AGENT_DRAINING']);
      state.apply({ kind: 'REACTIVATE_AGENT', agentId: two });
      expect([...state.minimumCapabilities]).to.deep.equal([]);
    });
  });

  describe('maintenance', () => {
    const [a, b, c] = [{ hostname: 'A', ip: '10.0.0.1' }, { hostname: 'b' }, { ip: '10.0.0.3' }];
    const soon = { start: 1000, duration: 60_000 };
    const later = { start: 5000 };
    const schedule = (...windows: Extract<RegistryOperation, { kind: 'UPDATE_SCHEDULE' }>['windows']) =>
      ({ kind: 'UPDATE_SCHEDULE', windows }) as const;

    it('a schedule makes its machines DRAINING, takes others out, and can change the time', () => {
      const state = stateAfter(schedule({ machines: [a, b], unavailability: soon }));
      expect([...state.machines.values()]).to.deep.equal([
        { id: a, mode: 'DRAINING', unavailability: soon },
        { id: b, mode: 'DRAINING', unavailability: soon },
      ]);
      state.apply(schedule({ machines: [b], unavailability: later }, { machines: [c], unavailability: soon }));
      expect([...state.machines.values()]).to.deep.equal([
        { id: b, mode: 'DRAINING', unavailability: later },
        { id: c, mode: 'DRAINING', unavailability: soon },
      ]);
      expect(state.schedule).to.have.length(2);
      state.apply(schedule());
      expect([state.machines.size, state.schedule.length]).to.deep.equal([0, 0]);
    });

    it('takes down what is DRAINING and brings up what is DOWN, which leaves the schedule; all of them or none', () => {
      const state = stateAfter(
        schedule({ machines: [a, b], unavailability: soon }, { machines: [c], unavailability: later }),
      );
      expect(state.apply({ kind: 'START_MAINTENANCE', machines: [a, { hostname: 'x' }] })).to.match(/x is UP/);
      expect(state.machines.get(machineKey(a))?.mode).to.equal('DRAINING');
      expect(state.apply({ kind: 'STOP_MAINTENANCE', machines: [a] })).to.match(/is DRAINING/);
      state.apply({ kind: 'START_MAINTENANCE', machines: [{ hostname: 'a', ip: '10.0.0.1' }, c] });
      expect(state.machines.get(machineKey(a))).to.deep.equal({ id: a, mode: 'DOWN', unavailability: soon });
      expect(state.apply({ kind: 'START_MAINTENANCE', machines: [a] })).to.match(/is DOWN/);
      expect(state.apply({ kind: 'STOP_MAINTENANCE', machines: [a, b] })).to.match(/b is DRAINING/);
      expect(state.machines.size).to.equal(3);
      expect(state.apply({ kind: 'STOP_MAINTENANCE', machines: [a, c] })).to.equal(undefined);
      expect([...state.machines.values()].map(({ id }) => id)).to.deep.equal([b]);
      expect(state.schedule).to.deep.equal([{ machines: [b], unavailability: soon }]);
    });

    it('a machine that is DOWN stays DOWN in a new schedule, and cannot be left out of it', () => {
      const state = stateAfter(schedule({ machines: [a, b], unavailability: soon }), {
        kind: 'START_MAINTENANCE',
        machines: [a],
      });
      expect(state.apply(schedule({ machines: [b], unavailability: soon }))).to.match(/A 10.0.0.1 is DOWN/);
      expect(state.machines.size).to.equal(2);
      expect(state.apply(schedule({ machines: [a], unavailability: later }))).to.equal(undefined);
      expect([...state.machines.values()]).to.deep.equal([{ id: a, mode: 'DOWN', unavailability: later }]);
    });

    it('refuses a machine twice, whatever the case of its name, and a window of none', () => {
      const state = new RegistryState();
      const twice = schedule(
        { machines: [b], unavailability: soon },
        { machines: [{ hostname: 'B' }], unavailability: later },
      );
      expect(state.apply(twice)).to.match(/twice/);
      expect(state.apply(schedule({ machines: [], unavailability: soon }))).to.match(/no machine/);
      expect(state.contents()).to.deep.equal(new RegistryState().contents());
    });
  });

  describe('roles', () => {
    const some = { guarantees: { cpus: 1 }, limits: { cpus: 2 } };
    it('sets quotas of the roles that are named, and forgets those of nothing', () => {
      const state = stateAfter({
        kind: 'UPDATE_QUOTAS',
        quotas: [
          { role: 'ads', quota: some },
          { role: '__proto__', quota: some },
        ],
      });
      expect([...state.quotas.keys()]).to.deep.equal(['ads', '__proto__']);
      expect([...state.minimumCapabilities]).to.deep.equal(['QUOTA_V2']);
      const none = { guarantees: {}, limits: {} };
      state.apply({ kind: 'UPDATE_QUOTAS', quotas: [{ role: 'ads', quota: none }] });
      expect([...state.minimumCapabilities]).to.deep.equal(['QUOTA_V2']);
      state.apply({ kind: 'UPDATE_QUOTAS', quotas: [{ role: '__proto__', quota: { ...none, limits: { cpus: 0 } } }] });
      expect(state.quotas.size).to.equal(1);
      state.apply({ kind: 'UPDATE_QUOTAS', quotas: [{ role: '__proto__', quota: none }] });
      expect([state.quotas.size, state.minimumCapabilities.size]).to.deep.equal([0, 0]);
    });

    it('sets weights of the roles that are named', () => {
      const state = stateAfter(
        {
          kind: 'UPDATE_WEIGHTS',
          weights: [
            { role: 'a', weight: 2 },
            { role: 'b', weight: 0.5 },
          ],
        },
        { kind: 'UPDATE_WEIGHTS', weights: [{ role: 'a', weight: 3 }] },
      );
      expect([...state.weights]).to.deep.equal([
        ['a', 3],
        ['b', 0.5],
      ]);
    });
  });

  it('is the same after it was told as data, however it came about; what is refused changes nothing', () => {
    fc.assert(
      fc.property(registryOperations, (operations) => {
        const state = new RegistryState();
        for (const operation of operations) {
          const before: RegistryContents = state.contents();
          const fault = state.apply(operation);
          if (fault !== undefined) expect(state.contents()).to.deep.equal(before);
        }
        const ids = [...state.agents.keys(), ...state.unreachable.keys(), ...state.gone.keys()];
        expect(new Set(ids).size, 'an agent in two lists').to.equal(ids.length);
        expect(RegistryState.of(state.contents()).contents()).to.deep.equal(state.contents());
      }),
    );
  });
});
