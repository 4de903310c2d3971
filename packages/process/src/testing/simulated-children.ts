import { toMilliseconds, type Duration } from '../duration.ts';
import { Deferred, Future } from '../future/future.ts';
import type { Child, Children, Clock, Command, ExitStatus, Signal, Timer } from '../platform/platform.ts';
import type { SimulatedFiles } from './simulated-files.ts';

/** What a simulated command does: it takes some time, writes some files, and exits. */
export interface Run {
  /** Virtual time it takes; without one it runs until it is signaled. */
  readonly duration?: Duration;
  /** Exit code. Default 0. */
  readonly code?: number;
  /** Runs when the command is done, before it exits. */
  readonly finish?: (files: SimulatedFiles) => void;
  /** Survives SIGTERM. Default false. */
  readonly stubborn?: boolean;
}

/** Decides what a command does. Throwing makes the spawn fail. */
export type Script = (command: Command, files: SimulatedFiles) => Run;

interface Running {
  readonly exited: Deferred<ExitStatus>;
  readonly run: Run;
  readonly startTime: number;
  timer: Timer | undefined;
}

/** Child processes that exist on paper only. */
export class SimulatedChildren implements Children {
  readonly #clock: Clock;
  readonly #files: SimulatedFiles;
  readonly #script: Script;
  readonly #running = new Map<number, Running>();
  #pids = 100;
  #boots = 1;

  constructor(clock: Clock, files: SimulatedFiles, script: Script) {
    this.#clock = clock;
    this.#files = files;
    this.#script = script;
  }

  get bootId(): string {
    return `simulated-boot-${this.#boots}`;
  }

  /** The machine starts anew: every child is gone, nobody is told, and pids begin again. */
  reboot(): void {
    for (const { timer } of this.#running.values()) timer?.cancel();
    this.#running.clear();
    this.#pids = 100;
    this.#boots++;
  }

  /** Pids of the children that run now. */
  get running(): readonly number[] {
    return [...this.#running.keys()];
  }

  spawn(command: Command): Future<Child> {
    const started = new Deferred<Child>();
    const boot = this.#boots;
    this.#clock.timer(0, () => {
      if (boot !== this.#boots) return;
      try {
        started.set(this.#start(command));
      } catch (error) {
        started.fail(error);
      }
    });
    return started.future;
  }

  signalGroup(pid: number, signal: Signal): boolean {
    const running = this.#running.get(pid);
    if (running === undefined) return false;
    if (signal === 'SIGKILL' || running.run.stubborn !== true) {
      this.#clock.timer(0, () => {
        if (this.#running.get(pid) === running) this.#exit(pid, { kind: 'signaled', signal });
      });
    }
    return true;
  }

  startTime(pid: number): Future<number | undefined> {
    return Future.ready(this.#running.get(pid)?.startTime);
  }

  #start(command: Command): Child {
    const run = this.#script(command, this.#files);
    const pid = ++this.#pids;
    const running: Running = {
      exited: new Deferred<ExitStatus>(),
      run,
      startTime: Math.floor(this.#clock.now()),
      timer: undefined,
    };
    this.#running.set(pid, running);
    if (run.duration !== undefined) {
      running.timer = this.#clock.timer(toMilliseconds(run.duration), () => {
        run.finish?.(this.#files);
        this.#exit(pid, { kind: 'exited', code: run.code ?? 0 });
      });
    }
    return { pid, startTime: running.startTime, exited: running.exited.future };
  }

  #exit(pid: number, status: ExitStatus): void {
    const running = this.#running.get(pid);
    if (running === undefined) return;
    this.#running.delete(pid);
    running.timer?.cancel();
    running.exited.set(status);
  }
}
