import type { Files, Future } from '@mezzo/process';
import type {
  AgentID,
  AgentInfo,
  DrainConfig,
  ExecutorInfo,
  FrameworkID,
  FrameworkInfo,
  TaskID,
  TaskInfo,
  Term,
} from '@mezzo/protocol';
import type { Run, WorkDirectory } from '../work-directory.ts';
import { encodeCheckpoint } from './checkpoint-format.ts';

/**
 * Writes what an agent must know after a restart; `recoverState` reads it. Each method is READY when it is on the disk,
 * and fails with the file system's error; what is written to one file is written in the order of the calls.
 *
 * A run is recovered if its framework and its executor are: write framework, executor, run, task in this order, and hand the
 * task over after that.
 */
export class Checkpoint {
  readonly #files: Files;
  readonly #folders: WorkDirectory;
  /** The last write of each file that has one under way. */
  readonly #writes = new Map<string, Future<void>>();

  constructor(files: Files, folders: WorkDirectory) {
    this.#files = files;
    this.#folders = folders;
  }

  /** The agent's id, what it is, and in which cluster; from now on this is the agent of the work directory. */
  agent(agentId: AgentID, info: AgentInfo, cluster: string): Future<void> {
    const agent = { ...info, id: agentId };
    return this.#write(this.#folders.agentInfo(agentId), { cluster, agent }).andThen(() =>
      this.#write(this.#folders.latestAgent, { agentId }),
    );
  }

  /** The next agent with this work directory is a new one. */
  forgetAgent(): Future<void> {
    return this.#remove(this.#folders.latestAgent);
  }

  framework(agentId: AgentID, frameworkId: FrameworkID, info: FrameworkInfo): Future<void> {
    return this.#write(this.#folders.frameworkInfo(agentId, frameworkId), { ...info, id: frameworkId });
  }

  /** @param isGenerated it was made up for a task that is a command */
  executor(
    { agentId, frameworkId, executorId }: Pick<Run, 'agentId' | 'frameworkId' | 'executorId'>,
    info: ExecutorInfo,
    isGenerated: boolean,
  ): Future<void> {
    return this.#write(this.#folders.executorInfo(agentId, frameworkId, executorId), { executor: info, isGenerated });
  }

  /** This is the latest run of its executor. */
  run(run: Run): Future<void> {
    const { agentId, frameworkId, executorId, containerId } = run;
    // The folder first: a run that `latest` names and that is not there is none.
    return this.#files
      .createFolder(this.#folders.checkpointsOfRun(run))
      .andThen(() => this.#write(this.#folders.latestRun(agentId, frameworkId, executorId), { containerId }));
  }

  /** @param address of the executor that registered, as `PID.address` writes it */
  executorAddress(run: Run, address: string): Future<void> {
    return this.#write(this.#folders.executorAddress(run), { address });
  }

  /** @param group the tasks it was launched with, all or none, itself included; undefined if it was alone */
  task(run: Run, task: TaskInfo, group?: readonly TaskID[]): Future<void> {
    return this.#write(this.#folders.taskInfo(run, task.taskId), { task, group });
  }

  /** @param endedAt milliseconds since the epoch */
  ended(run: Run, endedAt: number): Future<void> {
    return this.#write(this.#folders.executorSentinel(run), { endedAt });
  }

  /** @param config undefined: it is not drained any more */
  drain(agentId: AgentID, config: DrainConfig | undefined): Future<void> {
    const path = this.#folders.drainConfig(agentId);
    return config === undefined ? this.#remove(path) : this.#write(path, config);
  }

  term(term: Term): Future<void> {
    return this.#write(this.#folders.term, term);
  }

  /** Of the boot in which all of this is true; the last thing that a recovery does. */
  bootId(bootId: string): Future<void> {
    return this.#inOrder(this.#folders.bootId, (path) => this.#files.replace(path, `${bootId}\n`));
  }

  #write(path: string, content: unknown): Future<void> {
    const text = encodeCheckpoint(content);
    return this.#inOrder(path, () => this.#files.replace(path, text));
  }

  #remove(path: string): Future<void> {
    return this.#inOrder(path, () => this.#files.remove(path));
  }

  #inOrder(path: string, work: (path: string) => Future<void>): Future<void> {
    const before = this.#writes.get(path);
    const written = before === undefined ? work(path) : before.repair(() => undefined).andThen(() => work(path));
    this.#writes.set(path, written);
    written.onAny(() => {
      if (this.#writes.get(path) === written) this.#writes.delete(path);
    });
    return written;
  }
}
