import type { LocalPID, PID, Runtime } from '@mezzo/process';
import type { Resources } from '@mezzo/protocol';
import { PosixContainerizer } from './containerizer/posix-containerizer.ts';
import { SandboxFiles } from './files/sandbox-files.ts';
import { GarbageCollector, type GarbageOptions } from './garbage/garbage-collector.ts';
import { AgentResources } from './resources/agent-resources.ts';
import { StatusUpdates } from './status-updates/status-updates.ts';
import type { WorkDirectory } from './work-directory.ts';

export interface AgentProcessesOptions {
  readonly workDirectory: WorkDirectory;
  readonly killOnStop: boolean;
  /** What the agent is started with. */
  readonly resources: Resources;
  readonly garbage: GarbageOptions;
}

/** The processes an agent is made of, besides itself and its executors; they end with it. */
export class AgentProcesses {
  readonly containerizer: LocalPID<PosixContainerizer>;
  readonly statusUpdates: LocalPID<StatusUpdates>;
  readonly resources: LocalPID<AgentResources>;
  readonly garbage: LocalPID<GarbageCollector>;
  readonly files: LocalPID<SandboxFiles>;

  private constructor(runtime: Runtime, agent: PID, options: AgentProcessesOptions) {
    const { workDirectory, resources, garbage } = options;
    this.containerizer = runtime.spawn(new PosixContainerizer(options));
    this.statusUpdates = runtime.spawn(new StatusUpdates(agent));
    this.resources = runtime.spawn(new AgentResources(agent, workDirectory, resources));
    this.garbage = runtime.spawn(new GarbageCollector(agent, garbage));
    this.files = runtime.spawn(new SandboxFiles(workDirectory.sandboxes));
  }

  get all(): readonly PID[] {
    return [this.containerizer, this.statusUpdates, this.resources, this.garbage, this.files];
  }

  static spawn(runtime: Runtime, agent: PID, options: AgentProcessesOptions): AgentProcesses {
    return new AgentProcesses(runtime, agent, options);
  }
}
