import { csvField } from '../csv-field.ts';
import type { Amounts } from '../result.ts';
import { type Row, rowsOf, streamRows, type TraceFile } from './csv-rows.ts';
import { amountField, FieldError, quote, textField, toThousandths, wholeField } from './field.ts';
import { TraceError } from './trace-error.ts';

/** A task of a recorded workload. */
export interface TraceTask {
  /** Milliseconds after the start of the trace. */
  readonly arrival: number;
  readonly framework: string;
  readonly role: string;
  /** Milliseconds that it runs. */
  readonly duration: number;
  /** Of `cpus`, `mem` (MB), `disk` (MB) and `gpus` what it asks for; those it does not ask for are left out. */
  readonly resources: Amounts;
  /** Larger is more important; allocators see it only through whoever builds frameworks from it. */
  readonly priority: number;
}

/** Of a trace in CSV, in the order in which they are written; files may have them in any order. */
export const traceColumns = [
  'arrival',
  'framework',
  'role',
  'duration',
  'cpus',
  'mem',
  'disk',
  'gpus',
  'priority',
] as const;
const resourceNames = ['cpus', 'mem', 'disk', 'gpus'] as const;
type Column = (typeof traceColumns)[number];

/** What a file must have; of the others an absent column, or an empty field, is role `*` or 0. */
const required: readonly Column[] = ['arrival', 'framework', 'duration', 'cpus', 'mem'];

/** Seconds: ten thousand years, so that sums of milliseconds stay exact. */
const longest = 315_576_000_000;

/** The first line of a trace, with its line break. */
export const traceHeader = `${traceColumns.join(',')}\n`;

/** A line of a trace, with its line break. */
export function traceLine(task: TraceTask): string {
  const { arrival, framework, role, duration, resources, priority } = task;
  const amounts = resourceNames.map((name) => resources[name] ?? 0).join(',');
  return `${arrival / 1000},${csvField(framework)},${csvField(role)},${duration / 1000},${amounts},${priority}\n`;
}

/** Those that are more than 0, in thousandths, which is what the cluster counts in; undefined if none is. */
export function amounts(given: readonly (readonly [name: string, amount: number])[]): Amounts | undefined {
  const rounded = given.map(([name, amount]) => [name, toThousandths(amount)] as const);
  const positive = rounded.filter(([, amount]) => amount > 0);
  return positive.length === 0 ? undefined : Object.fromEntries(positive);
}

/**
 * The tasks of a trace in CSV, in the order of the file, checked field by field: the first line names the columns, times are in
 * seconds (thousandths count), `mem` and `disk` in MB. A text is read at once, a file as its chunks arrive. Throws (or rejects
 * with) TraceError, which names line and column.
 */
export function readTrace(text: string, name?: string): TraceTask[];
export function readTrace(file: TraceFile): AsyncGenerator<TraceTask>;
export function readTrace(input: string | TraceFile, name = 'trace'): TraceTask[] | AsyncGenerator<TraceTask> {
  if (typeof input !== 'string') return streamTasks(input);
  const [header, ...rows] = rowsOf(input, name);
  const reader = new TraceReader(name, header);
  return rows.map((row) => reader.task(row));
}

async function* streamTasks(file: TraceFile): AsyncGenerator<TraceTask> {
  let reader: TraceReader | undefined;
  for await (const row of streamRows(file, true)) {
    if (reader === undefined) reader = new TraceReader(file.name, row);
    else yield reader.task(row);
  }
  reader ??= new TraceReader(file.name, undefined);
}

class TraceReader {
  readonly #name: string;
  readonly #width: number;
  /** Where each column stands; -1 where it does not. */
  readonly #places: Readonly<Record<Column, number>>;

  constructor(name: string, header: Row | undefined) {
    this.#name = name;
    const names = header?.fields.map((field) => field.trim()) ?? [];
    const line = header?.line ?? 1;
    const known: readonly string[] = traceColumns;
    for (const [index, column] of names.entries()) {
      const problem = !known.includes(column)
        ? `unknown column; known are ${known.join(', ')}`
        : names.indexOf(column) !== index
          ? 'stands twice in the first line'
          : undefined;
      if (problem !== undefined) throw new TraceError(name, line, quote(column), problem);
    }
    const missing = required.filter((column) => !names.includes(column));
    if (missing.length > 0) {
      const expected = `expected the names of the columns, ${required.join(', ')} and perhaps others`;
      throw new TraceError(name, line, undefined, `the first line lacks ${missing.join(', ')}; ${expected}`);
    }
    this.#width = names.length;
    const place = (column: Column): number => names.indexOf(column);
    this.#places = {
      arrival: place('arrival'),
      framework: place('framework'),
      role: place('role'),
      duration: place('duration'),
      cpus: place('cpus'),
      mem: place('mem'),
      disk: place('disk'),
      gpus: place('gpus'),
      priority: place('priority'),
    };
  }

  task({ line, fields }: Row): TraceTask {
    try {
      if (fields.length !== this.#width) {
        throw new FieldError(undefined, `has ${fields.length} columns, the first line has ${this.#width}`);
      }
      return this.#task(fields);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw new TraceError(this.#name, line, error.column, error.message, { cause: error });
    }
  }

  #task(fields: readonly string[]): TraceTask {
    const at = (column: Column, otherwise: string): string => {
      const field = fields[this.#places[column]]?.trim() ?? '';
      return field === '' && !required.includes(column) ? otherwise : field;
    };
    const milliseconds = (column: Column): number => Math.round(amountField(column, at(column, ''), longest) * 1000);
    const resources = amounts(resourceNames.map((name) => [name, amountField(name, at(name, '0'))]));
    if (resources === undefined) {
      throw new FieldError('cpus', `the task asks for nothing: ${resourceNames.join(', ')} are 0`);
    }
    return {
      arrival: milliseconds('arrival'),
      framework: textField('framework', at('framework', '')),
      role: textField('role', at('role', '*')),
      duration: milliseconds('duration'),
      resources,
      priority: wholeField('priority', at('priority', '0'), -1_000_000, 1_000_000),
    };
  }
}
