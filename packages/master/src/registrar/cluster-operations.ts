import {
  type MachineEvent,
  type MachineID,
  machineLifecycle,
  type MachineMode,
  type MaintenanceWindow,
  type RegisteredMachine,
  type RegistryOperation,
} from '@mezzo/protocol';
import type { AgentOperation } from './agent-operations.ts';
import { machineKey } from './machine-key.ts';
import type { RegistryState } from './registry-state.ts';

export type ClusterOperation = Exclude<RegistryOperation, AgentOperation>;

/** A master must know of guarantees and limits apart to understand a registry with quotas. */
const quotas = 'QUOTA_V2';

/** See `RegistryState.apply`. */
export function applyToCluster(state: RegistryState, operation: ClusterOperation): string | undefined {
  switch (operation.kind) {
    case 'UPDATE_SCHEDULE':
      return updateSchedule(state, operation.windows);
    case 'START_MAINTENANCE':
      return takeDown(state, operation.machines);
    case 'STOP_MAINTENANCE':
      return bringUp(state, operation.machines);
    case 'UPDATE_QUOTAS':
      for (const { role, quota } of operation.quotas) {
        if (Object.keys({ ...quota.guarantees, ...quota.limits }).length === 0) state.quotas.delete(role);
        else state.quotas.set(role, quota);
      }
      if (state.quotas.size > 0) state.minimumCapabilities.add(quotas);
      else state.minimumCapabilities.delete(quotas);
      return undefined;
    case 'UPDATE_WEIGHTS':
      for (const { role, weight } of operation.weights) state.weights.set(role, weight);
      return undefined;
  }
}

function updateSchedule(state: RegistryState, windows: readonly MaintenanceWindow[]): string | undefined {
  const next = new Map<string, RegisteredMachine>();
  for (const { machines, unavailability } of windows) {
    if (machines.length === 0) return 'a maintenance window names no machine';
    for (const id of machines) {
      const key = machineKey(id);
      if (next.has(key)) return `machine ${nameOf(id)} is in the schedule twice`;
      const mode = after(modeOf(state, id), 'SCHEDULE');
      if (mode === undefined) return `machine ${nameOf(id)} is ${modeOf(state, id)} and cannot be scheduled`;
      next.set(key, { id, mode, unavailability });
    }
  }
  for (const [key, { id, mode }] of state.machines) {
    if (!next.has(key) && after(mode, 'UNSCHEDULE') === undefined)
      return `machine ${nameOf(id)} is ${mode} and must stay in the schedule`;
  }
  state.machines.clear();
  for (const [key, machine] of next) state.machines.set(key, machine);
  state.schedule = windows;
  return undefined;
}

function takeDown(state: RegistryState, ids: readonly MachineID[]): string | undefined {
  const down: [string, RegisteredMachine][] = [];
  for (const id of ids) {
    const machine = state.machines.get(machineKey(id));
    const mode = after(modeOf(state, id), 'TAKE_DOWN');
    if (machine === undefined || mode === undefined)
      return `machine ${nameOf(id)} is ${modeOf(state, id)}: only one that is DRAINING, as in the schedule, can be taken down`;
    down.push([machineKey(id), { ...machine, mode }]);
  }
  for (const [key, machine] of down) state.machines.set(key, machine);
  return undefined;
}

function bringUp(state: RegistryState, ids: readonly MachineID[]): string | undefined {
  const keys = new Set<string>();
  for (const id of ids) {
    if (after(modeOf(state, id), 'BRING_UP') === undefined)
      return `machine ${nameOf(id)} is ${modeOf(state, id)}: only one that is DOWN can be brought up`;
    keys.add(machineKey(id));
  }
  for (const key of keys) state.machines.delete(key);
  state.schedule = state.schedule
    .map((window) => ({ ...window, machines: window.machines.filter((id) => !keys.has(machineKey(id))) }))
    .filter(({ machines }) => machines.length > 0);
  return undefined;
}

/** A machine that is not in the schedule is UP. */
function modeOf(state: RegistryState, id: MachineID): MachineMode {
  return state.machines.get(machineKey(id))?.mode ?? machineLifecycle.initial;
}

function after(mode: MachineMode, event: MachineEvent): MachineMode | undefined {
  return machineLifecycle.next(mode, event)?.state;
}

function nameOf({ hostname, ip }: MachineID): string {
  return [hostname, ip].filter((part) => part !== undefined && part !== '').join(' ') || '(without a name)';
}
