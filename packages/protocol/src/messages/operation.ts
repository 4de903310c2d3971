import Type, { type Static } from 'typebox';
import { ids, parts, resource, resources } from './model.ts';
import { executorInfo, taskInfo } from './task.ts';

/** Chosen by a framework that wants to hear of the operation. */
const operationId = Type.Optional(Type.String({ minLength: 1, maxLength: 255 }));

const resourceOperations = [
  Type.Object({
    type: Type.Literal('RESERVE'),
    id: operationId,
    /** What they are now; without it: what they are without their last reservation. Operators only. */
    source: Type.Optional(resources),
    resources,
  }),
  Type.Object({ type: Type.Literal('UNRESERVE'), id: operationId, resources }),
  Type.Object({ type: Type.Literal('CREATE'), id: operationId, volumes: resources }),
  Type.Object({ type: Type.Literal('DESTROY'), id: operationId, volumes: resources }),
  Type.Object({ type: Type.Literal('GROW_VOLUME'), id: operationId, volume: resource, addition: resource }),
  /** `subtract`: MB. */
  Type.Object({ type: Type.Literal('SHRINK_VOLUME'), id: operationId, volume: resource, subtract: Type.Number() }),
] as const;

/** What changes what an agent's resources are, and nothing else. */
export const agentOperation = Type.Union([...resourceOperations]);
export type AgentOperation = Static<typeof agentOperation>;

/** What a framework does with the resources it accepted. */
export const operation = Type.Union([
  Type.Object({ type: Type.Literal('LAUNCH'), tasks: Type.Array(taskInfo) }),
  /** All of them or none, in one executor. */
  Type.Object({ type: Type.Literal('LAUNCH_GROUP'), executor: executorInfo, tasks: Type.Array(taskInfo) }),
  ...resourceOperations,
]);
export type Operation = Static<typeof operation>;

export const operationStates = [
  'OPERATION_PENDING',
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_UNREACHABLE',
  'OPERATION_GONE_BY_OPERATOR',
  'OPERATION_RECOVERING',
  'OPERATION_UNKNOWN',
] as const;
export type OperationState = (typeof operationStates)[number];

const terminalStates: ReadonlySet<OperationState> = new Set([
  'OPERATION_FINISHED',
  'OPERATION_FAILED',
  'OPERATION_ERROR',
  'OPERATION_DROPPED',
  'OPERATION_GONE_BY_OPERATOR',
]);

/** True for the states that an operation never leaves. */
export function isTerminalOperation(state: OperationState): boolean {
  return terminalStates.has(state);
}

export const operationStatus = Type.Object({
  state: Type.Unsafe<OperationState>(Type.Enum([...operationStates])),
  /** As the framework gave it. */
  operationId,
  message: Type.Optional(parts.text),
  /** What the operation made of what it consumed. */
  convertedResources: Type.Optional(resources),
  /** Present when the update must be acknowledged. */
  uuid: Type.Optional(ids.uuid),
  agentId: Type.Optional(ids.agentId),
});
export type OperationStatus = Static<typeof operationStatus>;

/** An operation as master and agent remember it, and as an agent reports it. */
export const operationRecord = Type.Object({
  operationUuid: ids.operationUuid,
  /** Absent for an operator's. */
  frameworkId: Type.Optional(ids.frameworkId),
  agentId: ids.agentId,
  info: agentOperation,
  latestStatus: operationStatus,
  /** Those that are not acknowledged yet, oldest first. */
  statuses: Type.Array(operationStatus),
});
export type OperationRecord = Static<typeof operationRecord>;
