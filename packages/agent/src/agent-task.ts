import type { PID } from '@mezzo/process';
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
import type { Run } from './work-directory.ts';

/** A task that a master has given to this agent. */
export class AgentTask {
  readonly id: TaskID;
  readonly info: TaskInfo;
  readonly run: Run;
  readonly sandbox: string;
  state: TaskAtAgentState = taskAtAgent.initial;
  /** One per state entered, oldest first, without data. */
  readonly statuses: TaskStatus[] = [];
  executor: PID | undefined;
  /** Its executor was told to end because it broke the protocol. */
  isExecutorShutDown = false;
  /** Updates on their way to the status update manager. */
  readonly storing = new Set<UpdateUUID>();

  constructor(id: TaskID, info: TaskInfo, run: Run, sandbox: string) {
    this.id = id;
    this.info = info;
    this.run = run;
    this.sandbox = sandbox;
  }

  get frameworkId(): FrameworkID {
    return this.run.frameworkId;
  }

  /** Under which Mesos's clients look for the sandbox. */
  get virtualPath(): string {
    const { frameworkId, executorId } = this.run;
    return `/frameworks/${frameworkId}/executors/${executorId}/runs/latest`;
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
    const { agentId, frameworkId } = this.run;
    const { name, resources } = this.info;
    return {
      taskId: this.id,
      frameworkId,
      agentId,
      name,
      state: this.latestState,
      resources,
      statuses: [...this.statuses],
    };
  }
}
