import type { AgentID, ContainerID, ExecutorID, FrameworkID, TaskID } from '@mezzo/protocol';
import { AgentError } from './agent-error.ts';

/** One run of an executor. */
export interface Run {
  readonly agentId: AgentID;
  readonly frameworkId: FrameworkID;
  readonly executorId: ExecutorID;
  readonly containerId: ContainerID;
}

/**
 * Where an agent keeps what: Mesos's layout (`slaves/` for sandboxes, `meta/` for checkpoints) and `run/` in place of its
 * runtime directory. Ids are checked when they are made and cannot hold a slash, so no path leads out.
 */
export class WorkDirectory {
  readonly root: string;

  /** @param path absolute; throws AgentError WORK_DIRECTORY_INVALID otherwise. */
  constructor(path: string) {
    if (!path.startsWith('/') || path.includes('\0') || path.split('/').includes('..')) {
      throw new AgentError(
        'WORK_DIRECTORY_INVALID',
        `Invalid work directory ${JSON.stringify(path)}: expected an absolute path without '..', such as /var/lib/mezzo`,
      );
    }
    this.root = path.replace(/\/+$/, '');
  }

  /** Everything that tasks write is below. */
  get sandboxes(): string {
    return `${this.root}/slaves`;
  }

  sandbox(run: Run): string {
    return `${this.sandboxes}/${segments(run)}`;
  }

  /** The checkpointed update stream of a task. */
  taskUpdates(run: Run, taskId: TaskID): string {
    return `${this.root}/meta/slaves/${segments(run)}/tasks/${taskId}/task.updates`;
  }

  get bootId(): string {
    return `${this.root}/meta/boot_id`;
  }

  /** One folder per container that runs, or whose end is not reported yet. */
  get containers(): string {
    return `${this.root}/run/containers`;
  }
}

function segments({ agentId, frameworkId, executorId, containerId }: Run): string {
  return `${agentId}/frameworks/${frameworkId}/executors/${executorId}/runs/${containerId}`;
}
