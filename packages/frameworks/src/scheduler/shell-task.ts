import type { Duration } from '@mezzo/process';
import { toMilliseconds } from '@mezzo/process';
import { type Offer, type Resource, TaskID, type TaskInfo } from '@mezzo/protocol';

export interface ShellTask {
  /** Unique among the framework's tasks. */
  readonly id: string;
  /** A line for `/bin/sh -c`. */
  readonly command: string;
  /** What `Basket.take` gave. */
  readonly resources: readonly Resource[];
  /** Default: the id. */
  readonly name?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** How long the task may go on after TERM. Default: the agent's (Mesos: 3 s). */
  readonly killGracePeriod?: Duration;
}

/**
 * A task that runs a shell command on the offer's agent.
 *
 * @throws InvalidIdError if the id cannot name a task
 */
export function shellTask(offer: Offer, task: ShellTask): TaskInfo {
  const { killGracePeriod } = task;
  return {
    taskId: TaskID(task.id),
    name: task.name ?? task.id,
    agentId: offer.agentId,
    resources: [...task.resources],
    command: { value: task.command, shell: true, arguments: [], environment: { ...task.environment } },
    ...(killGracePeriod === undefined ? {} : { killGracePeriod: toMilliseconds(killGracePeriod) }),
  };
}
