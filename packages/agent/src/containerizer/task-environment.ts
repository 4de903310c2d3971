import type { AgentID, CommandInfo, ExecutorID, FrameworkID, TaskID } from '@mezzo/protocol';

/** Nothing of the agent's own environment reaches tasks, so programs must still be found. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A task's environment: what Mesos gives an executor; what the task itself names wins. */
export function taskEnvironment(task: {
  readonly agentId: AgentID;
  readonly frameworkId: FrameworkID;
  readonly executorId: ExecutorID;
  readonly taskId: TaskID;
  readonly sandbox: string;
  readonly command: CommandInfo;
  /** Whose resources it has. */
  readonly role: string | undefined;
}): Record<string, string> {
  return {
    PATH: defaultPath,
    MESOS_SANDBOX: task.sandbox,
    MESOS_DIRECTORY: task.sandbox,
    MESOS_AGENT_ID: task.agentId,
    MESOS_SLAVE_ID: task.agentId,
    MESOS_FRAMEWORK_ID: task.frameworkId,
    MESOS_EXECUTOR_ID: task.executorId,
    MESOS_TASK_ID: task.taskId,
    ...(task.role === undefined ? {} : { MESOS_ALLOCATION_ROLE: task.role }),
    ...task.command.environment,
  };
}
