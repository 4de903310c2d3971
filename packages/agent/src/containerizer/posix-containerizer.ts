import { type Child, Deferred, type ExitReason, type ExitStatus, Future, Process, type Timer } from '@mezzo/process';
import type { CommandInfo, ContainerID } from '@mezzo/protocol';
import type { WorkDirectory } from '../work-directory.ts';
import { decodeExitRecord } from './exit-record.ts';
import { killLeftovers } from './leftovers.ts';
import { encodeProcessRecord } from './process-record.ts';
import { wrapped } from './wrapper.ts';

export interface ContainerConfig {
  readonly containerId: ContainerID;
  /** An existing folder: the command's working directory, where `stdout` and `stderr` go. */
  readonly sandbox: string;
  readonly command: CommandInfo;
  readonly environment: Readonly<Record<string, string>>;
}

interface Container {
  readonly id: ContainerID;
  readonly terminated: Deferred<ExitStatus>;
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
  #ended = false;

  /** @param options.killOnStop kill what runs when this process ends. */
  constructor(options: { readonly workDirectory: WorkDirectory; readonly killOnStop: boolean }) {
    super('containerizer');
    this.#folders = options.workDirectory;
    this.#killOnStop = options.killOnStop;
  }

  protected override finalize(_reason: ExitReason): void {
    this.#ended = true;
    for (const container of this.#containers.values()) {
      container.killTimer?.cancel();
      if (this.#killOnStop) this.#signal(container, 'SIGKILL');
    }
  }

  /** Kills what an earlier agent with this work directory left running. Gives the number of process groups killed. */
  recover(): Future<number> {
    return killLeftovers(this.runtime.files, this.runtime.children, this.#folders.containers);
  }

  /** READY when the command runs. Fails when it cannot be started; a program that does not exist starts, and exits 127. */
  launch(config: ContainerConfig): Future<void> {
    const container: Container = {
      id: config.containerId,
      terminated: new Deferred(),
      child: undefined,
      killAt: undefined,
      killTimer: undefined,
    };
    this.#containers.set(container.id, container);
    const { files, children } = this.runtime;
    const folder = this.#folder(container);
    return files
      .createFolder(folder)
      .andThen(() =>
        children.spawn({
          ...wrapped(folder, children.bootId, argumentsOf(config.command)),
          folder: config.sandbox,
          environment: config.environment,
          stdout: `${config.sandbox}/stdout`,
          stderr: `${config.sandbox}/stderr`,
        }),
      )
      .andThen((child) => {
        // At once and not in a turn: if this process has just ended, no turn comes and nobody would know the child.
        container.child = child;
        if (this.#ended && this.#killOnStop) this.#signal(container, 'SIGKILL');
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

  /** Kills what runs in it, and forgets it when it has ended. */
  discard(containerId: ContainerID): void {
    this.kill(containerId, 0);
    this.#containers.get(containerId)?.terminated.future.onReady(this.defer(() => void this.remove(containerId)));
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
    if (child?.exited.isPending === true) this.runtime.children.signalGroup(child.pid, signal);
  }

  #exited(container: Container, child: Child): void {
    container.killTimer?.cancel();
    const read = this.runtime.files.read(`${this.#folder(container)}/exit`);
    const recorded = read.map((bytes) => decodeExitRecord(new TextDecoder().decode(bytes)));
    recorded
      .repair(() => undefined)
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

/** As Mesos: a line for sh, or a program and its argv, whose first element is the program's own name. */
function argumentsOf(command: CommandInfo): readonly string[] {
  return command.shell ? ['/bin/sh', '-c', command.value] : [command.value, ...command.arguments.slice(1)];
}
