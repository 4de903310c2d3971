import type {
  AdmittedAgent,
  AgentID,
  GoneAgent,
  MaintenanceWindow,
  MasterInfo,
  Quota,
  RegisteredMachine,
  RegistryContents,
  RegistryOperation,
  RegistrySeal,
  Term,
  UnreachableAgent,
} from '@mezzo/protocol';
import { applyToAgents } from './agent-operations.ts';
import { applyToCluster } from './cluster-operations.ts';
import { machineKey } from './machine-key.ts';

/** What the log is made of. */
export type RegistryRecord = RegistryOperation | RegistrySeal;

/**
 * All that must survive the master, and what each operation makes of it: deterministic, so that whoever applies the same
 * records gets the same state. Entries are immutable values; an operation costs what it changes, not what there is.
 */
export class RegistryState {
  /** Of the newest reign, and who it is. */
  term: Term | undefined;
  master: MasterInfo | undefined;
  /** An agent is in one of these three at most. */
  readonly agents = new Map<AgentID, AdmittedAgent>();
  readonly unreachable = new Map<AgentID, UnreachableAgent>();
  readonly gone = new Map<AgentID, GoneAgent>();
  /** By `machineKey`. */
  readonly machines = new Map<string, RegisteredMachine>();
  schedule: readonly MaintenanceWindow[] = [];
  readonly quotas = new Map<string, Quota>();
  readonly weights = new Map<string, number>();
  readonly minimumCapabilities = new Set<string>();

  static of(contents: RegistryContents): RegistryState {
    const state = new RegistryState();
    state.term = contents.term;
    state.master = contents.master;
    for (const agent of contents.agents) state.agents.set(agent.agentId, agent);
    for (const agent of contents.unreachable) state.unreachable.set(agent.agentId, agent);
    for (const agent of contents.gone) state.gone.set(agent.agentId, agent);
    for (const machine of contents.machines) state.machines.set(machineKey(machine.id), machine);
    state.schedule = contents.schedule;
    for (const { role, quota } of contents.quotas) state.quotas.set(role, quota);
    for (const { role, weight } of contents.weights) state.weights.set(role, weight);
    for (const capability of contents.minimumCapabilities) state.minimumCapabilities.add(capability);
    return state;
  }

  /** As plain data; later operations do not change it. */
  contents(): RegistryContents {
    return {
      ...(this.term === undefined ? undefined : { term: this.term }),
      ...(this.master === undefined ? undefined : { master: this.master }),
      agents: [...this.agents.values()],
      unreachable: [...this.unreachable.values()],
      gone: [...this.gone.values()],
      machines: [...this.machines.values()],
      schedule: [...this.schedule],
      quotas: Array.from(this.quotas, ([role, quota]) => ({ role, quota })),
      weights: Array.from(this.weights, ([role, weight]) => ({ role, weight })),
      minimumCapabilities: [...this.minimumCapabilities],
    };
  }

  /** Entries of every kind together. */
  get size(): number {
    return this.agents.size + this.unreachable.size + this.gone.size + this.machines.size + this.quotas.size;
  }

  /** Does it as a whole, or says why it makes no sense and changes nothing. */
  apply(record: RegistryRecord): string | undefined {
    switch (record.kind) {
      case 'SEAL':
        this.term = record.term;
        this.master = record.master;
        return undefined;
      case 'UPDATE_SCHEDULE':
      case 'START_MAINTENANCE':
      case 'STOP_MAINTENANCE':
      case 'UPDATE_QUOTAS':
      case 'UPDATE_WEIGHTS':
        return applyToCluster(this, record);
      default:
        return applyToAgents(this, record);
    }
  }
}
