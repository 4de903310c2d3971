import type { AgentID, OperationState, OperationStatus } from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import type { MasterContext } from '../master-context.ts';
import type { MasterOperation } from './master-operation.ts';

export interface OperationName {
  readonly operationId: string;
  readonly agentId?: AgentID | undefined;
}

/** What a framework is told about the operations it names; about all of its operations if it names none. */
export function operationReconciliation(
  context: MasterContext,
  framework: Framework,
  names: readonly OperationName[],
): readonly OperationStatus[] {
  const known = [...operationsOf(context, framework)];
  if (names.length === 0) return known.map(latest);
  return names.map((name) => {
    const operation = known.find(({ id }) => id === name.operationId);
    return operation === undefined ? unknown(context, name) : latest(operation);
  });
}

function* operationsOf({ agents }: MasterContext, framework: Framework): Iterable<MasterOperation> {
  for (const agent of agents.values())
    for (const operation of agent.operations.values())
      if (operation.frameworkId === framework.id && operation.id !== undefined) yield operation;
}

function latest({ latestStatus }: MasterOperation): OperationStatus {
  const { uuid: _uuid, ...status } = latestStatus;
  return status;
}

function unknown(context: MasterContext, { operationId, agentId }: OperationName): OperationStatus {
  const answer = (state: OperationState, what: string): OperationStatus => ({
    state,
    operationId,
    message: `Reconciliation: Operation ${what}`,
    ...(agentId === undefined ? undefined : { agentId }),
  });
  if (agentId === undefined) return answer('OPERATION_UNKNOWN', 'is unknown');
  if (context.recoveredAgents.has(agentId))
    return answer('OPERATION_RECOVERING', `is on an agent that is not back yet`);
  if (context.agents.has(agentId)) return answer('OPERATION_UNKNOWN', 'is unknown to the agent');
  if (context.unreachableAgents.has(agentId)) return answer('OPERATION_UNREACHABLE', 'is unreachable');
  if (context.goneAgents.has(agentId)) return answer('OPERATION_GONE_BY_OPERATOR', 'is gone');
  return answer('OPERATION_UNKNOWN', 'is unknown');
}
