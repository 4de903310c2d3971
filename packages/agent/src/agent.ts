import {
  dispatch,
  type ExitReason,
  Future,
  json,
  type LocalPID,
  messageOf,
  type PID,
  text,
  toMilliseconds,
} from '@mezzo/process';
import {
  type AgentID,
  type AgentInfo,
  agentMessages,
  AnnouncementDetector,
  ContainerID,
  executorMessages,
  ExecutorID,
  FrameworkID,
  type FrameworkInfo,
  isTerminal,
  type Resources,
  type StatusUpdate,
  taskAtAgent,
  type TaskAtAgentEffect,
  type TaskAtAgentEvent,
  TaskID,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  UpdateUUID,
} from '@mezzo/protocol';
import { AgentFramework } from './agent-framework.ts';
import type { AgentOptions } from './agent-options.ts';
import { agentState } from './agent-state.ts';
import { AgentTask } from './agent-task.ts';
import { PosixContainerizer } from './containerizer/posix-containerizer.ts';
import { CommandExecutor } from './executor/command-executor.ts';
import { SandboxFiles } from './files/sandbox-files.ts';
import { Registrant } from './registrant.ts';
import { StatusUpdates, UpdateDue } from './status-updates/status-updates.ts';
import { agentVersion } from './version.ts';
import type { Run, WorkDirectory } from './work-directory.ts';

const { AcknowledgeExecutorUpdate, ExecutorUpdate, KillExecutorTask, LaunchTask, ShutdownExecutor } = executorMessages;

/** What could not be stored is tried again after this many milliseconds. */
const storeRetryInterval = 10_000;
/** Mesos's max_completed_frameworks. */
const longestHistory = 50;

/** Details of the event that a task is given. */
interface Cause {
  readonly status?: TaskStatus;
  readonly gracePeriod?: number | undefined;
}

/** Runs the tasks that the leading master sends, and tells it what becomes of them until that is acknowledged. */
export class Agent extends Registrant {
  readonly #options: AgentOptions;
  readonly #folders: WorkDirectory;
  readonly #resources: Resources;
  readonly #frameworks = new Map<FrameworkID, AgentFramework>();
  readonly #completed: AgentFramework[] = [];
  #containerizer: LocalPID<PosixContainerizer> | undefined;
  #statusUpdates: LocalPID<StatusUpdates> | undefined;
  #files: LocalPID<SandboxFiles> | undefined;
  #startTime = 0;
  /** Why this agent is about to end. */
  #shutdown: { readonly message: string; readonly finished: () => void } | undefined;
}
