import { Future, type LocalPID, messageOf, type Runtime } from '@mezzo/process';
import { AnnouncementDetector, parseAgentResources, Resources } from '@mezzo/protocol';
import { Agent, agentInfo } from './agent.ts';
import { AgentError } from './agent-error.ts';
import type { AgentOptions } from './agent-options.ts';
import { compareAgentInfo } from './recovery/agent-info-difference.ts';
import { Checkpoint } from './recovery/checkpoint.ts';
import type { RecoveredState } from './recovery/recovered-state.ts';
import { recoverState } from './recovery/recover-state.ts';
import { RecoveryError } from './recovery/recovery-error.ts';
import { WorkDirectoryLock } from './recovery/work-directory-lock.ts';
import { WorkDirectory } from './work-directory.ts';

/**
 * Starts an agent: process `agent` with its parts `containerizer`, `status-updates`, `resources`, `garbage-collector` and
 * `files`, and a `detector` if none is given. It goes on with what an agent before left in the work directory: its id, and the
 * tasks of frameworks that checkpoint. READY when it is spawned, before it has registered. `dispatch(pid, (agent) =>
 * agent.shutdown())` ends it.
 *
 * Fails with AgentError WORK_DIRECTORY_INVALID or WORK_DIRECTORY_UNWRITABLE, ResourcesParseError, DURATION_INVALID, or
 * RecoveryError; nothing is spawned then.
 */
export function startAgent(runtime: Runtime, options: AgentOptions): Future<LocalPID<Agent>> {
  let folders: WorkDirectory;
  let resources: Resources;
  try {
    folders = new WorkDirectory(options.workDirectory);
    resources = Resources.of(parseAgentResources(options.resources, options.defaultRole));
  } catch (error) {
    return Future.failed(error);
  }
  return prepare(runtime, folders).andThen((lock) => {
    const started = recoverState(runtime.files, folders, options)
      .andThen((found) => reconfigured(runtime, options, folders, resources, found))
      .map((recovered) => {
        const detector = options.detector ?? runtime.pid('detector');
        const agent = new Agent(detector, options, folders, resources, recovered);
        if (options.detector === undefined) runtime.spawn(new AnnouncementDetector({ cluster: options.cluster }));
        return runtime.spawn(agent);
      });
    const release = (): void => void lock?.release();
    started.onFailed(release);
    started.onReady((agent) => runtime.wait(agent).onAny(release));
    return started;
  });
}

/** Makes the folders, and makes sure that nobody else uses them. */
function prepare(runtime: Runtime, folders: WorkDirectory): Future<WorkDirectoryLock | undefined> {
  const { files, random } = runtime;
  const probe = `${folders.root}/run/probe-${random.uuid()}`;
  return files
    .createFolder(folders.sandboxes)
    .andThen(() => files.create(probe, ''))
    .andThen(() => files.remove(probe))
    .andThen(() => WorkDirectoryLock.acquire(runtime, folders))
    .repair((outcome) => {
      const cause = outcome.failure();
      if (cause instanceof RecoveryError) return Future.failed(cause);
      const message = `Cannot write to work directory '${folders.root}' (${messageOf(cause)}): make it writable for this user, or choose another one`;
      return Future.failed(new AgentError('WORK_DIRECTORY_UNWRITABLE', message, { cause }));
    });
}

/** What is to be taken up: nothing of an agent that was so different that a reboot must have made another machine of it. */
function reconfigured(
  runtime: Runtime,
  options: AgentOptions,
  folders: WorkDirectory,
  resources: Resources,
  recovered: RecoveredState,
): Future<RecoveredState> {
  const { agent, bootId } = recovered;
  if (agent === undefined) return Future.ready(recovered);
  const info = agentInfo(runtime, options, resources);
  const fault = compareAgentInfo(agent.info, info, options.reconfigurationPolicy ?? 'equal');
  const { files, children, log } = runtime;
  const checkpoint = new Checkpoint(files, folders);
  if (fault === undefined) return checkpoint.agent(agent.id, info, options.cluster).map(() => recovered);
  if (bootId !== undefined && bootId !== children.bootId) {
    log.warn({ agentId: agent.id, fault }, 'The machine was started anew and is another one: starting as a new agent');
    return checkpoint.forgetAgent().map(() => ({ ...recovered, agent: undefined }));
  }
  const message =
    `The agent with work directory '${folders.root}' was ${agent.id}, and is not the same any more: ${fault}. Start it as it was, ` +
    `with the reconfiguration policy 'additive' if it has only become more, or remove '${folders.latestAgent}' to start as a ` +
    `new agent, which kills the tasks that run`;
  return Future.failed(new RecoveryError('AGENT_INCOMPATIBLE', message));
}
