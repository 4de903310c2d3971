import { Future } from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  type FrameworkID,
  type MachineEffect,
  type MachineEvent,
  type MachineID,
  machineLifecycle,
  type MaintenanceWindow,
  type RegistryOperation,
  type Unavailability,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { MasterContext } from '../master-context.ts';
import { OperatorError } from '../operator-error.ts';
import { machineKey } from '../registrar/index.ts';

/** What a framework said to the inverse offer of an agent on a machine that will be away. */
export interface InverseOfferAnswer {
  readonly agentId: AgentID;
  readonly frameworkId: FrameworkID;
  readonly status: 'ACCEPT' | 'DECLINE';
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export interface MaintenanceStatus {
  readonly draining: readonly { readonly id: MachineID; readonly answers: readonly InverseOfferAnswer[] }[];
  readonly down: readonly MachineID[];
}

interface MaintenanceParts {
  readonly takeOffersBack: (agent: Agent) => void;
  readonly takeDown: (agent: Agent) => void;
}

/** Machines that will be away, and those that are. */
export class Maintenance {
  readonly #context: MasterContext;
  readonly #parts: MaintenanceParts;

  constructor(context: MasterContext, parts: MaintenanceParts) {
    this.#context = context;
    this.#parts = parts;
  }

  get schedule(): readonly MaintenanceWindow[] {
    return this.#context.registry.state.schedule;
  }

  /** In place of the schedule of before. FAILED with OperatorError. */
  update(windows: readonly MaintenanceWindow[]): Future<void> {
    const fault = windowsFault(windows);
    if (fault !== undefined) return invalid(fault);
    const { machines } = this.#context.registry.state;
    const before = new Map(machines);
    const operation: RegistryOperation = { kind: 'UPDATE_SCHEDULE', windows: [...windows] };
    return this.#store(operation, () => {
      const after = this.#context.registry.state.machines;
      for (const [key, { id, mode, unavailability }] of before)
        if (!after.has(key)) this.#step(id, mode, 'UNSCHEDULE', unavailability);
      for (const [key, { id, unavailability }] of after) {
        const known = before.get(key);
        if (known === undefined || !isSameTime(known.unavailability, unavailability))
          this.#step(id, known?.mode ?? machineLifecycle.initial, 'SCHEDULE', unavailability);
      }
    });
  }

  /** The machines are down from now on: their agents end, and none may register from there. FAILED with OperatorError. */
  start(machines: readonly MachineID[]): Future<void> {
    return this.#change({ kind: 'START_MAINTENANCE', machines: [...machines] }, machines, 'DRAINING', 'TAKE_DOWN');
  }

  /** The machines are back, and out of the schedule. FAILED with OperatorError. */
  stop(machines: readonly MachineID[]): Future<void> {
    return this.#change({ kind: 'STOP_MAINTENANCE', machines: [...machines] }, machines, 'DOWN', 'BRING_UP');
  }

  status(): Future<MaintenanceStatus> {
    return this.#context.allocator.inverseOfferAnswers().map((answers) => {
      const all = [...this.#context.registry.state.machines.values()];
      const agents = this.#context.agents;
      return {
        down: all.filter(({ mode }) => mode === 'DOWN').map(({ id }) => id),
        draining: all
          .filter(({ mode }) => mode === 'DRAINING')
          .map(({ id }) => ({
            id,
            answers: answers.filter(({ agentId }) => isOn(agents.get(agentId)?.info, machineKey(id))),
          })),
      };
    });
  }

  #change(
    operation: RegistryOperation,
    machines: readonly MachineID[],
    mode: 'DRAINING' | 'DOWN',
    event: MachineEvent,
  ): Future<void> {
    const keys = new Set(machines.map(machineKey));
    if (machines.length === 0 || keys.size < machines.length) return invalid('expected machines, each once');
    const fault = machines.map(machineFault).find((each) => each !== undefined);
    if (fault !== undefined) return invalid(fault);
    return this.#store(operation, () => {
      for (const id of machines) this.#step(id, mode, event, undefined);
    });
  }

  #store(operation: RegistryOperation, stored: () => void): Future<void> {
    return this.#context.registry.change(operation).andThen(
      this.#context.deferred((fault: string | undefined) => {
        if (fault !== undefined) return invalid(fault);
        stored();
        return Future.ready(undefined);
      }),
    );
  }

  #step(id: MachineID, mode: string, event: MachineEvent, unavailability: Unavailability | undefined): void {
    if (!machineLifecycle.isState(mode)) return;
    const agents = [...this.#context.agents.values()].filter(({ info }) => isOn(info, machineKey(id)));
    for (const effect of machineLifecycle.next(mode, event)?.effects ?? [])
      for (const agent of agents) this.#carryOut(effect, agent, unavailability);
  }

  #carryOut(effect: MachineEffect, agent: Agent, unavailability: Unavailability | undefined): void {
    const { allocator } = this.#context;
    switch (effect) {
      case 'announceUnavailability':
        this.#parts.takeOffersBack(agent);
        agent.unavailability = unavailability;
        allocator.updateUnavailability(agent);
        break;
      case 'withdrawUnavailability':
        this.#parts.takeOffersBack(agent);
        agent.unavailability = undefined;
        allocator.updateUnavailability(agent);
        break;
      case 'removeAgents':
        this.#parts.takeDown(agent);
        break;
    }
  }
}

function isOn(info: AgentInfo | undefined, key: string): boolean {
  if (info === undefined) return false;
  const { hostname, ip } = info;
  return machineKey(ip === undefined ? { hostname } : { hostname, ip }) === key;
}

function windowsFault(windows: readonly MaintenanceWindow[]): string | undefined {
  for (const { machines, unavailability } of windows) {
    const { start, duration } = unavailability;
    if (!Number.isFinite(start))
      return `a maintenance window starts at ${start}: expected milliseconds since the epoch`;
    if (duration !== undefined && !(duration >= 0))
      return `a maintenance window lasts ${duration} ms: expected 0 or more`;
    const fault = machines.map(machineFault).find((each) => each !== undefined);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function machineFault({ hostname = '', ip = '' }: MachineID): string | undefined {
  return hostname === '' && ip === '' ? 'a machine needs a host name or an IP address' : undefined;
}

function isSameTime(left: Unavailability | undefined, right: Unavailability | undefined): boolean {
  return left?.start === right?.start && left?.duration === right?.duration;
}

function invalid(message: string): Future<never> {
  return Future.failed(new OperatorError('INVALID', message));
}
