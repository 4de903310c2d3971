import { isTerminal, type TaskID } from '@mezzo/protocol';
import { AgentExecutor } from '../agent-executor.ts';
import { AgentTask } from '../agent-task.ts';
import type { FrameworkTable } from '../framework-table.ts';
import type { WorkDirectory } from '../work-directory.ts';
import type { RecoveredAgent, RecoveredExecutor, RecoveredRun } from './recovered-state.ts';

/** An executor that had not ended for the agent before, as it is in the table again. */
export interface RestoredExecutor {
  readonly executor: AgentExecutor;
  /** Where it took its orders. */
  readonly address: string | undefined;
}

/** Puts frameworks, executors and tasks that had not ended into the table, as their checkpoints and updates tell. */
export function restoreExecutors(
  table: FrameworkTable,
  { frameworks }: RecoveredAgent,
  folders: WorkDirectory,
): readonly RestoredExecutor[] {
  return frameworks.flatMap(({ id, info, executors }) =>
    executors.flatMap((recovered): readonly RestoredExecutor[] => {
      const run = runOf(recovered);
      if (run === undefined) return [];
      const [task] = run.tasks;
      const source = recovered.isGenerated && task !== undefined ? task.info : recovered.info;
      const executor = new AgentExecutor(table.open(id, info), source, run.run, folders.sandbox(run.run));
      executor.framework.executors.set(executor.id, executor);
      restoreTasks(executor, run);
      return [{ executor, address: run.address }];
    }),
  );
}

/** The run that had not ended. One that had a task to come and has none was not begun. */
export function runOf({ latest, isGenerated }: RecoveredExecutor): RecoveredRun | undefined {
  if (latest === undefined || latest.endedAt !== undefined) return undefined;
  return isGenerated && latest.tasks.length === 0 ? undefined : latest;
}

function restoreTasks(executor: AgentExecutor, { tasks }: RecoveredRun): void {
  const restored = new Map<TaskID, AgentTask>();
  for (const { id, info, updates } of tasks) {
    const task = new AgentTask(id, info, executor);
    restored.set(id, task);
    task.isPrepared = true;
    task.isCheckpointed = true;
    for (const { status } of updates.updates) task.enter(status);
    const isDone = updates.updates.some(
      ({ status: { state, uuid } }) => isTerminal(state) && uuid !== undefined && updates.acknowledged.has(uuid),
    );
    if (isDone) {
      task.state = 'completed';
      executor.complete(task);
      continue;
    }
    task.state = isTerminal(task.latestState) ? 'terminated' : 'launched';
    executor.tasks.set(id, task);
    executor.framework.tasks.set(id, task);
  }
  for (const { id, group } of tasks) {
    const task = restored.get(id);
    if (task !== undefined && group !== undefined) task.group = group.flatMap((member) => restored.get(member) ?? []);
  }
}
