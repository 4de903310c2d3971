import type { AgentID, TaskID, TaskState, TaskStatus } from '@mezzo/protocol';

export interface MasterStatusParts {
  readonly taskId: TaskID;
  readonly state: TaskState;
  readonly reason: string;
  readonly message: string;
  readonly agentId?: AgentID | undefined;
  readonly timestamp: number;
  readonly unreachableTime?: number | undefined;
}

/** A status that the master makes: it has no uuid and is not acknowledged. */
export function masterStatus({ agentId, unreachableTime, ...parts }: MasterStatusParts): TaskStatus {
  return {
    ...parts,
    source: 'SOURCE_MASTER',
    ...(agentId === undefined ? undefined : { agentId }),
    ...(unreachableTime === undefined ? undefined : { unreachableTime }),
  };
}
