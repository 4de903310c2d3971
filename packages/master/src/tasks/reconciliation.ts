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
  return names.map((name) => {
    const task = framework.tasks.get(name.taskId);
    return task === undefined ? unknown(context, framework, name, timestamp) : latest(task, timestamp);
  });
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
  const answer = (state: TaskState, what: string): TaskStatus =>
    masterStatus({
      taskId,
      agentId,
      state: framework.has('PARTITION_AWARE') ? state : 'TASK_LOST',
      reason,
      message: `Reconciliation: ${what}`,
      timestamp,
    });
  if (agentId !== undefined && context.agents.has(agentId)) return answer('TASK_GONE', 'Task is unknown to the agent');
  if (agentId !== undefined && context.unreachableAgents.has(agentId))
    return answer('TASK_UNREACHABLE', 'Task is unreachable');
  return answer('TASK_UNKNOWN', 'Task is unknown');
}
