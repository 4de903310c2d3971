import type {
  AgentID,
  AgentInfo,
  DrainConfig,
  ExecutorID,
  ExecutorInfo,
  FrameworkID,
  FrameworkInfo,
  TaskID,
  TaskInfo,
  Term,
} from '@mezzo/protocol';
import type { RecoveredResources } from '../resources/resources-checkpoint.ts';
import type { RecoveredStream } from '../status-updates/recovered-stream.ts';
import type { Run } from '../work-directory.ts';

/** What an agent with a work directory had, as the checkpoints in it tell. */
export interface RecoveredState {
  /** Of the machine when the last recovery was done; undefined in a new work directory. */
  readonly bootId: string | undefined;
  readonly term: Term | undefined;
  /** Undefined if no agent registered yet. */
  readonly agent: RecoveredAgent | undefined;
  /** Undefined if there never were any dynamic reservations, volumes or operations. */
  readonly resources: RecoveredResources | undefined;
  /** What could not be read. */
  readonly faults: readonly CheckpointFault[];
}

export interface RecoveredAgent {
  readonly id: AgentID;
  readonly info: AgentInfo;
  /** It is being drained. */
  readonly drainConfig: DrainConfig | undefined;
  readonly frameworks: readonly RecoveredFramework[];
}

export interface RecoveredFramework {
  readonly id: FrameworkID;
  readonly info: FrameworkInfo;
  readonly executors: readonly RecoveredExecutor[];
}

export interface RecoveredExecutor {
  readonly id: ExecutorID;
  readonly info: ExecutorInfo;
  /** It was made up for a task that is a command. */
  readonly isGenerated: boolean;
  /** Undefined if it is not known which of the runs it was, or that one is gone. */
  readonly latest: RecoveredRun | undefined;
  readonly runs: readonly RecoveredRun[];
}

export interface RecoveredRun {
  readonly run: Run;
  /** Milliseconds since the epoch; undefined if it had not ended when the agent did. */
  readonly endedAt: number | undefined;
  /** Where the executor takes its orders; undefined if it had not registered, or is a process of the agent. */
  readonly address: string | undefined;
  readonly tasks: readonly RecoveredTask[];
}

export interface RecoveredTask {
  readonly id: TaskID;
  readonly info: TaskInfo;
  /** The tasks it was launched with, itself included. */
  readonly group: readonly TaskID[] | undefined;
  readonly updates: RecoveredStream;
}

export interface CheckpointFault {
  readonly path: string;
  readonly message: string;
  /** Where the unreadable content is kept. */
  readonly movedTo: string | undefined;
}

export function latestRuns(agent: RecoveredAgent | undefined): readonly RecoveredRun[] {
  const executors = agent?.frameworks.flatMap((framework) => framework.executors) ?? [];
  return executors.flatMap(({ latest }) => (latest === undefined ? [] : [latest]));
}
