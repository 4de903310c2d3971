import { alibaba2018 } from './alibaba-2018.ts';
import { inArrivalOrder, type Spill } from './arrival-order.ts';
import { Conversion, type ConversionCounts, type Files, type MachinePark, resourcesText } from './conversion.ts';
import type { Progress, Scale, Table, TraceFormat } from './conversion.ts';
import type { TraceFile } from './csv-rows.ts';
import { google2011 } from './google-2011.ts';
import { traceScenario } from './trace-scenario.ts';
import { traceHeader, traceLine } from './trace.ts';

const formats = { 'google-2011': google2011, 'alibaba-2018': alibaba2018 } as const satisfies Record<
  string,
  TraceFormat
>;

/** The tables of a format. */
export function tablesOf(format: TraceFormatName): TraceFormat['tables'] {
  return formats[format].tables;
}

/** Layouts that can be converted. */
export type TraceFormatName = keyof typeof formats;
export const traceFormats = Object.keys(formats).filter((name): name is TraceFormatName => name in formats);

export interface ConversionOptions {
  readonly format: TraceFormatName;
  /** `task_events` or `batch_task`, its parts in the order of time. */
  readonly tasks: Files;
  /** `machine_events` or `machine_meta`. Default: 100 machines of the scale's size. */
  readonly machines?: Files;
  /** Of the scenario; the trace is called `NAME.csv`. Default: the format's. */
  readonly name?: string;
  /** What the normalised 1.0 stands for. Default: 32 CPUs, 128 GB and 4 TB for Google, 384 GB of memory for Alibaba. */
  readonly scale?: Partial<Scale>;
  /** For each role, so many frameworks share the users (Google) or jobs (Alibaba). Default 10. */
  readonly frameworks?: number;
  /** Milliseconds after the start of the trace at which it is cut off. Default: not. */
  readonly until?: number;
  /** Counts malformed lines instead of refusing the first. Default false. */
  readonly lenient?: boolean;
  /** Where to put tasks that do not fit in memory. Default: nowhere. */
  readonly spill?: Spill;
  /** Called every 100,000 lines. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Converted {
  readonly counts: Readonly<ConversionCounts>;
  /** What was wrong with the first malformed lines. */
  readonly faults: readonly string[];
  /** A scenario, in YAML, that replays the trace. */
  readonly scenario: string;
}

/**
 * Converts a public trace: `write` is given our trace in CSV, piece by piece in the order of arrival, and is waited for. In memory
 * are what lives at a time and 200,000 tasks, if there is a spill. Rejects with TraceError for a malformed line unless lenient,
 * with RangeError for options, and with Error for tables that have nothing to replay, or no machine at the beginning.
 */
export async function convertTrace(
  options: ConversionOptions,
  write: (text: string) => void | Promise<void>,
): Promise<Converted> {
  const { format: name, until = Number.POSITIVE_INFINITY, frameworks = 10 } = options;
  const format = formats[name];
  const scale: Scale = { ...format.scale, ...options.scale };
  for (const [what, value] of Object.entries({ ...scale, until, frameworks })) {
    const least = what === 'disk' ? 0 : Number.MIN_VALUE;
    if (!(value >= least)) throw new RangeError(`Invalid ${what}: got ${value}, expected a number above 0`);
  }
  if (!Number.isInteger(frameworks))
    throw new RangeError(`Invalid frameworks: got ${frameworks}, expected a whole number`);
  const context = new Conversion(scale, until, frameworks, options.lenient ?? false, options.onProgress);
  const read: string[] = [];
  const park =
    options.machines === undefined ? defaultPark(scale) : await format.machines(noted(options.machines, read), context);
  if (park.groups.length === 0) throw nothingIn(read, 'has no machine to begin with', format.tables.machines);
  await write(traceHeader);
  const roles = new Map<string, string>();
  let end = 0;
  const tasks = format.tasks(noted(options.tasks, read), context);
  for await (const { task } of inArrivalOrder(tasks, options.spill)) {
    context.counts.tasks++;
    roles.set(task.framework, task.role);
    end = Math.max(end, task.arrival + task.duration);
    const written = write(traceLine(task));
    if (written !== undefined) await written;
  }
  const { counts, faults } = context;
  if (counts.tasks === 0) {
    const { lines, malformed, neverRan, withoutRequest } = counts;
    const why = `${lines} lines, ${malformed} of them malformed; ${neverRan} tasks never ran, ${withoutRequest} ask for nothing`;
    throw nothingIn(read, lines === 0 ? 'is empty' : `has no task to replay (${why})`, format.tables.tasks);
  }
  const title = options.name ?? name;
  return { counts, faults, scenario: traceScenario({ name: title, format: name, park, roles, end, scale }) };
}

/** Notes the names of the files that are read. */
async function* noted(files: Files, names: string[]): AsyncGenerator<TraceFile> {
  names.length = 0;
  for await (const file of files) {
    names.push(file.name);
    yield file;
  }
}

function nothingIn([first = 'The trace', ...more]: readonly string[], why: string, { name, columns }: Table): Error {
  const where = more.length === 0 ? first : `${first} to ${more.at(-1)}`;
  return new Error(`${where} ${why}: expected the table ${name}, with the columns ${columns.join(', ')}`);
}

function defaultPark({ cpus, mem, disk }: Scale): MachinePark {
  const resources = resourcesText(disk > 0 ? { cpus, mem, disk } : { cpus, mem });
  return { groups: [{ name: 'machine', count: 100, resources }], events: [] };
}
