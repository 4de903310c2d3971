import {
  type AgentID,
  type AgentOperation,
  type FrameworkID,
  operationLifecycle,
  type OperationAtMasterState,
  type OperationStatus,
  type OperationUUID,
} from '@mezzo/protocol';

export interface OperationParts {
  readonly uuid: OperationUUID;
  /** Absent for an operator's. */
  readonly frameworkId: FrameworkID | undefined;
  readonly agentId: AgentID;
  readonly info: AgentOperation;
}

/** An operation on an agent's resources as the master remembers it, until its end is acknowledged. */
export class MasterOperation {
  readonly uuid: OperationUUID;
  readonly frameworkId: FrameworkID | undefined;
  readonly agentId: AgentID;
  readonly info: AgentOperation;
  state: OperationAtMasterState = operationLifecycle.initial;
  latestStatus: OperationStatus;
  /** Passed on and not acknowledged yet, oldest first. */
  statuses: readonly OperationStatus[] = [];

  constructor({ uuid, frameworkId, agentId, info }: OperationParts) {
    this.uuid = uuid;
    this.frameworkId = frameworkId;
    this.agentId = agentId;
    this.info = info;
    this.latestStatus = {
      state: 'OPERATION_PENDING',
      agentId,
      ...(this.id === undefined ? undefined : { operationId: this.id }),
    };
  }

  /** As the framework named it; without a name nobody wants to hear of it. */
  get id(): string | undefined {
    return this.info.id;
  }
}
