import { ContainerID, type TaskID, type TaskInfo, type TaskState } from '@mezzo/protocol';
import type { AgentExecutor } from '../agent-executor.ts';
import type { InheritedContainer } from '../containerizer/posix-containerizer.ts';

/** A task that was there before its agent was started again. */
export interface InheritedTask {
  readonly info: TaskInfo;
  readonly containerId: ContainerID;
  readonly sandbox: string;
  /** What its container was found to be. */
  readonly container: InheritedContainer['state'];
  /** What was reported of it last. */
  readonly latestState: TaskState;
  /** When its first update was made, in milliseconds since the epoch; undefined if there was none. */
  readonly begun: number | undefined;
  /** Those it was launched with, itself included. */
  readonly group: readonly TaskID[];
}

/**
 * The tasks of an executor beside the agent, those too that have ended: the others of their group may have to. The container of
 * a command is the executor's own; a task of a group is found by the label of its.
 */
export function inheritedTasks(
  executor: AgentExecutor,
  containers: ReadonlyMap<ContainerID, InheritedContainer>,
): readonly InheritedTask[] {
  const { run, sandbox, isGenerated } = executor;
  if (containers.size === 0) return [];
  const byLabel = new Map<string, ContainerID>();
  for (const [id, { label }] of containers)
    if (label !== undefined && id.startsWith(`${run.containerId}.`)) byLabel.set(label, id);
  return [...executor.tasks.values(), ...(executor.completed ?? [])].map((task): InheritedTask => {
    // One without a container was never launched.
    const containerId = isGenerated
      ? run.containerId
      : (byLabel.get(task.id) ?? ContainerID(`${run.containerId}.none`));
    return {
      info: task.info,
      containerId,
      sandbox: isGenerated ? sandbox : `${sandbox}/tasks/${task.id}`,
      container: containers.get(containerId)?.state ?? 'unseen',
      latestState: task.latestState,
      begun: task.statuses[0]?.timestamp,
      group: (task.group ?? [task]).map(({ id }) => id),
    };
  });
}
