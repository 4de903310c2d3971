import { Future, type LocalPID, messageOf, type Runtime } from '@mezzo/process';
import { AnnouncementDetector } from '@mezzo/protocol';
import { Agent } from './agent.ts';
import { AgentError } from './agent-error.ts';
import type { AgentOptions } from './agent-options.ts';
import { WorkDirectory } from './work-directory.ts';

/**
 * Starts an agent: process `agent` with its parts `containerizer`, `status-updates` and `files`, and a `detector` if none
 * is given. READY when it is spawned, before it has registered. `dispatch(pid, (agent) => agent.shutdown())` ends it.
 *
 * Fails with AgentError WORK_DIRECTORY_INVALID or WORK_DIRECTORY_UNWRITABLE, ResourcesParseError, or DURATION_INVALID;
 * nothing is spawned then.
 */
export function startAgent(runtime: Runtime, options: AgentOptions): Future<LocalPID<Agent>> {
  let agent: Agent;
  try {
    const detector = options.detector ?? runtime.pid('detector');
    agent = new Agent(detector, options);
  } catch (error) {
    return Future.failed(error);
  }
  return prepare(runtime, new WorkDirectory(options.workDirectory)).map(() => {
    if (options.detector === undefined) runtime.spawn(new AnnouncementDetector({ cluster: options.cluster }));
    return runtime.spawn(agent);
  });
}

/** Makes the folders, and writes a file to see that it can. */
function prepare({ files, children }: Runtime, folders: WorkDirectory): Future<void> {
  return files
    .createFolder(folders.sandboxes)
    .andThen(() => files.replace(folders.bootId, `${children.bootId}\n`))
    .repair((outcome) => {
      const cause = outcome.failure();
      const message = `Cannot write to work directory '${folders.root}' (${messageOf(cause)}): make it writable for this user, or choose another one`;
      return Future.failed(new AgentError('WORK_DIRECTORY_UNWRITABLE', message, { cause }));
    });
}
