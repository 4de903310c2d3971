import { type Files, Future } from '@mezzo/process';
import { AgentID, type ExecutorID, type FrameworkID } from '@mezzo/protocol';
import { inOrder } from '../recovery/in-order.ts';
import type { RecoveredAgent, RecoveredExecutor, RecoveredState } from '../recovery/recovered-state.ts';
import { isMissing } from '../recovery/recovery-error.ts';
import type { WorkDirectory } from '../work-directory.ts';
import type { Garbage } from './garbage-collector.ts';

/**
 * What lies in a work directory and is needed no more: runs that have ended, executors and frameworks of which all runs have,
 * sandboxes that no checkpoint tells of, and everything of other agents that had this work directory.
 *
 * @param now since when things count as not needed that do not tell, in milliseconds since the epoch
 */
export function findGarbage(
  files: Files,
  folders: WorkDirectory,
  { agent }: Pick<RecoveredState, 'agent'>,
  now: number,
): Future<readonly Garbage[]> {
  const ended = agent === undefined ? [] : endedIn(folders, agent);
  return strangeSandboxes(files, folders, agent).andThen((strange) =>
    otherAgents(files, folders, agent?.id, now).map((others) => [
      ...ended,
      ...strange.map((path) => ({ path, since: now })),
      ...others,
    ]),
  );
}

function endedIn(folders: WorkDirectory, agent: RecoveredAgent): readonly Garbage[] {
  return agent.frameworks.flatMap((framework): readonly Garbage[] => {
    const { id, executors } = framework;
    const since = latestEnd(executors);
    if (since !== undefined) return owned(folders, since, agent.id, id);
    return executors.flatMap((executor) => {
      const executorEnd = latestEnd([executor]);
      if (executorEnd !== undefined) return owned(folders, executorEnd, agent.id, id, executor.id);
      return executor.runs.flatMap(({ run, endedAt }) =>
        endedAt === undefined
          ? []
          : [folders.sandbox(run), folders.checkpointsOfRun(run)].map((path) => ({ path, since: endedAt })),
      );
    });
  });
}

/** When the last run ended, or undefined if one has not. Without any run nothing is known of an end. */
function latestEnd(executors: readonly RecoveredExecutor[]): number | undefined {
  const ends = executors.flatMap(({ runs }) => runs.map(({ endedAt }) => endedAt ?? Number.NaN));
  const latest = Math.max(...ends);
  return Number.isFinite(latest) ? latest : undefined;
}

function owned(
  folders: WorkDirectory,
  since: number,
  ...owner: [agentId: AgentID, frameworkId: FrameworkID, executorId?: ExecutorID]
): readonly Garbage[] {
  return [folders.sandboxesOf(...owner), folders.checkpointsOf(...owner)].map((path) => ({ path, since }));
}

/** Of frameworks that do not checkpoint, or that were forgotten. */
function strangeSandboxes(
  files: Files,
  folders: WorkDirectory,
  agent: RecoveredAgent | undefined,
): Future<readonly string[]> {
  if (agent === undefined) return Future.ready([]);
  const top = `${folders.sandboxes}/${agent.id}/frameworks`;
  return namesIn(files, top)
    .andThen((frameworkNames) =>
      inOrder(frameworkNames, (frameworkName) => {
        const framework = agent.frameworks.find(({ id }) => id === frameworkName);
        if (framework === undefined) return Future.ready([`${top}/${frameworkName}`]);
        return strangeExecutors(files, `${top}/${frameworkName}/executors`, framework.executors);
      }),
    )
    .map((all) => all.flat());
}

function strangeExecutors(
  files: Files,
  folder: string,
  executors: readonly RecoveredExecutor[],
): Future<readonly string[]> {
  return namesIn(files, folder)
    .andThen((names) =>
      inOrder(names, (name): Future<readonly string[]> => {
        const executor = executors.find(({ id }) => id === name);
        if (executor === undefined) return Future.ready([`${folder}/${name}`]);
        const runs = new Set<string>(executor.runs.map(({ run }) => run.containerId));
        const inside = `${folder}/${name}/runs`;
        return namesIn(files, inside).map((all) => all.filter((id) => !runs.has(id)).map((id) => `${inside}/${id}`));
      }),
    )
    .map((all) => all.flat());
}

function otherAgents(
  files: Files,
  folders: WorkDirectory,
  own: AgentID | undefined,
  now: number,
): Future<readonly Garbage[]> {
  return namesIn(files, folders.agents)
    .andThen((checkpointed) =>
      namesIn(files, folders.sandboxes).map((sandboxed) => [...new Set([...checkpointed, ...sandboxed])]),
    )
    .map((names) => names.filter((name) => AgentID.is(name) && name !== own && !/^latest($|\.)/.test(name)))
    .map((names) =>
      names.flatMap((name) =>
        [`${folders.sandboxes}/${name}`, `${folders.agents}/${name}`].map((path) => ({ path, since: now })),
      ),
    );
}

function namesIn(files: Files, folder: string): Future<readonly string[]> {
  return files.list(folder).repair((outcome): readonly string[] | Future<readonly string[]> => {
    const error = outcome.failure();
    return isMissing(error) ? [] : Future.failed(error);
  });
}
