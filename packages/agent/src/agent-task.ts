import {
  type FrameworkID,
  isTerminal,
  type Task,
  taskAtAgent,
  type TaskAtAgentState,
  type TaskID,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  type UpdateUUID,
} from '@mezzo/protocol';
import type { AgentExecutor } from './agent-executor.ts';
import type { Run } from './work-directory.ts';

/** A task that a master has given to this agent. */
export class AgentTask {
  readonly id: TaskID;
  readonly info: TaskInfo;
  readonly executor: AgentExecutor;
  state: TaskAtAgentState = taskAtAgent.initial;
  /** What it needs is there, and a later agent will know it if its framework wishes that: the executor may have it. */
  isPrepared = false;
  /** A later agent will know it. */
  isCheckpointed = false;
  /** The tasks that were launched with it, all or none, itself included. */
  group: readonly AgentTask[] | undefined;
  /** One per state entered, oldest first, without data. */
  readonly statuses: TaskStatus[] = [];
  /** The update that was sent to a master last: what its framework knows may be older than how the task is. */
  forwarded: { readonly state: TaskState; readonly uuid: UpdateUUID } | undefined;
  /** Updates on their way to the status update manager. */
  readonly storing = new Set<UpdateUUID>();

  constructor(id: TaskID, info: TaskInfo, executor: AgentExecutor) {
    this.id = id;
    this.info = info;
    this.executor = executor;
  }

  get run(): Run {
    return this.executor.run;
  }

  get frameworkId(): FrameworkID {
    return this.run.frameworkId;
  }

  get latestState(): TaskState {
    return this.statuses.at(-1)?.state ?? 'TASK_STAGING';
  }

  /** It holds its resources. */
  get isActive(): boolean {
    return !isTerminal(this.latestState);
  }

  enter({ data: _data, ...status }: TaskStatus): void {
    if (this.statuses.at(-1)?.state === status.state) this.statuses.pop();
    this.statuses.push(status);
  }

  /** As it is told to a master. */
  toTask(): Task {
    const { agentId, frameworkId, executorId } = this.run;
    const { name, resources } = this.info;
    return {
      taskId: this.id,
      frameworkId,
      agentId,
      name,
      state: this.latestState,
      resources,
      ...(this.executor.isGenerated ? {} : { executorId }),
      ...(this.forwarded === undefined
        ? {}
        : { statusUpdateState: this.forwarded.state, statusUpdateUuid: this.forwarded.uuid }),
      statuses: [...this.statuses],
    };
  }
}
