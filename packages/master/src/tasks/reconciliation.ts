import type { AgentID, TaskID, TaskState, TaskStatus } from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import type { MasterContext } from '../master-context.ts';
import type { MasterTask } from './master-task.ts';
import { masterStatus } from './task-status.ts';

export interface TaskName {
  readonly taskId: TaskID;
  readonly agentId?: AgentID | undefined;
}

const reason = 'REASON_RECONCILIATION';

/** What a framework is told about the tasks it names; about all its tasks if it names none. */
export function reconciliation(
  context: MasterContext,
  framework: Framework,
  names: readonly TaskName[],
): readonly TaskStatus[] {
  const timestamp = context.now();
  if (names.length === 0) return [...framework.tasks.values()].map((task) => latest(task, timestamp));
  return names.flatMap((name) => {
    const task = framework.tasks.get(name.taskId);
    if (task !== undefined) return [latest(task, timestamp)];
    return mayCome(context, name) ? [] : [unknown(context, framework, name, timestamp)];
  });
}

/** It may be on an agent that was there before this master led and is not back yet. */
function mayCome({ recoveredAgents }: MasterContext, { agentId }: TaskName): boolean {
  return agentId === undefined ? recoveredAgents.size > 0 : recoveredAgents.has(agentId);
}

function latest(task: MasterTask, timestamp: number): TaskStatus {
  const { id: taskId, agentId } = task;
  const status = masterStatus({
    taskId,
    agentId,
    state: task.toldState,
    reason,
    message: 'Reconciliation: Latest task state',
    timestamp,
  });
  const healthy = task.statuses.at(-1)?.healthy;
  return healthy === undefined ? status : { ...status, healthy };
}

function unknown(
  context: MasterContext,
  framework: Framework,
  { taskId, agentId }: TaskName,
  timestamp: number,
): TaskStatus {
  const answer = (state: TaskState, what: string, unreachableTime?: number): TaskStatus =>
    masterStatus({
      taskId,
      agentId,
      state: framework.has('PARTITION_AWARE') ? state : 'TASK_LOST',
      reason,
      message: `Reconciliation: ${what}`,
      timestamp,
      unreachableTime,
    });
  if (agentId !== undefined && context.agents.has(agentId)) return answer('TASK_GONE', 'Task is unknown to the agent');
  const lost = agentId === undefined ? undefined : context.unreachableAgents.get(agentId);
  if (lost !== undefined) return answer('TASK_UNREACHABLE', 'Task is unreachable', lost.unreachableAt);
  if (agentId !== undefined && context.goneAgents.has(agentId)) return answer('TASK_GONE_BY_OPERATOR', 'Task is gone');
  return answer('TASK_UNKNOWN', 'Task is unknown');
}
