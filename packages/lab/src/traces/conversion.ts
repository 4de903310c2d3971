import type { TraceFile } from './csv-rows.ts';
import { FieldError } from './field.ts';
import { TraceError } from './trace-error.ts';
import type { TraceTask } from './trace.ts';

/** What the normalised 1.0 of a public trace (the largest machine) stands for; `mem` and `disk` in MB. */
export interface Scale {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
}

/** What was found on the way; what was left out is counted, never silently gone. */
export interface ConversionCounts {
  /** Of the tables of tasks, those that were read. */
  lines: number;
  /** That the converted trace has. */
  tasks: number;
  /** Lines that are not as the format says; only a lenient conversion gets past the first. */
  malformed: number;
  /** Tasks left out because they ask for no resources. */
  withoutRequest: number;
  /** Tasks left out because the trace does not show that they ever ran. */
  neverRan: number;
  /** Tasks taken to run until the end of what was read, or their next submission, because their end is not there. */
  cut: number;
  /** Machines at the beginning. */
  machines: number;
  /** Machines added, removed or back later. */
  machineEvents: number;
}

export interface Progress {
  readonly lines: number;
  readonly tasks: number;
}

/** A task and its place among those that arrive at the same time. */
export interface Submitted {
  readonly task: TraceTask;
  readonly sequence: number;
}

/** Machines that are alike, as a group of agents of a scenario. */
export interface Machines {
  readonly name: string;
  readonly count: number;
  readonly resources: string;
}

export type MachineEvent =
  | { readonly at: number; readonly add: Machines }
  | { readonly at: number; readonly lose: string }
  | { readonly at: number; readonly back: string };

export interface MachinePark {
  readonly groups: readonly Machines[];
  readonly events: readonly MachineEvent[];
}

/** A table of a public trace. */
export interface Table {
  /** What the trace calls it, and its files or folders. */
  readonly name: string;
  readonly columns: readonly string[];
}

/** A layout of public traces. */
export interface TraceFormat {
  readonly scale: Scale;
  readonly tables: { readonly tasks: Table; readonly machines: Table };
  tasks(files: Files, context: Conversion): AsyncGenerator<Submitted>;
  machines(files: Files, context: Conversion): Promise<MachinePark>;
}

/** Parts of a table, in the order of time where the table has one. */
export type Files = Iterable<TraceFile> | AsyncIterable<TraceFile>;

/** Lines between two calls of `onProgress`. */
const progressEvery = 100_000;
const rememberedFaults = 10;

/** What a conversion knows while it reads. */
export class Conversion {
  readonly scale: Scale;
  /** Milliseconds after the start at which reading ends. */
  readonly until: number;
  readonly #lenient: boolean;
  readonly #frameworks: number;
  readonly #onProgress: ((progress: Progress) => void) | undefined;
  readonly counts: ConversionCounts = {
    lines: 0,
    tasks: 0,
    malformed: 0,
    withoutRequest: 0,
    neverRan: 0,
    cut: 0,
    machines: 0,
    machineEvents: 0,
  };
  /** The first malformed lines, as messages. */
  readonly faults: string[] = [];
  #sequence = 0;

  constructor(
    scale: Scale,
    until: number,
    frameworks: number,
    lenient: boolean,
    onProgress: ((progress: Progress) => void) | undefined,
  ) {
    this.scale = scale;
    this.until = until;
    this.#frameworks = frameworks;
    this.#lenient = lenient;
    this.#onProgress = onProgress;
  }

  nextSequence(): number {
    return this.#sequence++;
  }

  countLine(): void {
    const { counts } = this;
    counts.lines++;
    if (counts.lines % progressEvery === 0) this.#onProgress?.({ lines: counts.lines, tasks: counts.tasks });
  }

  /** What `read` makes of a line; undefined, and counted, if the line is malformed and the conversion lenient. */
  attempt<T>(file: string, line: number, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      const refused = new TraceError(file, line, error.column, error.message, { cause: error });
      if (!this.#lenient) throw refused;
      this.counts.malformed++;
      if (this.faults.length < rememberedFaults) this.faults.push(refused.message);
      return undefined;
    }
  }

  /**
   * The framework that replays an owner's tasks: the role and a number that depends on the owner's name alone. So a trace of
   * hundreds of users, or millions of jobs, becomes a few frameworks for each role, and an owner's tasks stay together.
   */
  frameworkOf(role: string, owner: string): string {
    return `${role}-${hash(owner) % this.#frameworks}`;
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/** Throws FieldError. */
export function checkWidth(fields: readonly string[], columns: readonly string[]): void {
  if (fields.length === columns.length) return;
  throw new FieldError(undefined, `has ${fields.length} columns, expected ${columns.length}: ${columns.join(', ')}`);
}

/** As the resources of a group of agents are written. */
export function resourcesText(amounts: Readonly<Record<string, number>>): string {
  return Object.entries(amounts)
    .map(([name, amount]) => `${name}:${amount}`)
    .join(';');
}
