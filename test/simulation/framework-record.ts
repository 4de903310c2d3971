import type { AgentID, FrameworkID, Offer, OfferID, TaskID, TaskState } from '@mezzo/protocol';

/** What a framework remembers of a task: as if in a database that outlives it. */
export interface TaskRecord {
  readonly id: TaskID;
  readonly agentId: AgentID;
  /** What it heard last; undefined before the first word. */
  state: TaskState | undefined;
  /** It heard of the end: a state that no task leaves. */
  isOver: boolean;
}

/** A framework as it knows itself. Its tasks and its id survive it, as in a database; offers do not. */
export class FrameworkRecord {
  readonly name: string;
  readonly role: string;
  readonly isPartitionAware: boolean;
  readonly checkpoints: boolean;
  /** It makes reservations and volumes. */
  readonly reserves: boolean;
  id: FrameworkID | undefined;
  readonly tasks = new Map<TaskID, TaskRecord>();
  /** Those it has not answered, and nobody took back. */
  readonly offers = new Map<OfferID, Offer>();
  /** Tasks that are still to be launched. */
  wanted = 0;
  /** Names of volumes that it asked for, and of operations. */
  operations = 0;
  /** How often its scheduler was called. */
  calls = 0;
  numbered = 0;

  constructor(options: {
    readonly name: string;
    readonly role: string;
    readonly isPartitionAware: boolean;
    readonly checkpoints: boolean;
    readonly reserves: boolean;
  }) {
    this.name = options.name;
    this.role = options.role;
    this.isPartitionAware = options.isPartitionAware;
    this.checkpoints = options.checkpoints;
    this.reserves = options.reserves;
  }

  get open(): readonly TaskRecord[] {
    return [...this.tasks.values()].filter(({ isOver }) => !isOver);
  }
}
