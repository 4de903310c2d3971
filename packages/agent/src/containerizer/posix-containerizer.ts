import {
  type Child,
  Deferred,
  type ExitReason,
  type ExitStatus,
  type Files,
  Future,
  Process,
  type Timer,
} from '@mezzo/process';
import { type CommandInfo, ContainerID } from '@mezzo/protocol';
import { inOrder } from '../recovery/in-order.ts';
import type { VolumeMount } from '../resources/volumes.ts';
import type { WorkDirectory } from '../work-directory.ts';
import { AdoptedChild, livingWrapper, readExitRecord, unseenEnd } from './adopted-child.ts';
import { killLeftover } from './leftovers.ts';
import { encodeProcessRecord, type ProcessRecord } from './process-record.ts';
import { wrapped } from './wrapper.ts';

export interface ContainerConfig {
  readonly containerId: ContainerID;
  /** An existing folder: the command's working directory, where `stdout` and `stderr` go. */
  readonly sandbox: string;
  readonly command: CommandInfo;
  readonly environment: Readonly<Record<string, string>>;
  /** Become symbolic links in the sandbox. Without isolation a read-only volume can be written all the same. */
  readonly volumes?: readonly VolumeMount[];
  /** What the container is called by whoever launches it, who may have forgotten its id when the agent starts again. */
  readonly label?: string;
  /** A later agent will know it, so it may run on when this process ends. Default false. */
  readonly isCheckpointed?: boolean;
}

/** A container that an earlier agent left. */
export interface InheritedContainer {
  readonly label: string | undefined;
  /** `unseen`: it ended with its machine, or before its command ran. */
  readonly state: 'running' | 'ended' | 'unseen';
}

/** What a run folder tells. */
interface RunFolderContent {
  /** Of its wrapper, if that is alive. */
  readonly record: ProcessRecord | undefined;
  readonly recorded: ExitStatus | undefined;
  readonly label: string | undefined;
}

/** Milliseconds after which it is looked again whether adopted commands have ended (libprocess's MAX_REAP_INTERVAL). */
const lookInterval = 1000;

interface Container {
  readonly id: ContainerID;
  readonly terminated: Deferred<ExitStatus>;
  /** May run on without this process. */
  readonly isCheckpointed: boolean;
  child: Child | undefined;
  /** When KILL follows TERM, on the runtime's clock; set by the first kill. */
  killAt: number | undefined;
  killTimer: Timer | undefined;
}

/**
 * Runs commands as real processes, each in a process group of its own, without isolation: a sandbox folder and two
 * output files are all a container is. Its end is read from the wrapper's exit record.
 */
export class PosixContainerizer extends Process {
  readonly #folders: WorkDirectory;
  readonly #killOnStop: boolean;
  readonly #containers = new Map<ContainerID, Container>();
  readonly #inherited = new Map<ContainerID, InheritedContainer>();
  #ended = false;

  /** @param options.killOnStop kill all that runs when this process ends, not only what no later one would know. */
  constructor(options: { readonly workDirectory: WorkDirectory; readonly killOnStop: boolean }) {
    super('containerizer');
    this.#folders = options.workDirectory;
    this.#killOnStop = options.killOnStop;
  }

  protected override finalize(_reason: ExitReason): void {
    this.#ended = true;
    for (const container of this.#containers.values()) {
      container.killTimer?.cancel();
      if (this.#isKilledOnStop(container)) this.#signal(container, 'SIGKILL');
    }
  }

  /**
   * Takes up what an earlier agent with this work directory left. Of the containers in `known`, and those nested in them, it
   * adopts what still runs: `waitFor`, `kill`, `discard` and `remove` are for them too. What has ended has its recorded status;
   * what ended without anybody seeing it, with the machine or before it ran, counts as killed. All others are killed and
   * forgotten. Gives the number of process groups killed.
   */
  recover(known: Iterable<ContainerID> = []): Future<number> {
    const { files, children } = this.runtime;
    const ids = new Set(known);
    return files
      .list(this.#folders.containers)
      .repair((): readonly string[] => [])
      .andThen((names) =>
        inOrder(names, (name) => {
          const isKnown = ContainerID.is(name) && (ids.has(name) || [...ids].some((id) => name.startsWith(`${id}.`)));
          if (!isKnown) return killLeftover(files, children, `${this.#folders.containers}/${name}`);
          return this.#adopt(name).map(() => false);
        }),
      )
      .andThen(
        this.deferred((killed: readonly boolean[]) => {
          for (const id of ids) {
            if (this.#containers.has(id)) continue;
            this.#open(id).terminated.set(unseenEnd);
            this.#inherited.set(id, { label: undefined, state: 'unseen' });
          }
          this.#lookLater();
          return killed.filter(Boolean).length;
        }),
      );
  }

  /** What the last `recover` took up, as it was then. */
  inherited(): ReadonlyMap<ContainerID, InheritedContainer> {
    return new Map(this.#inherited);
  }

  /** READY when the command runs. Fails when it cannot be started; a program that does not exist starts, and exits 127. */
  launch(config: ContainerConfig): Future<void> {
    const container = this.#open(config.containerId, config.isCheckpointed ?? false);
    const { files, children } = this.runtime;
    const folder = this.#folder(container);
    const links = new Map<string, string>();
    for (const { containerPath, hostPath } of config.volumes ?? []) {
      if (leadsOut(containerPath)) {
        this.#containers.delete(container.id);
        const expected = "expected a relative path without '..'";
        return Future.failed(new Error(`A volume cannot be seen at ${JSON.stringify(containerPath)}: ${expected}`));
      }
      links.set(containerPath, hostPath);
    }
    return files
      .createFolder(folder)
      .andThen(() =>
        config.label === undefined ? Future.ready(undefined) : files.replace(`${folder}/label`, config.label),
      )
      .andThen(() =>
        children.spawn({
          ...wrapped(folder, children.bootId, argumentsOf(config.command), links),
          folder: config.sandbox,
          environment: config.environment,
          stdout: `${config.sandbox}/stdout`,
          stderr: `${config.sandbox}/stderr`,
        }),
      )
      .andThen((child) => {
        // At once and not in a turn: if this process has just ended, no turn comes and nobody would know the child.
        container.child = child;
        if (this.#ended && this.#isKilledOnStop(container)) this.#signal(container, 'SIGKILL');
        return this.#record(container, child);
      })
      .andThen(this.deferred(() => this.#started(container)))
      .repair(
        this.deferred((outcome: Future<void>) => {
          this.#containers.delete(container.id);
          this.#signal(container, 'SIGKILL');
          return files.remove(folder).andThen(() => Future.failed<void>(outcome.failure()));
        }),
      );
  }

  /** READY when the command has ended and nothing of its process group is left; pending for ever for an unknown id. */
  waitFor(containerId: ContainerID): Future<ExitStatus> {
    return this.#containers.get(containerId)?.terminated.future ?? Future.abandoned<ExitStatus>();
  }

  /**
   * TERM to the whole process group, KILL after the grace period (milliseconds; 0 means at once). Another call can
   * shorten the time that is left, not lengthen it. What has ended or is unknown is left alone.
   */
  kill(containerId: ContainerID, gracePeriod: number): void {
    const container = this.#containers.get(containerId);
    if (container === undefined) return;
    const killAt = this.clock.now() + gracePeriod;
    const isFirst = container.killAt === undefined;
    if (container.killAt !== undefined && container.killAt <= killAt) return;
    container.killAt = killAt;
    if (container.child !== undefined) this.#carryOutKill(container, isFirst);
  }

  /** Forgets a container that has ended. */
  remove(containerId: ContainerID): Future<void> {
    const container = this.#containers.get(containerId);
    if (container === undefined || container.terminated.future.isPending) return Future.ready(undefined);
    this.#containers.delete(containerId);
    return this.runtime.files.remove(this.#folder(container));
  }

  /** Kills what runs in it and in those nested in it (`containerId.child`), and forgets them when they have ended. */
  discard(containerId: ContainerID): void {
    for (const { id, terminated } of this.#containers.values()) {
      if (id !== containerId && !id.startsWith(`${containerId}.`)) continue;
      this.kill(id, 0);
      terminated.future.onReady(this.defer(() => void this.remove(id)));
    }
  }

  #isKilledOnStop({ isCheckpointed }: Container): boolean {
    return this.#killOnStop || !isCheckpointed;
  }

  #open(id: ContainerID, isCheckpointed = true): Container {
    const terminated = new Deferred<ExitStatus>();
    const container: Container = {
      id,
      terminated,
      isCheckpointed,
      child: undefined,
      killAt: undefined,
      killTimer: undefined,
    };
    this.#containers.set(id, container);
    return container;
  }

  #adopt(id: ContainerID): Future<void> {
    const { files, children } = this.runtime;
    const folder = `${this.#folders.containers}/${id}`;
    return livingWrapper(files, children, folder)
      .andThen((record) => readExitRecord(files, folder).map((recorded) => ({ record, recorded })))
      .andThen((found) => readLabel(files, folder).map((label) => ({ ...found, label })))
      .andThen(
        this.deferred(({ record, recorded, label }: RunFolderContent) => {
          const container = this.#open(id);
          const ended = recorded === undefined ? 'unseen' : 'ended';
          this.#inherited.set(id, { label, state: record === undefined ? ended : 'running' });
          if (record === undefined) return void container.terminated.set(recorded ?? unseenEnd);
          container.child = new AdoptedChild(record, folder);
          this.#started(container);
        }),
      );
  }

  #lookLater(): void {
    const adopted = [...this.#containers.values()].flatMap(({ child }) =>
      child instanceof AdoptedChild && child.exited.isPending ? [child] : [],
    );
    if (adopted.length === 0) return;
    const { files, children } = this.runtime;
    this.delay(lookInterval, () => {
      const looked = inOrder(adopted, (child) => child.look(files, children));
      looked.onAny(this.defer(() => this.#lookLater()));
    });
  }

  #record(container: Container, { pid, startTime }: Child): Future<void> {
    const record = encodeProcessRecord({ pid, startTime, bootId: this.runtime.children.bootId });
    return this.runtime.files.replace(`${this.#folder(container)}/pid`, record);
  }

  #started(container: Container): void {
    const { child } = container;
    if (child === undefined) return;
    child.exited.onAny(this.defer(() => this.#exited(container, child)));
    // A kill that came before there was a child; one that came since has its timer.
    if (container.killAt !== undefined && container.killTimer === undefined) this.#carryOutKill(container, true);
  }

  #carryOutKill(container: Container, isFirst: boolean): void {
    const left = (container.killAt ?? 0) - this.clock.now();
    container.killTimer?.cancel();
    if (left <= 0) this.#signal(container, 'SIGKILL');
    else {
      if (isFirst) this.#signal(container, 'SIGTERM');
      container.killTimer = this.delay(left, () => this.#signal(container, 'SIGKILL'));
    }
  }

  /** Our own child keeps its pid until its exit is known here, so the group is surely its own. */
  #signal({ child }: Container, signal: 'SIGTERM' | 'SIGKILL'): void {
    if (child?.exited.isPending !== true) return;
    if (child instanceof AdoptedChild) void child.signal(this.runtime.children, signal);
    else this.runtime.children.signalGroup(child.pid, signal);
  }

  #exited(container: Container, child: Child): void {
    container.killTimer?.cancel();
    readExitRecord(this.runtime.files, this.#folder(container))
      .andThen((status) => (status === undefined ? this.#withoutRecord(child) : Future.ready(status)))
      .onReady((status) => void container.terminated.set(status));
  }

  /** The wrapper was killed itself, or the disk is full: what it led may live on. */
  #withoutRecord(child: Child): Future<ExitStatus> {
    const { children } = this.runtime;
    return children.startTime(child.pid).andThen((startTime) => {
      // No process has this pid, and a group's number is not given away while the group lives: it can only be ours.
      if (startTime === undefined) children.signalGroup(child.pid, 'SIGKILL');
      return child.exited;
    });
  }

  #folder(container: Container): string {
    return `${this.#folders.containers}/${container.id}`;
  }
}

function readLabel(files: Files, folder: string): Future<string | undefined> {
  return files
    .read(`${folder}/label`)
    .map((bytes): string | undefined => new TextDecoder().decode(bytes))
    .repair(() => undefined);
}

/** As Mesos: a line for sh, or a program and its argv, whose first element is the program's own name. */
function argumentsOf(command: CommandInfo): readonly string[] {
  return command.shell ? ['/bin/sh', '-c', command.value] : [command.value, ...command.arguments.slice(1)];
}

function leadsOut(containerPath: string): boolean {
  const parts = containerPath.split('/');
  return containerPath.startsWith('/') || /^\.?$|\0/.test(containerPath) || parts.includes('..');
}
