import type { BodyOf } from '@mezzo/process';
import { type AgentID, type agentMessages, Resources, type Task, UNRESERVED } from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import { MasterTask } from '../tasks/master-task.ts';

/** What an agent says when it registers again. */
export type Report = BodyOf<typeof agentMessages.ReregisterAgent>;

/** The tasks of a report, each once (the first stands) and at the agent that reports it, whatever it says itself. */
export function reportedTasks({ tasks }: Report, agentId: AgentID): readonly Task[] {
  const byName = new Map<string, Task>();
  for (const task of tasks) {
    const name = JSON.stringify([task.frameworkId, task.taskId]);
    if (!byName.has(name)) byName.set(name, { ...task, agentId });
  }
  return [...byName.values()];
}

/** The master's record, still in its first state, of a task that an agent reports. */
export function recordOf(task: Task, framework: Framework): MasterTask {
  const { taskId: id, frameworkId, agentId, name } = task;
  const { user } = framework.info;
  const { executorId, labels } = task;
  const resources = resourcesOf(task, framework);
  const record = new MasterTask({ id, frameworkId, agentId, name, resources, user, executorId, labels });
  for (const status of task.statuses) record.record(status);
  return record;
}

function resourcesOf(task: Task, framework: Framework): Resources {
  const resources = Resources.of(task.resources);
  const isAllocated = task.resources.every((resource) => resource.allocationRole !== undefined);
  return isAllocated ? resources : resources.unallocate().allocate(framework.roles[0] ?? UNRESERVED);
}
