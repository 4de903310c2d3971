import { ExecutorID, type ExecutorInfo, type TaskInfo } from '@mezzo/protocol';

/** What Mesos's command executor takes beside its task. Ours is a process beside the agent, so nothing is set aside for it. */
const resources: ExecutorInfo['resources'] = [
  { type: 'SCALAR', name: 'cpus', scalar: 0.1 },
  { type: 'SCALAR', name: 'mem', scalar: 32 },
];

/** Milliseconds that Mesos allows an executor beyond its task's grace period: to see the end of the task, and to say so. */
const margin = 2000;

/** The executor that is made up for a task that is a command. */
export function commandExecutorInfo(task: TaskInfo): ExecutorInfo {
  const { taskId, killGracePeriod } = task;
  return {
    executorId: ExecutorID(taskId),
    type: 'CUSTOM',
    name: `Command Executor (Task: ${taskId}) (Command: ${shortened(task)})`,
    source: taskId,
    resources,
    ...(killGracePeriod === undefined ? {} : { shutdownGracePeriod: killGracePeriod + margin }),
  };
}

function shortened({ command }: TaskInfo): string {
  if (command === undefined) return '';
  const { shell, value, arguments: argv } = command;
  if (!shell) return `[${[value, ...argv].join(', ')}]`;
  const line = `sh -c '${value}'`;
  return line.length > 15 ? `${line.slice(0, 12)}...` : line;
}
