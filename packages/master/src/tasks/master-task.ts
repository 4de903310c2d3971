import {
  type AgentID,
  type ExecutorID,
  type FrameworkID,
  isTerminal,
  type Resources,
  taskAtMaster,
  type TaskAtMasterState,
  type TaskID,
  type TaskStatus,
  type UpdateUUID,
} from '@mezzo/protocol';

export interface TaskParts {
  readonly id: TaskID;
  readonly frameworkId: FrameworkID;
  readonly agentId: AgentID;
  readonly name: string;
  /** They carry the role they were allocated to. */
  readonly resources: Resources;
  readonly user?: string | undefined;
  /** Undefined for a task that is a command. */
  readonly executorId?: ExecutorID | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The newest update that was passed on to the framework; it may lag behind the task's state. */
export interface ForwardedUpdate {
  readonly state: TaskStatus['state'];
  readonly uuid: UpdateUUID | undefined;
}

/** A task as the master remembers it, until its terminal update is acknowledged and then in the history. */
export class MasterTask {
  readonly id: TaskID;
  readonly frameworkId: FrameworkID;
  readonly agentId: AgentID;
  readonly name: string;
  readonly resources: Resources;
  readonly user: string | undefined;
  readonly executorId: ExecutorID | undefined;
  readonly labels: Readonly<Record<string, string>>;
  state: TaskAtMasterState = taskAtMaster.initial;
  forwarded: ForwardedUpdate | undefined;
  /** Set once somebody asked for its end: it is asked again when the agent comes back. */
  kill: { readonly gracePeriod: number | undefined } | undefined;
  #statuses: readonly TaskStatus[] = [];

  constructor(parts: TaskParts) {
    this.id = parts.id;
    this.frameworkId = parts.frameworkId;
    this.agentId = parts.agentId;
    this.name = parts.name;
    this.resources = parts.resources;
    this.user = parts.user;
    this.executorId = parts.executorId;
    this.labels = parts.labels ?? {};
  }

  /** One per state entered, oldest first, without data. */
  get statuses(): readonly TaskStatus[] {
    return this.#statuses;
  }

  get isTerminal(): boolean {
    return isTerminal(this.state);
  }

  /** True while its resources are in use at the agent. */
  get isHolding(): boolean {
    return !this.isTerminal && this.state !== 'TASK_UNREACHABLE';
  }

  /** The state the framework knows or is about to learn. */
  get toldState(): TaskStatus['state'] {
    return this.forwarded?.state ?? this.state;
  }

  /** True if the history ends with this state. */
  wasLast(state: TaskStatus['state']): boolean {
    return this.#statuses.at(-1)?.state === state;
  }

  /** Adds to the history; a status of the same state as the last one replaces it. */
  record(status: TaskStatus): void {
    const { data: _dropped, ...kept } = status;
    const last = this.#statuses.at(-1);
    const earlier = last?.state === status.state ? this.#statuses.slice(0, -1) : this.#statuses;
    this.#statuses = [...earlier, kept];
  }
}
