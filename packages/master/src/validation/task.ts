import {
  type AgentID,
  type Resource,
  resourceFault,
  Resources,
  resourcesFault,
  TaskID,
  type TaskInfo,
} from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';

export interface TaskSetting {
  readonly framework: Framework;
  /** Of the offers that were accepted. */
  readonly agentId: AgentID;
  readonly role: string;
  /** What is left of the offers. */
  readonly available: Resources;
}

export type TaskVerdict =
  | {
      /** With the role that the offers were given to. */
      readonly resources: Resources;
      readonly fault?: undefined;
    }
  | { readonly fault: string };

/** Whether a task may be launched, in Mesos's order of checks and with its words. */
export function judgeTask(task: TaskInfo, { framework, agentId, role, available }: TaskSetting): TaskVerdict {
  const idFault = taskIdFault(task, framework);
  if (idFault !== undefined) return { fault: idFault };
  if (task.agentId !== agentId) {
    return { fault: `Task uses invalid agent ${task.agentId} while agent ${agentId} is expected` };
  }
  if (task.resources.length === 0) return { fault: 'Task uses no resources' };
  for (const resource of task.resources) {
    const fault = resourceFault(resource) ?? gpuFault(resource) ?? roleMismatch(resource, role);
    if (fault !== undefined) return { fault: `Task uses invalid resources: ${fault}` };
  }
  const sumFault = resourcesFault(task.resources);
  if (sumFault !== undefined) return { fault: `Task uses invalid resources: ${sumFault}` };
  const resources = Resources.of(task.resources).allocate(role);
  if (resources.isEmpty) return { fault: 'Task uses no resources' };
  if (task.command === undefined) return { fault: 'Task has no command' };
  if (task.command.value === '') return { fault: `Task's command is invalid: its value is empty` };
  if (!available.contains(resources)) {
    return {
      fault: `Total resources ${String(resources)} required by task and its executor is more than available ${String(available)}`,
    };
  }
  return { resources };
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

function gpuFault(resource: Resource): string | undefined {
  const isFraction = resource.name === 'gpus' && resource.type === 'SCALAR' && !Number.isInteger(resource.scalar);
  return isFraction ? `The 'gpus' resource must be an unsigned integer` : undefined;
}

function roleMismatch({ name, allocationRole }: Resource, role: string): string | undefined {
  if (allocationRole === undefined || allocationRole === role) return undefined;
  return `'${name}' is allocated to role ${allocationRole}, but the offer to role ${role}`;
}
