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

  /** The sandboxes of a framework on this agent, or of an executor and all its runs. */
  sandboxesOf(agentId: AgentID, frameworkId: FrameworkID, executorId?: ExecutorID): string {
    return `${this.sandboxes}/${owner(agentId, frameworkId, executorId)}`;
  }

  /** Everything of a framework on this agent, or of an executor and all its runs. */
  foldersOf(isCheckpointed: boolean, ...owner: Parameters<WorkDirectory['sandboxesOf']>): readonly string[] {
    const sandboxes = this.sandboxesOf(...owner);
    return isCheckpointed ? [sandboxes, this.checkpointsOf(...owner)] : [sandboxes];
  }

  // ---- checkpoints

  get checkpoints(): string {
    return `${this.root}/meta`;
  }

  /** Below are the checkpoints of every agent that ever used this work directory, by id. */
  get agents(): string {
    return `${this.root}/meta/slaves`;
  }

  /** Names the agent that uses this work directory. */
  get latestAgent(): string {
    return `${this.agents}/latest`;
  }

  agentInfo(agentId: AgentID): string {
    return `${this.agents}/${agentId}/slave.info`;
  }

  drainConfig(agentId: AgentID): string {
    return `${this.agents}/${agentId}/drain.config`;
  }

  /** Below are the checkpoints of frameworks, by id. */
  frameworks(agentId: AgentID): string {
    return `${this.agents}/${agentId}/frameworks`;
  }

  /** The checkpoints of a framework on this agent, or of an executor and all its runs. */
  checkpointsOf(agentId: AgentID, frameworkId: FrameworkID, executorId?: ExecutorID): string {
    return `${this.agents}/${owner(agentId, frameworkId, executorId)}`;
  }

  frameworkInfo(agentId: AgentID, frameworkId: FrameworkID): string {
    return `${this.checkpointsOf(agentId, frameworkId)}/framework.info`;
  }

  executorInfo(agentId: AgentID, frameworkId: FrameworkID, executorId: ExecutorID): string {
    return `${this.checkpointsOf(agentId, frameworkId, executorId)}/executor.info`;
  }

  /** Names the latest run of an executor. */
  latestRun(agentId: AgentID, frameworkId: FrameworkID, executorId: ExecutorID): string {
    return `${this.checkpointsOf(agentId, frameworkId, executorId)}/runs/latest`;
  }

  /** The checkpoints of one run of an executor. */
  checkpointsOfRun(run: Run): string {
    return `${this.agents}/${segments(run)}`;
  }

  /** There once the run has ended. */
  executorSentinel(run: Run): string {
    return `${this.checkpointsOfRun(run)}/executor.sentinel`;
  }

  /** Where the executor of a run takes its orders. */
  executorAddress(run: Run): string {
    return `${this.checkpointsOfRun(run)}/pids/libprocess.pid`;
  }

  taskInfo(run: Run, taskId: TaskID): string {
    return `${this.checkpointsOfRun(run)}/tasks/${taskId}/task.info`;
  }

  /** The checkpointed update stream of a task. */
  taskUpdates(run: Run, taskId: TaskID): string {
    return `${this.checkpointsOfRun(run)}/tasks/${taskId}/task.updates`;
  }

  get bootId(): string {
    return `${this.root}/meta/boot_id`;
  }

  /** The newest reign of a master that this agent has heard of. */
  get term(): string {
    return `${this.root}/meta/term`;
  }

  /** What dynamic reservations, volumes and operations there are. */
  get resources(): string {
    return `${this.root}/meta/resources/resources.info`;
  }

  /** What there will be, once the volumes' folders are as they should be. */
  get resourcesTarget(): string {
    return `${this.root}/meta/resources/resources.target`;
  }

  // ---- while it runs

  /** One file for each agent that uses this work directory, or tries to. */
  get locks(): string {
    return `${this.root}/run/agents`;
  }

  /** One folder per container that runs, or whose end is not reported yet. */
  get containers(): string {
    return `${this.root}/run/containers`;
  }
}

function owner(agentId: AgentID, frameworkId: FrameworkID, executorId: ExecutorID | undefined): string {
  return `${agentId}/frameworks/${frameworkId}${executorId === undefined ? '' : `/executors/${executorId}`}`;
}

function segments({ agentId, frameworkId, executorId, containerId }: Run): string {
  return `${agentId}/frameworks/${frameworkId}/executors/${executorId}/runs/${containerId}`;
}
