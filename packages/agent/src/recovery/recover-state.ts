import { type Files, Future } from '@mezzo/process';
import { AgentID, ContainerID, ExecutorID, FrameworkID, TaskID } from '@mezzo/protocol';
import { readResources } from '../resources/resources-checkpoint.ts';
import { type RecoveredStream, readUpdateStream } from '../status-updates/recovered-stream.ts';
import { encodeUpdateRecord } from '../status-updates/update-record.ts';
import type { Run, WorkDirectory } from '../work-directory.ts';
import {
  checkedAgentInfo,
  checkedDrainConfig,
  checkedExecutorInfo,
  checkedFrameworkInfo,
  checkedTaskInfo,
  checkedTerm,
  part,
} from './checked.ts';
import { CheckpointReader } from './checkpoint-reader.ts';
import { inOrder } from './in-order.ts';
import type {
  RecoveredAgent,
  RecoveredExecutor,
  RecoveredFramework,
  RecoveredRun,
  RecoveredState,
  RecoveredTask,
} from './recovered-state.ts';
import { RecoveryError } from './recovery-error.ts';

export interface RecoveryOptions {
  /** The cluster that the agent belongs to. */
  readonly cluster: string;
  /**
   * Fail if anything cannot be read (strict). Default false: it is moved aside as `<name>.corrupt-<n>`, told in `faults`, and
   * the rest is recovered. What the agent is and what its resources are must be readable in any case.
   */
  readonly strict?: boolean;
}

/**
 * Reads the checkpoints in a work directory. A framework, executor, run or task whose own checkpoint is missing was just
 * begun or just removed, and is left out.
 *
 * Fails with RecoveryError OTHER_CLUSTER, CHECKPOINT_NEWER, CHECKPOINT_CORRUPT or CHECKPOINT_UNREADABLE, or with the file
 * system's error.
 */
export function recoverState(
  files: Files,
  folders: WorkDirectory,
  { cluster, strict = false }: RecoveryOptions,
): Future<RecoveredState> {
  const reader = new CheckpointReader(files, strict);
  const recovery = new Recovery(reader, folders, cluster);
  const { faults } = reader;
  return reader
    .ids(folders.checkpoints, (name): name is string => typeof name === 'string')
    .andThen((names) => {
      if (names.length === 0) return Future.ready<RecoveredState>({ ...nothing, faults });
      return recovery
        .bootId()
        .andThen((bootId) =>
          reader
            .read(folders.term, checkedTerm)
            .andThen((term) =>
              recovery
                .agent()
                .andThen((agent) =>
                  readResources(reader, folders).map((resources) => ({ bootId, term, agent, resources, faults })),
                ),
            ),
        );
    });
}

/** In a new work directory. */
const nothing = { bootId: undefined, term: undefined, agent: undefined, resources: undefined };

class Recovery {
  readonly #reader: CheckpointReader;
  readonly #folders: WorkDirectory;
  readonly #cluster: string;

  constructor(reader: CheckpointReader, folders: WorkDirectory, cluster: string) {
    this.#reader = reader;
    this.#folders = folders;
    this.#cluster = cluster;
  }

  bootId(): Future<string | undefined> {
    return this.#reader.files
      .read(this.#folders.bootId)
      .map((bytes): string | undefined => new TextDecoder().decode(bytes).trim())
      .repair(() => undefined);
  }

  agent(): Future<RecoveredAgent | undefined> {
    const { latestAgent } = this.#folders;
    const advice = `remove '${latestAgent}' to start as a new agent, which kills the tasks that run`;
    return this.#reader
      .read(latestAgent, (content) => AgentID(String(part(content, 'agentId'))), advice)
      .andThen((id) => (id === undefined ? Future.ready(undefined) : this.#agent(id, advice)));
  }

  #agent(id: AgentID, advice: string): Future<RecoveredAgent | undefined> {
    const path = this.#folders.agentInfo(id);
    const check = (content: unknown) => ({
      cluster: part(content, 'cluster'),
      info: checkedAgentInfo(part(content, 'agent')),
    });
    return this.#reader.read(path, check, advice).andThen((found) => {
      if (found === undefined) {
        const message = `Checkpoint '${path}' is missing, which '${this.#folders.latestAgent}' names: ${advice}`;
        return Future.failed(new RecoveryError('CHECKPOINT_CORRUPT', message));
      }
      if (found.cluster !== this.#cluster) {
        const message =
          `Work directory '${this.#folders.root}' holds an agent id from another cluster: ${id} is of ` +
          `'${String(found.cluster)}', and this agent is to join '${this.#cluster}': choose another work directory, or that cluster`;
        return Future.failed(new RecoveryError('OTHER_CLUSTER', message));
      }
      return this.#reader
        .read(this.#folders.drainConfig(id), checkedDrainConfig)
        .andThen((drainConfig) =>
          this.#frameworks(id).map((frameworks) => ({ id, info: found.info, drainConfig, frameworks })),
        );
    });
  }

  #frameworks(agentId: AgentID): Future<readonly RecoveredFramework[]> {
    return this.#each(this.#folders.frameworks(agentId), FrameworkID.is, (id) =>
      this.#reader.read(this.#folders.frameworkInfo(agentId, id), checkedFrameworkInfo).andThen((info) => {
        if (info === undefined) return Future.ready(undefined);
        return this.#executors(agentId, id).map((executors) => ({ id, info, executors }));
      }),
    );
  }

  #executors(agentId: AgentID, frameworkId: FrameworkID): Future<readonly RecoveredExecutor[]> {
    const folder = `${this.#folders.checkpointsOf(agentId, frameworkId)}/executors`;
    const check = (content: unknown) => ({
      info: checkedExecutorInfo(part(content, 'executor')),
      isGenerated: part(content, 'isGenerated') === true,
    });
    return this.#each(folder, ExecutorID.is, (id) =>
      this.#reader.read(this.#folders.executorInfo(agentId, frameworkId, id), check).andThen((found) => {
        if (found === undefined) return Future.ready(undefined);
        return this.#runs({ agentId, frameworkId, executorId: id }).map((runs) => ({ id, ...found, ...runs }));
      }),
    );
  }

  #runs(owner: Omit<Run, 'containerId'>): Future<Pick<RecoveredExecutor, 'latest' | 'runs'>> {
    const { agentId, frameworkId, executorId } = owner;
    const latestRun = this.#folders.latestRun(agentId, frameworkId, executorId);
    const folder = `${this.#folders.checkpointsOf(agentId, frameworkId, executorId)}/runs`;
    const isRun = (name: unknown): name is ContainerID => ContainerID.is(name) && !/^latest($|\.)/.test(name);
    return this.#reader
      .read(latestRun, (content) => ContainerID(String(part(content, 'containerId'))))
      .andThen((latestId) =>
        this.#each(folder, isRun, (containerId) => this.#run({ ...owner, containerId })).map((runs) => {
          const unended = runs.filter(({ endedAt }) => endedAt === undefined);
          const named = runs.find(({ run }) => run.containerId === latestId);
          return { latest: named ?? (unended.length === 1 ? unended[0] : undefined), runs };
        }),
      );
  }

  #run(run: Run): Future<RecoveredRun> {
    const sentinel = this.#folders.executorSentinel(run);
    return this.#reader
      .read(sentinel, (content) => Number(part(content, 'endedAt')))
      .andThen((endedAt) =>
        this.#reader
          .read(this.#folders.executorAddress(run), (content) => String(part(content, 'address')))
          .andThen((address) =>
            this.#each(`${this.#folders.checkpointsOfRun(run)}/tasks`, TaskID.is, (id) => this.#task(run, id)).map(
              (tasks) => ({ run, endedAt, address, tasks }),
            ),
          ),
      );
  }

  #task(run: Run, id: TaskID): Future<RecoveredTask | undefined> {
    const check = (content: unknown) => {
      const info = checkedTaskInfo(part(content, 'task'));
      if (info.taskId !== id) throw new Error(`it is about task '${info.taskId}'`);
      const group = part(content, 'group');
      return { info, group: Array.isArray(group) ? group.map((member) => TaskID(String(member))) : undefined };
    };
    return this.#reader.read(this.#folders.taskInfo(run, id), check).andThen((found) => {
      if (found === undefined) return Future.ready(undefined);
      return this.#updates(run, id).map((updates) => ({ id, ...found, updates }));
    });
  }

  /** A file with lines that cannot be read is written anew without them, and its old content kept. */
  #updates(run: Run, taskId: TaskID): Future<RecoveredStream> {
    const { files } = this.#reader;
    const file = this.#folders.taskUpdates(run, taskId);
    return readUpdateStream(files, file, run.frameworkId, taskId).andThen((stream) => {
      if (stream.damaged.length === 0) return Future.ready<RecoveredStream>(stream);
      const message = `line ${stream.damaged.join(', ')} cannot be read`;
      return this.#reader
        .keepAside(file, message)
        .andThen(() => files.replace(file, textOf(stream)))
        .map((): RecoveredStream => ({ ...stream, isTorn: false, damaged: [] }))
        .repair(() => stream);
    });
  }

  #each<Id extends string, T>(
    folder: string,
    isId: (name: unknown) => name is Id,
    read: (id: Id) => Future<T | undefined>,
  ): Future<readonly T[]> {
    return this.#reader
      .ids(folder, isId)
      .andThen((ids) => inOrder(ids, read))
      .map((all) => all.filter((one) => one !== undefined));
  }
}

function textOf({ updates, acknowledged }: RecoveredStream): string {
  const lines = updates.map((update) => encodeUpdateRecord({ type: 'UPDATE', update }));
  for (const uuid of acknowledged) lines.push(encodeUpdateRecord({ type: 'ACK', uuid }));
  return lines.join('');
}
