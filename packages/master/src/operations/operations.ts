import type { BodyOf, PID } from '@mezzo/process';
import {
  type AgentID,
  agentMessages,
  type AgentOperation,
  conversionsOf,
  type FrameworkID,
  isTerminalOperation,
  type OperationAtMasterEffect,
  type OperationAtMasterEvent,
  operationLifecycle,
  type OperationRecord,
  type OperationState,
  type OperationStatus,
  OperationUUID,
  type ResourceConversion,
  ResourceConversionError,
  schedulerMessages,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToAgent, sendToFramework } from '../master-context.ts';
import { MasterOperation } from './master-operation.ts';
import { type OperationName, operationReconciliation } from './operation-reconciliation.ts';

type Update = BodyOf<typeof agentMessages.UpdateOperationStatus>;
type Acknowledge = BodyOf<typeof schedulerMessages.AcknowledgeOperation>;

/** Milliseconds for which an operation of an unknown framework waits for it after its agent has come (Mesos: 10 min). */
const orphanGrace = 600_000;

/** The state that the framework is told when the master decides. */
const decided: Partial<Record<OperationAtMasterEvent, OperationState>> = {
  AGENT_UNREACHABLE: 'OPERATION_UNREACHABLE',
  AGENT_GONE: 'OPERATION_GONE_BY_OPERATOR',
};

/** Walks operations on agents' resources through their lifecycle and carries out what that asks for. */
export class Operations {
  readonly #context: MasterContext;

  constructor(context: MasterContext) {
    this.#context = context;
  }

  /** Has the agent do it. What it makes of the resources is the caller's business. */
  apply(agent: Agent, info: AgentOperation, frameworkId: FrameworkID | undefined): void {
    const uuid = OperationUUID(this.#context.uuid());
    const operation = new MasterOperation({ uuid, frameworkId, agentId: agent.id, info });
    agent.operations.set(uuid, operation);
    sendToAgent(this.#context, agent, agentMessages.ApplyOperation, {
      term: this.#context.term,
      operationUuid: uuid,
      operation: info,
      ...(frameworkId === undefined ? undefined : { frameworkId }),
    });
  }

  /** It was refused: told if the framework named it. */
  refuse(framework: Framework, { id, type }: AgentOperation, agentId: AgentID | undefined, message: string): void {
    this.#context.log.warn({ frameworkId: framework.id, agentId }, `dropped a ${type} operation: ${message}`);
    if (id === undefined) return;
    const status = { state: 'OPERATION_ERROR', operationId: id, message } as const;
    this.#tell(framework, agentId === undefined ? status : { ...status, agentId });
  }

  /** An agent's update; only of registered agents, from the agent itself. */
  update({ agentId, frameworkId, operationUuid, status, latestStatus }: Update, from: PID): void {
    const { agents, frameworks, metrics } = this.#context;
    const agent = agents.get(agentId);
    if (agent === undefined || !agent.pid.equals(from)) {
      metrics.counter('invalid_operation_status_updates').increment();
      return;
    }
    metrics.counter('valid_operation_status_updates').increment();
    const operation = agent.operations.get(operationUuid);
    if (operation !== undefined) return this.#report(agent, operation, status, latestStatus ?? status);
    // The answer to a reconciliation, or an operation that ended while another master led.
    const framework = frameworkId === undefined ? undefined : frameworks.get(frameworkId);
    const isTold = framework !== undefined && status.operationId !== undefined && this.#tell(framework, status);
    if (!isTold && framework === undefined) this.#acknowledge(agent, operationUuid, status);
  }

  /** The framework has the update. */
  acknowledge(framework: Framework, { agentId, operationId, uuid }: Acknowledge): void {
    const { agents, metrics } = this.#context;
    const agent = agents.get(agentId);
    const operation = [...(agent?.operations.values() ?? [])].find(
      (candidate) => candidate.frameworkId === framework.id && candidate.id === operationId,
    );
    const status = operation?.statuses.find((candidate) => candidate.uuid === uuid);
    if (agent === undefined || operation === undefined || status === undefined || !agent.isConnected) {
      metrics.counter('invalid_operation_status_update_acknowledgements').increment();
      return;
    }
    metrics.counter('valid_operation_status_update_acknowledgements').increment();
    this.#acknowledge(agent, operation.uuid, status);
    operation.statuses = operation.statuses.filter((candidate) => candidate !== status);
    if (isTerminalOperation(status.state)) this.#step(agent, operation, 'ACKNOWLEDGED', status);
  }

  /** Without names: every operation of the framework that the master has. */
  reconcile(framework: Framework, names: readonly OperationName[]): void {
    for (const status of operationReconciliation(this.#context, framework, names)) this.#tell(framework, status);
  }

  /** What an agent has: what is new is taken over, what it does not name it is asked for. */
  adopt(agent: Agent, records: readonly OperationRecord[]): void {
    const reported = new Set(records.map(({ operationUuid }) => operationUuid));
    for (const { operationUuid: uuid, frameworkId, info, latestStatus, statuses } of records) {
      if (agent.operations.has(uuid)) continue;
      const operation = new MasterOperation({ uuid, frameworkId, agentId: agent.id, info });
      if (operationLifecycle.isState(latestStatus.state)) operation.state = latestStatus.state;
      operation.latestStatus = latestStatus;
      operation.statuses = statuses;
      agent.operations.set(uuid, operation);
    }
    const missing = [...agent.operations.values()].filter(({ uuid }) => !reported.has(uuid));
    if (missing.length === 0) return;
    sendToAgent(this.#context, agent, agentMessages.ReconcileOperations, {
      term: this.#context.term,
      operations: missing.map(({ uuid: operationUuid, frameworkId }) =>
        frameworkId === undefined ? { operationUuid } : { operationUuid, frameworkId },
      ),
    });
  }

  /**
   * What the agent is told and has not taken yet is still to come, and counts as it did: the agent described itself without it.
   *
   * @param taken those that it did take
   */
  expect(agent: Agent, taken: readonly OperationUUID[]): void {
    for (const { uuid, info, state } of agent.operations.values()) {
      if (state !== 'OPERATION_PENDING' || taken.includes(uuid)) continue;
      if (converts(agent, conversionsOf(info))) continue;
      this.#context.log.warn({ agentId: agent.id }, `a ${info.type} on its way does not go with what the agent has`);
    }
  }

  /** It has not come to pass. A volume is taken back before the reservation that it was made of, whichever is heard of first. */
  #undo(agent: Agent, info: AgentOperation): void {
    const { unsettled, total } = agent;
    unsettled.push(info);
    for (;;) {
      const settled = unsettled.findLastIndex((one) => converts(agent, undoing(one)));
      if (settled === -1) break;
      unsettled.splice(settled, 1);
    }
    if (!agent.total.equals(total)) this.#context.changed(agent);
  }

  /** Its agent is lost, in the way that the event says. */
  lose(agent: Agent, event: 'AGENT_UNREACHABLE' | 'AGENT_GONE' | 'FORGET'): void {
    for (const operation of [...agent.operations.values()]) {
      const state = decided[event] ?? operation.latestStatus.state;
      this.#step(agent, operation, event, { ...operation.latestStatus, state, agentId: agent.id });
    }
  }

  /** Passes a status on to the framework, if that is connected. */
  #tell(framework: Framework, status: OperationStatus): boolean {
    const body = { term: this.#context.term, status };
    return sendToFramework(this.#context, framework, schedulerMessages.UpdateOperation, body);
  }

  #report(agent: Agent, operation: MasterOperation, status: OperationStatus, latest: OperationStatus): void {
    operation.latestStatus = latest;
    const { uuid } = status;
    if (uuid !== undefined && !operation.statuses.some((known) => known.uuid === uuid))
      operation.statuses = [...operation.statuses, status];
    if (operationLifecycle.isEvent(latest.state)) this.#step(agent, operation, latest.state, status);
    // What needs no acknowledgement is over with the telling.
    if (uuid === undefined && isTerminalOperation(status.state)) this.#step(agent, operation, 'ACKNOWLEDGED', status);
  }

  #acknowledge(agent: Agent, operationUuid: OperationUUID, { uuid }: OperationStatus): void {
    if (uuid === undefined) return;
    const body = { term: this.#context.term, operationUuid, uuid };
    sendToAgent(this.#context, agent, agentMessages.AcknowledgeOperationStatus, body);
  }

  #step(agent: Agent, operation: MasterOperation, event: OperationAtMasterEvent, status: OperationStatus): void {
    const transition = operationLifecycle.next(operation.state, event);
    if (transition === undefined) return;
    const isNews = transition.state !== operation.state && isTerminalOperation(status.state);
    operation.state = transition.state;
    if (isNews) this.#context.metrics.operationEnded(operation.info.type, status.state);
    for (const effect of transition.effects) this.#carryOut(effect, agent, operation, status);
  }

  #carryOut(effect: OperationAtMasterEffect, agent: Agent, operation: MasterOperation, status: OperationStatus): void {
    const { frameworks } = this.#context;
    const framework = operation.frameworkId === undefined ? undefined : frameworks.get(operation.frameworkId);
    switch (effect) {
      case 'forwardUpdate':
        if (operation.id !== undefined && framework !== undefined) this.#tell(framework, status);
        else if (!this.#mayReturn(agent, operation)) this.#settle(agent, operation, status);
        break;
      case 'sendUpdate': {
        const { uuid: _uuid, ...told } = status;
        if (framework !== undefined && operation.id !== undefined)
          this.#tell(framework, { ...told, operationId: operation.id });
        break;
      }
      case 'undo':
        this.#undo(agent, operation.info);
        break;
      case 'removeOperation':
        agent.operations.delete(operation.uuid);
        this.#context.relieved(agent);
        break;
    }
  }

  /** Its framework is not known, but may come back after a failover. */
  #mayReturn(agent: Agent, { frameworkId, id }: MasterOperation): boolean {
    const { frameworks, completedFrameworks, now } = this.#context;
    if (frameworkId === undefined || id === undefined) return false;
    if (frameworks.has(frameworkId) || completedFrameworks.has(frameworkId)) return false;
    return now() - (agent.reregisteredAt ?? agent.registeredAt) < orphanGrace;
  }

  /** Nobody wants to hear of it: the master acknowledges in place of a framework. */
  #settle(agent: Agent, operation: MasterOperation, status: OperationStatus): void {
    if (status.uuid === undefined) return;
    this.#acknowledge(agent, operation.uuid, status);
    operation.statuses = operation.statuses.filter(({ uuid }) => uuid !== status.uuid);
    if (isTerminalOperation(status.state)) this.#step(agent, operation, 'ACKNOWLEDGED', status);
  }
}

/** False if the agent does not have what they consume. */
function converts(agent: Agent, conversions: readonly ResourceConversion[]): boolean {
  try {
    agent.convert(...conversions);
    return true;
  } catch (error) {
    if (error instanceof ResourceConversionError) return false;
    throw error;
  }
}

function undoing(operation: AgentOperation): readonly ResourceConversion[] {
  const conversions = conversionsOf(operation).map(({ consumed, converted }) => ({
    consumed: converted,
    converted: consumed,
  }));
  return conversions.toReversed();
}
