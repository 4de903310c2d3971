import { checkWidth, type Conversion, type Files, type MachineEvent, type MachinePark } from './conversion.ts';
import { resourcesText, type Submitted, type TraceFormat } from './conversion.ts';
import { streamRows } from './csv-rows.ts';
import { amountField, FieldError, quote, textField, wholeField } from './field.ts';
import { amounts } from './trace.ts';

/** Of the tables of clusterdata-2011-1 and clusterdata-2011-2, as their format and schema document v2.1 names them. */
export const googleTaskColumns = [
  'time',
  'missing info',
  'job ID',
  'task index',
  'machine ID',
  'event type',
  'user',
  'scheduling class',
  'priority',
  'CPU request',
  'memory request',
  'disk space request',
  'different machines restriction',
] as const;
export const googleMachineColumns = ['time', 'machine ID', 'event type', 'platform ID', 'CPUs', 'Memory'] as const;

/** Event types of tasks; those between, EVICT, FAIL, FINISH, KILL and LOST (2 to 6), end one. */
const submit = 0;
const schedule = 1;
const updatePending = 7;
const updateRunning = 8;

/** Event types of machines. */
const added = 0;
const removed = 1;
const updated = 2;

/** Microseconds: what lies before happened before the trace began and carries time 0; the first real event is here. */
const origin = 600_000_000;

/** Stands for a time after the trace; 2^63 - 1 in the file. */
const afterTrace = 2 ** 62;

/** One attempt to run a task: from its submission to whatever ends it. */
interface Attempt {
  readonly sequence: number;
  /** Microseconds, as the times below. */
  readonly submitted: number;
  readonly user: string;
  readonly priority: number;
  request: Request;
  scheduled: number | undefined;
}

/** Normalised. */
interface Request {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
}

interface TaskEvent {
  readonly time: number;
  readonly key: string;
  readonly type: number;
  readonly user: string;
  readonly priority: number;
  readonly request: Request;
}

/**
 * Machines of that trace are unknown but for their ratios; what 1.0 stands for is the reader's choice, and this one is a round
 * number of its time.
 */
export const google2011: TraceFormat = {
  scale: { cpus: 32, mem: 131_072, disk: 4_194_304 },
  tables: {
    tasks: { name: 'task_events', columns: googleTaskColumns },
    machines: { name: 'machine_events', columns: googleMachineColumns },
  },
  tasks,
  machines,
};

/** In memory are the attempts that live at a time, not the trace. */
async function* tasks(files: Files, context: Conversion): AsyncGenerator<Submitted> {
  const living = new Map<string, Attempt>();
  const end = Math.min(origin + context.until * 1000, afterTrace);
  let now = 0;
  for await (const file of files) {
    for await (const { line, fields } of streamRows(file, false)) {
      context.countLine();
      const event = context.attempt(file.name, line, () => taskEvent(fields, now));
      if (event === undefined) continue;
      if (event.time >= end) {
        yield* cutAll(living, end === afterTrace ? Math.max(now, origin) : end, context);
        return;
      }
      now = event.time;
      const done = step(living, event, context);
      if (done !== undefined) yield done;
    }
  }
  yield* cutAll(living, Math.max(now, origin), context);
}

/** What an event does to its task's attempt; the attempt, if that ended it. */
function step(living: Map<string, Attempt>, event: TaskEvent, context: Conversion): Submitted | undefined {
  const { key, type, time } = event;
  const attempt = living.get(key);
  if (type === updatePending || type === updateRunning) {
    // A running task keeps what it was scheduled with.
    if (attempt !== undefined && attempt.scheduled === undefined) attempt.request = event.request;
    return undefined;
  }
  if (type === schedule && attempt !== undefined && attempt.scheduled === undefined) {
    attempt.scheduled = time;
    return undefined;
  }
  if (type === submit || type === schedule) {
    // Whatever ended the attempt before is missing.
    if (attempt?.scheduled !== undefined) context.counts.cut++;
    else if (attempt !== undefined) context.counts.neverRan++;
    const { user, priority, request } = event;
    const scheduled = type === schedule ? time : undefined;
    living.set(key, { sequence: context.nextSequence(), submitted: time, user, priority, request, scheduled });
    return attempt === undefined ? undefined : ended(attempt, time, context);
  }
  living.delete(key);
  if (attempt?.scheduled === undefined) context.counts.neverRan++;
  return attempt === undefined ? undefined : ended(attempt, time, context);
}

function* cutAll(living: ReadonlyMap<string, Attempt>, time: number, context: Conversion): Generator<Submitted> {
  for (const attempt of living.values()) {
    if (attempt.scheduled === undefined) context.counts.neverRan++;
    else context.counts.cut++;
    const done = ended(attempt, time, context);
    if (done !== undefined) yield done;
  }
}

function ended(attempt: Attempt, time: number, context: Conversion): Submitted | undefined {
  const { scheduled, submitted, sequence, user, priority, request } = attempt;
  if (scheduled === undefined) return undefined;
  const { scale } = context;
  const resources = amounts([
    ['cpus', request.cpus * scale.cpus],
    ['mem', request.mem * scale.mem],
    ['disk', request.disk * scale.disk],
  ]);
  if (resources === undefined) {
    context.counts.withoutRequest++;
    return undefined;
  }
  const role = bandOf(priority);
  const task = {
    arrival: milliseconds(submitted),
    framework: context.frameworkOf(role, user),
    role,
    duration: Math.round((Math.max(time, origin) - Math.max(scheduled, origin)) / 1000),
    resources,
    priority,
  };
  return { task, sequence };
}

/** After the origin. */
const milliseconds = (time: number): number => Math.round((Math.max(time, origin) - origin) / 1000);

/** The bands that the trace's own description names. */
function bandOf(priority: number): string {
  if (priority <= 1) return 'free';
  return priority <= 8 ? 'other' : 'production';
}

/** Throws FieldError. */
function taskEvent(fields: readonly string[], before: number): TaskEvent {
  checkWidth(fields, googleTaskColumns);
  const [time = '', , job = '', index = '', , type = '', user = '', , priority = '', cpus, mem, disk] = fields;
  const normalised = (column: string, text: string | undefined): number => amountField(column, text || '0', 1e6);
  return {
    time: timeField(time, before),
    key: `${textField('job ID', job)} ${textField('task index', index)}`,
    type: wholeField('event type', type, submit, updateRunning),
    user,
    priority: priority === '' ? 0 : wholeField('priority', priority, 0, 1000),
    request: {
      cpus: normalised('CPU request', cpus),
      mem: normalised('memory request', mem),
      disk: normalised('disk space request', disk),
    },
  };
}

/** Throws FieldError. */
function timeField(text: string, before: number): number {
  if (!/^\d{1,19}$/.test(text)) throw new FieldError('time', `got ${quote(text)}, expected microseconds`);
  const time = Number(text);
  if (time >= before) return time;
  throw new FieldError('time', `got ${time} after ${before}: events must be in the order of time, and so must files`);
}

async function machines(files: Files, context: Conversion): Promise<MachinePark> {
  const { counts, scale } = context;
  const groups = new Map<string, { name: string; count: number; resources: string }>();
  /** Agents' names by machine, and whether they are there. */
  const agents = new Map<string, { readonly name: string; present: boolean }>();
  const events: MachineEvent[] = [];
  let now = 0;
  for await (const file of files) {
    for await (const { line, fields } of streamRows(file, false)) {
      const event = context.attempt(file.name, line, () => machineEvent(fields, now));
      if (event === undefined) continue;
      now = event.time;
      const at = milliseconds(now);
      if (at >= context.until || now >= afterTrace) return { groups: [...groups.values()], events };
      const known = agents.get(event.machine);
      if (event.type === removed) {
        if (known?.present !== true) continue;
        known.present = false;
        events.push({ at, lose: known.name });
      } else if (known !== undefined) {
        // Capacities that change (type 2) keep their first value: agents of a scenario cannot grow.
        if (known.present || event.type === updated) continue;
        known.present = true;
        events.push({ at, back: known.name });
      } else {
        const resources = amounts([
          ['cpus', event.cpus * scale.cpus],
          ['mem', event.mem * scale.mem],
          ['disk', scale.disk],
        ]);
        // A machine without a known capacity can run nothing.
        if (resources?.['cpus'] === undefined || resources['mem'] === undefined) continue;
        const text = resourcesText(resources);
        if (at > 0) {
          const name = `late-${events.length}`;
          agents.set(event.machine, { name: `${name}-0`, present: true });
          events.push({ at, add: { name, count: 1, resources: text } });
        } else {
          const group = groups.get(text) ?? { name: `machine-${groups.size}`, count: 0, resources: text };
          groups.set(text, group);
          agents.set(event.machine, { name: `${group.name}-${group.count}`, present: true });
          group.count++;
          counts.machines++;
          continue;
        }
      }
      counts.machineEvents++;
    }
  }
  return { groups: [...groups.values()], events };
}

/** Throws FieldError. */
function machineEvent(
  fields: readonly string[],
  before: number,
): {
  readonly time: number;
  readonly machine: string;
  readonly type: number;
  readonly cpus: number;
  readonly mem: number;
} {
  checkWidth(fields, googleMachineColumns);
  const [time = '', machine = '', type = '', , cpus, mem] = fields;
  return {
    time: timeField(time, before),
    machine: textField('machine ID', machine),
    type: wholeField('event type', type, added, updated),
    cpus: amountField('CPUs', cpus || '0', 1e6),
    mem: amountField('Memory', mem || '0', 1e6),
  };
}
