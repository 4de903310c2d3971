import type { Future } from '../future/future.ts';

/**
 * The one seam for time, chance and the outside. Everything in a runtime asks its platform: the real one (`nodePlatform`)
 * or a simulated one (`@mezzo/process/testing`), where time is virtual, chance is seeded and the disk forgets what was
 * not synced.
 */
export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly children: Children;
  readonly hardware: Hardware;
  readonly loop: Loop;
  /** True where time stands still between turns: budgets are counts only. */
  readonly simulated: boolean;
}

/** A timer that has been armed. */
export interface Timer {
  /** True if it had not fired and will not. */
  cancel(): boolean;
}

export interface Clock {
  /** Milliseconds since the epoch, with fractions where the platform has them. */
  now(): number;
  /** Runs `thunk` once, `delay` milliseconds from now; timers due at the same time run in the order they were armed. */
  timer(delay: number, thunk: () => void): Timer;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A version 4 UUID. */
  uuid(): string;
  bytes(length: number): Uint8Array;
}

/** The event loop: when queued work runs. */
export interface Loop {
  microtask(run: () => void): void;
  macrotask(run: () => void): void;
}

/** Paths are absolute. Errors are Node's, with their `code`. */
export interface Files {
  read(path: string, options?: { offset?: number; length?: number }): Future<Uint8Array>;
  /** Writes a temporary file, syncs it and renames it over `path`. */
  replace(path: string, data: Uint8Array | string): Future<void>;
  /**
   * As `replace`, but fails with EEXIST if the path is there: of several OS processes that create it at once, one does. Needs
   * a file system with hard links.
   */
  create(path: string, data: Uint8Array | string): Future<void>;
  /** Creates the file and its missing folders, or appends to it. */
  append(path: string, data: Uint8Array | string): Future<void>;
  list(path: string): Future<readonly string[]>;
  stat(path: string): Future<{ readonly size: number; readonly directory: boolean; readonly modified: number }>;
  /** The path with every symbolic link on the way followed. */
  realPath(path: string): Future<string>;
  createFolder(path: string): Future<void>;
  /** Removes a file or a whole folder; what is not there is no error. */
  remove(path: string): Future<void>;
}

export interface Command {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Files that standard output and standard error are appended to. */
  readonly stdout: string;
  readonly stderr: string;
}

export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: string };

/** A child in a process group of its own. */
export interface Child {
  readonly pid: number;
  /** Ticks since boot when it started (Linux: field 22 of /proc/<pid>/stat); with pid and boot id it names the child for ever. */
  readonly startTime: number;
  readonly exited: Future<ExitStatus>;
}

export type Signal = 'SIGTERM' | 'SIGKILL' | 'SIGINT';

export interface Children {
  /** Changes with every boot of the machine. */
  readonly bootId: string;
  spawn(command: Command): Future<Child>;
  /** Signals the child's whole process group; false if it is gone. */
  signalGroup(pid: number, signal: Signal): boolean;
  /** The start time of a living process, or undefined if there is none with that pid. */
  startTime(pid: number): Future<number | undefined>;
}

/** What the machine has, and how busy it is. Sizes in bytes. */
export interface Hardware {
  readonly cpus: number;
  readonly memory: number;
  /** Size of the file system that holds `folder`, which must exist. */
  disk(folder: string): Future<number>;
  /** How much of that file system is used, 0 to 1, as df(1) counts it: what only root may use counts as used. */
  diskUsage(folder: string): Future<number>;
  /** Memory that programs could take now. */
  freeMemory(): number;
  load(): LoadAverages;
}

/** How many threads ran or wanted to, on average over the last minutes, as uptime(1) shows it. */
export interface LoadAverages {
  readonly oneMinute: number;
  readonly fiveMinutes: number;
  readonly fifteenMinutes: number;
}
