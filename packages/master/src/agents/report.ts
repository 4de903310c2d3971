import type { BodyOf } from '@mezzo/process';
import { type agentMessages, type FrameworkID, Resources, type Task, taskAtMaster, UNRESERVED } from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import { MasterTask } from '../tasks/master-task.ts';

/** What an agent says when it registers again. */
export type Report = BodyOf<typeof agentMessages.ReregisterAgent>;

/** The master's record of a task that an agent reports. */
export function reportedTask(task: Task, framework: Framework): MasterTask {
  const { taskId: id, frameworkId, agentId, name } = task;
  const { user } = framework.info;
  const record = new MasterTask({ id, frameworkId, agentId, name, resources: resourcesOf(task, framework), user });
  if (taskAtMaster.isState(task.state)) record.state = task.state;
  for (const status of task.statuses) record.record(status);
  return record;
}

/** What the reported tasks hold, by framework, of those that the master accounts for. */
export function reportedHoldings(
  tasks: readonly Task[],
  frameworkOf: (id: FrameworkID) => Framework | undefined,
): ReadonlyMap<FrameworkID, Resources> {
  const holdings = new Map<FrameworkID, Resources>();
  for (const task of tasks) {
    const framework = frameworkOf(task.frameworkId);
    if (framework === undefined || !reportedTask(task, framework).isHolding) continue;
    const held = holdings.get(framework.id) ?? Resources.empty;
    holdings.set(framework.id, held.plus(resourcesOf(task, framework)));
  }
  return holdings;
}

function resourcesOf(task: Task, framework: Framework): Resources {
  const resources = Resources.of(task.resources);
  const isAllocated = task.resources.every((resource) => resource.allocationRole !== undefined);
  return isAllocated ? resources : resources.unallocate().allocate(framework.roles[0] ?? UNRESERVED);
}
