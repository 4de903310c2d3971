import { type ExecutorInfo, Resources, TaskID, type TaskInfo } from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { MasterExecutor } from '../agents/agent-executors.ts';
import type { Framework } from '../frameworks/framework.ts';
import { commandFault } from './command.ts';
import { executorFault, isSameExecutor } from './executor.ts';
import { namedResourcesFault, persistenceFault, taskResourcesFault } from './resources.ts';

/** Where a task is to be launched. */
export interface TaskSetting {
  readonly framework: Framework;
  readonly agent: Agent;
  /** Of the offers that were accepted. */
  readonly role: string;
  /** What is left of the offers. */
  readonly available: Resources;
}

export interface Launch {
  /** With the role that the offers were given to. */
  readonly resources: Resources;
  /** The executor, if it is not there yet. */
  readonly executor: MasterExecutor | undefined;
}

export type TaskVerdict = (Launch & { readonly fault?: undefined }) | { readonly fault: string };

/** Whether a task may be launched, in Mesos's order of checks and with its words. */
export function judgeTask(task: TaskInfo, setting: TaskSetting): TaskVerdict {
  const { framework, agent, role, available } = setting;
  const fault = taskFault(task, setting) ?? commandOrExecutorFault(task);
  if (fault !== undefined) return { fault };
  const resources = Resources.of(task.resources).allocate(role);
  const { executor: info } = task;
  if (info === undefined) {
    return roomFault(resources, available) ?? { resources, executor: undefined };
  }
  const wrong = info.type === 'DEFAULT' ? `A 'DEFAULT' executor runs task groups only` : undefined;
  const judged = judgeExecutor(info, framework, agent, role);
  if (wrong !== undefined || judged.fault !== undefined) return { fault: wrong ?? judged.fault ?? '' };
  const { executor } = judged;
  const both = [...resources, ...(executor?.resources ?? [])];
  const overlap = persistenceFault(both);
  if (overlap !== undefined) return { fault: `Task and its executor use the same resources: ${overlap}` };
  return roomFault(Resources.of(both), available) ?? { resources, executor };
}

/** Whether all tasks of a group may be launched in one executor. */
export function judgeGroup(
  tasks: readonly TaskInfo[],
  info: ExecutorInfo,
  setting: TaskSetting,
):
  | { readonly tasks: readonly Resources[]; readonly executor: MasterExecutor | undefined; readonly fault?: undefined }
  | {
      readonly fault: string;
    } {
  const { framework, agent, role, available } = setting;
  if (tasks.length === 0) return { fault: 'Task group cannot be empty' };
  const ids = new Set<string>();
  const each: Resources[] = [];
  for (const task of tasks) {
    const fault =
      taskFault(task, setting) ??
      (task.executor === undefined || isSameExecutor(task.executor, info)
        ? undefined
        : `The 'ExecutorInfo' of the task is not the one of its task group`) ??
      (task.command === undefined ? undefined : wrongCommand(task.command)) ??
      (ids.has(task.taskId) ? `Task has duplicate ID: ${task.taskId}` : undefined);
    if (fault !== undefined) return { fault: `Task '${task.taskId}' is invalid: ${fault}` };
    ids.add(task.taskId);
    each.push(Resources.of(task.resources).allocate(role));
  }
  if (info.frameworkId === undefined) return { fault: `'ExecutorInfo.framework_id' must be set` };
  const judged = judgeExecutor(info, framework, agent, role);
  if (judged.fault !== undefined) return judged;
  const all = Resources.sum([...each, judged.executor?.resources ?? Resources.empty]);
  return roomFault(all, available) ?? { tasks: each, executor: judged.executor };
}

function judgeExecutor(
  info: ExecutorInfo,
  framework: Framework,
  agent: Agent,
  role: string,
): { readonly executor: MasterExecutor | undefined; readonly fault?: undefined } | { readonly fault: string } {
  const fault = executorFault(info, framework.id);
  if (fault !== undefined) return { fault };
  const running = agent.executors.get(framework.id, info.executorId);
  if (running !== undefined) {
    if (isSameExecutor(running.info, info)) return { executor: undefined };
    return {
      fault: `ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID '${info.executorId}'`,
    };
  }
  const resources = Resources.of(info.resources).allocate(role);
  return { executor: { frameworkId: framework.id, info: { ...info, frameworkId: framework.id }, resources } };
}

/** Everything but what runs it and whether there is room. */
function taskFault(task: TaskInfo, { framework, agent, role }: TaskSetting): string | undefined {
  const { killGracePeriod, maxCompletionTime } = task;
  const idFault = taskIdFault(task, framework);
  if (idFault !== undefined) return idFault;
  if (task.agentId !== agent.id) return `Task uses invalid agent ${task.agentId} while agent ${agent.id} is expected`;
  if (killGracePeriod !== undefined && !(killGracePeriod >= 0))
    return `Task's 'kill_policy.grace_period' must be non-negative`;
  if (maxCompletionTime !== undefined && !(maxCompletionTime >= 0))
    return `Task's 'max_completion_time' must be non-negative`;
  if (task.resources.length === 0) return 'Task uses no resources';
  const allocated = task.resources.map((resource) => ({ allocationRole: role, ...resource }));
  const fault = namedResourcesFault(task.resources) ?? taskResourcesFault(allocated) ?? roleFault(allocated, role);
  if (fault !== undefined) return `Task uses invalid resources: ${fault}`;
  if (Resources.of(task.resources).isEmpty) return 'Task uses no resources';
  return limitsFault(task, agent);
}

function roleFault(allocated: TaskInfo['resources'], role: string): string | undefined {
  const other = allocated.find(({ allocationRole }) => allocationRole !== role);
  if (other === undefined) return undefined;
  return `'${other.name}' is allocated to role ${other.allocationRole ?? ''}, but the offer to role ${role}`;
}

function limitsFault({ limits, resources }: TaskInfo, agent: Agent): string | undefined {
  if (limits === undefined || Object.keys(limits).length === 0) return undefined;
  if (!agent.has('TASK_RESOURCE_LIMITS')) return `Agent ${agent.id} does not support task resource limits`;
  const requested = Resources.of(resources);
  for (const [name, limit] of Object.entries(limits)) {
    if (name !== 'cpus' && name !== 'mem') return `Task has a limit for '${name}': only 'cpus' and 'mem' may have one`;
    const request = requested.scalar(name);
    if (request === 0) return `Task has a limit for '${name}' but requests none of it`;
    if (Number.isNaN(limit) || limit < request)
      return `Task's limit of '${name}' ${limit} is less than its request ${request}`;
  }
  return undefined;
}

function commandOrExecutorFault({ command, executor }: TaskInfo): string | undefined {
  if ((command === undefined) === (executor === undefined))
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
  return command === undefined ? undefined : wrongCommand(command);
}

function wrongCommand(command: NonNullable<TaskInfo['command']>): string | undefined {
  const fault = commandFault(command);
  return fault === undefined ? undefined : `Task's command is invalid: ${fault}`;
}

function taskIdFault({ taskId }: TaskInfo, framework: Framework): string | undefined {
  try {
    TaskID(taskId);
  } catch (error) {
    return `Task has an invalid ID: ${error instanceof Error ? error.message : String(error)}`;
  }
  const isTaken = framework.tasks.has(taskId) || framework.unreachableTasks.has(taskId);
  return isTaken ? `Task has duplicate ID: ${taskId}` : undefined;
}

/** Any number of tasks may use a shared resource, so one copy of it is enough. */
function roomFault(needed: Resources, available: Resources): { readonly fault: string } | undefined {
  const hasShared = [...new Set(needed.shared().entries)].every((entry) => available.contains(Resources.of([entry])));
  if (hasShared && available.contains(needed.nonShared())) return undefined;
  return {
    fault: `Total resources ${String(needed)} required by task and its executor is more than available ${String(available)}`,
  };
}
