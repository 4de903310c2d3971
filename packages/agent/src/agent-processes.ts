import type { LocalPID, PID, Runtime } from '@mezzo/process';
import { PosixContainerizer } from './containerizer/posix-containerizer.ts';
import { SandboxFiles } from './files/sandbox-files.ts';
import { StatusUpdates } from './status-updates/status-updates.ts';
import type { WorkDirectory } from './work-directory.ts';

/** The processes an agent is made of, besides itself and its executors; they end with it. */
export class AgentProcesses {
  readonly containerizer: LocalPID<PosixContainerizer>;
  readonly statusUpdates: LocalPID<StatusUpdates>;
  readonly files: LocalPID<SandboxFiles>;

  private constructor(
    containerizer: LocalPID<PosixContainerizer>,
    statusUpdates: LocalPID<StatusUpdates>,
    files: LocalPID<SandboxFiles>,
  ) {
    this.containerizer = containerizer;
    this.statusUpdates = statusUpdates;
    this.files = files;
  }

  get all(): readonly PID[] {
    return [this.containerizer, this.statusUpdates, this.files];
  }

  static spawn(
    runtime: Runtime,
    agent: PID,
    options: { readonly workDirectory: WorkDirectory; readonly killOnStop: boolean },
  ): AgentProcesses {
    return new AgentProcesses(
      runtime.spawn(new PosixContainerizer(options)),
      runtime.spawn(new StatusUpdates(agent)),
      runtime.spawn(new SandboxFiles(options.workDirectory.sandboxes)),
    );
  }
}
