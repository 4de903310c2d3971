import type { AgentID, AgentInfo, DrainInfo, RegistryOperation, UnreachableAgent } from '@mezzo/protocol';
import type { RegistryState } from './registry-state.ts';

type ClusterKind = 'UPDATE_SCHEDULE' | 'START_MAINTENANCE' | 'STOP_MAINTENANCE' | 'UPDATE_QUOTAS' | 'UPDATE_WEIGHTS';
export type AgentOperation = Exclude<RegistryOperation, { kind: ClusterKind }>;

/** What an operator has decided about an agent, wherever it is. */
type Withheld = Pick<UnreachableAgent, 'drainInfo' | 'deactivated'>;

/** A master must know of draining to understand a registry in which an agent is drained or deactivated. */
const draining = 'AGENT_DRAINING';

/** See `RegistryState.apply`. */
export function applyToAgents(state: RegistryState, operation: AgentOperation): string | undefined {
  switch (operation.kind) {
    case 'ADMIT_AGENT':
      return admit(state, operation.agentId, operation.info);
    case 'UPDATE_AGENT':
      return update(state, operation.agentId, operation.info);
    case 'MARK_AGENT_UNREACHABLE':
      return markUnreachable(state, operation.agentId, operation.timestamp);
    case 'MARK_AGENT_REACHABLE':
      return markReachable(state, operation.agentId, operation.info);
    case 'MARK_AGENT_GONE':
      return markGone(state, operation.agentId, operation.timestamp);
    case 'REMOVE_AGENT':
      return state.agents.delete(operation.agentId) ? undefined : notAdmitted(operation.agentId);
    case 'PRUNE':
      for (const agentId of operation.unreachable) state.unreachable.delete(agentId);
      for (const agentId of operation.gone) state.gone.delete(agentId);
      return undefined;
    case 'DRAIN_AGENT':
      return withhold(state, operation.agentId, () => ({
        drainInfo: { state: 'DRAINING', config: operation.config },
        deactivated: true,
      }));
    case 'MARK_AGENT_DRAINED':
      return markDrained(state, operation.agentId);
    case 'DEACTIVATE_AGENT':
      return withhold(state, operation.agentId, ({ drainInfo }) => withheld(drainInfo, true));
    case 'REACTIVATE_AGENT':
      return reactivate(state, operation.agentId);
  }
}

function admit(state: RegistryState, agentId: AgentID, info: AgentInfo): string | undefined {
  if (state.agents.has(agentId)) return `agent ${agentId} is admitted already`;
  if (state.unreachable.has(agentId)) return `agent ${agentId} is unreachable: mark it reachable`;
  if (state.gone.has(agentId)) return `agent ${agentId} is gone for ever`;
  state.agents.set(agentId, { agentId, info, deactivated: false });
  return undefined;
}

function update(state: RegistryState, agentId: AgentID, info: AgentInfo): string | undefined {
  const agent = state.agents.get(agentId);
  if (agent === undefined) return notAdmitted(agentId);
  state.agents.set(agentId, { ...agent, info });
  return undefined;
}

function markUnreachable(state: RegistryState, agentId: AgentID, timestamp: number): string | undefined {
  const agent = state.agents.get(agentId);
  if (agent === undefined) return notAdmitted(agentId);
  state.agents.delete(agentId);
  state.unreachable.set(agentId, { agentId, timestamp, ...withheld(agent.drainInfo, agent.deactivated) });
  return undefined;
}

/** Agents come back before anybody has marked them unreachable, and after that was forgotten. */
function markReachable(state: RegistryState, agentId: AgentID, info: AgentInfo): string | undefined {
  if (state.gone.has(agentId)) return `agent ${agentId} is gone for ever`;
  if (state.agents.has(agentId)) return undefined;
  const { drainInfo, deactivated } = state.unreachable.get(agentId) ?? { deactivated: false };
  state.unreachable.delete(agentId);
  state.agents.set(agentId, { agentId, info, ...withheld(drainInfo, deactivated) });
  return undefined;
}

function markGone(state: RegistryState, agentId: AgentID, timestamp: number): string | undefined {
  if (state.gone.has(agentId)) return `agent ${agentId} is gone already`;
  if (!state.agents.delete(agentId) && !state.unreachable.delete(agentId)) return unknown(agentId);
  state.gone.set(agentId, { agentId, timestamp });
  return undefined;
}

function markDrained(state: RegistryState, agentId: AgentID): string | undefined {
  const { drainInfo, deactivated } = find(state, agentId) ?? {};
  if (drainInfo === undefined || deactivated === undefined) return `agent ${agentId} is not being drained`;
  return withhold(state, agentId, () => withheld({ ...drainInfo, state: 'DRAINED' }, deactivated));
}

function reactivate(state: RegistryState, agentId: AgentID): string | undefined {
  const fault = withhold(state, agentId, () => withheld(undefined, false));
  if (fault === undefined && !anyWithheld(state)) state.minimumCapabilities.delete(draining);
  return fault;
}

function find(state: RegistryState, agentId: AgentID): Withheld | undefined {
  return state.agents.get(agentId) ?? state.unreachable.get(agentId);
}

/** Replaces what is decided about an agent that is admitted or unreachable. */
function withhold(state: RegistryState, agentId: AgentID, decide: (before: Withheld) => Withheld): string | undefined {
  const agent = state.agents.get(agentId);
  const lost = state.unreachable.get(agentId);
  if (agent !== undefined) state.agents.set(agentId, { agentId, info: agent.info, ...decide(agent) });
  else if (lost !== undefined) state.unreachable.set(agentId, { agentId, timestamp: lost.timestamp, ...decide(lost) });
  else return unknown(agentId);
  state.minimumCapabilities.add(draining);
  return undefined;
}

/** Without a field that has nothing in it: a state that was stored and read again is the same. */
function withheld(drainInfo: DrainInfo | undefined, deactivated: boolean): Withheld {
  return drainInfo === undefined ? { deactivated } : { drainInfo, deactivated };
}

function anyWithheld({ agents, unreachable }: RegistryState): boolean {
  for (const agent of agents.values()) if (isWithheld(agent)) return true;
  for (const agent of unreachable.values()) if (isWithheld(agent)) return true;
  return false;
}

function isWithheld({ drainInfo, deactivated }: Withheld): boolean {
  return deactivated || drainInfo !== undefined;
}

function notAdmitted(agentId: AgentID): string {
  return `agent ${agentId} is not admitted`;
}

function unknown(agentId: AgentID): string {
  return `agent ${agentId} is neither admitted nor unreachable`;
}
