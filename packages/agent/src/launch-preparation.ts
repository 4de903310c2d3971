import { dispatch, Future, messageOf, type Runtime } from '@mezzo/process';
import { needsCheckpoint, ResourceConversionError, Resources } from '@mezzo/protocol';
import type { AgentExecutor, Ending } from './agent-executor.ts';
import type { AgentProcesses } from './agent-processes.ts';
import type { AgentTask } from './agent-task.ts';
import type { Checkpoint } from './recovery/checkpoint.ts';
import type { WorkDirectory } from './work-directory.ts';

/** What it needs of an agent. */
export interface PreparingAgent {
  readonly runtime: Runtime;
  readonly processes: AgentProcesses;
  readonly folders: WorkDirectory;
  readonly checkpoint: Checkpoint;
  /** READY when a later agent will know who this one is. */
  readonly identityStored: Future<void>;
}

/**
 * READY when an executor and its first tasks may be started: their volumes and the sandbox are there and stay, and if their
 * framework checkpoints, a later agent will know them.
 */
export function prepareExecutor(
  agent: PreparingAgent,
  executor: AgentExecutor,
  tasks: readonly AgentTask[],
): Future<void> {
  return keepFolders(agent, executor)
    .andThen(() => volumesOf(agent, executor, tasks))
    .andThen(() => agent.runtime.files.createFolder(executor.sandbox))
    .andThen(() => checkpointExecutor(agent, executor))
    .andThen(() => checkpointTasks(agent, tasks));
}

/** The same for more tasks of an executor that is there. Most have nothing to wait for. */
export function prepareTasks(
  agent: PreparingAgent,
  executor: AgentExecutor,
  tasks: readonly AgentTask[],
): Future<void> {
  return volumesOf(agent, executor, tasks).andThen(() => checkpointTasks(agent, tasks));
}

/** What becomes of the tasks for which that failed. */
export function failedPreparation({ framework }: AgentExecutor, error: unknown): Ending {
  if (error instanceof ResourceConversionError) {
    const state = framework.has('PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST';
    return { state, reason: 'REASON_RESOURCES_UNKNOWN', message: error.message };
  }
  const message = `Failed to prepare the launch: ${messageOf(error)}`;
  return { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', message };
}

/** What the executor and its tasks may use. */
export function resourcesOf(executor: AgentExecutor, tasks: Iterable<AgentTask>): Resources {
  // Nothing is set aside for the executor of a command.
  const own = executor.isGenerated ? [] : [Resources.of(executor.info.resources)];
  return Resources.sum([...own, ...Array.from(tasks, ({ info }) => Resources.of(info.resources))]);
}

/** What was to be removed some day and is used again. */
function keepFolders({ folders, processes }: PreparingAgent, { run, framework }: AgentExecutor): Future<void> {
  const { agentId, frameworkId, executorId } = run;
  const { checkpoint } = framework.info;
  const paths = [
    ...folders.foldersOf(checkpoint, agentId, frameworkId),
    ...folders.foldersOf(checkpoint, agentId, frameworkId, executorId),
  ];
  return dispatch(processes.garbage, (p) => p.keep(paths));
}

/** READY when the reservations and volumes that they name are there. */
function volumesOf(
  { processes }: PreparingAgent,
  executor: AgentExecutor,
  tasks: readonly AgentTask[],
): Future<unknown> {
  const needed = resourcesOf(executor, tasks).filter(needsCheckpoint);
  return needed.isEmpty ? Future.ready(undefined) : dispatch(processes.resources, (p) => p.volumesOf(needed));
}

function checkpointExecutor({ checkpoint, identityStored }: PreparingAgent, executor: AgentExecutor): Future<void> {
  const { framework, run, info, isGenerated } = executor;
  if (!framework.info.checkpoint) return Future.ready(undefined);
  return identityStored
    .andThen(() => checkpoint.framework(run.agentId, framework.id, framework.info))
    .andThen(() => checkpoint.executor(run, info, isGenerated))
    .andThen(() => checkpoint.run(run));
}

function checkpointTasks({ checkpoint }: PreparingAgent, tasks: readonly AgentTask[]): Future<void> {
  let written: Future<void> = Future.ready(undefined);
  for (const { run, info, group, executor } of tasks) {
    if (!executor.framework.info.checkpoint) continue;
    const members = group?.map(({ id }) => id);
    written = written.andThen(() => checkpoint.task(run, info, members));
  }
  return written;
}
