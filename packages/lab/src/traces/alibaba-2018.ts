import { checkWidth, type Conversion, type Files, type MachinePark } from './conversion.ts';
import { resourcesText, type Submitted, type TraceFormat } from './conversion.ts';
import { streamRows } from './csv-rows.ts';
import { amountField, textField, wholeField } from './field.ts';
import { amounts } from './trace.ts';

/** Of the tables of cluster-trace-v2018, as its schema names them. */
export const alibabaTaskColumns = [
  'task_name',
  'instance_num',
  'job_name',
  'task_type',
  'status',
  'start_time',
  'end_time',
  'plan_cpu',
  'plan_mem',
] as const;
export const alibabaMachineColumns = [
  'machine_id',
  'time_stamp',
  'failure_domain_1',
  'failure_domain_2',
  'cpu_num',
  'mem_size',
  'status',
] as const;

/** `plan_cpu` is in hundredths of a core, and `plan_mem` and `mem_size` are normalised to 100. */
const hundred = 100;

/** Cores are known (`cpus` counts only for agents without a table of machines); memory is not, and disk is not in the trace. */
export const alibaba2018: TraceFormat = {
  scale: { cpus: 96, mem: 393_216, disk: 0 },
  tables: {
    tasks: { name: 'batch_task', columns: alibabaTaskColumns },
    machines: { name: 'machine_meta', columns: alibabaMachineColumns },
  },
  tasks,
  machines,
};

interface BatchTask {
  readonly instances: number;
  readonly job: string;
  readonly role: string;
  /** Seconds; 0 if it has not begun or not ended. */
  readonly start: number;
  readonly end: number;
  /** Cores. */
  readonly cpus: number;
  /** Normalised to 1. */
  readonly mem: number;
}

/** Each instance of a task becomes a task. */
async function* tasks(files: Files, context: Conversion): AsyncGenerator<Submitted> {
  const { counts, scale } = context;
  for await (const file of files) {
    for await (const { line, fields } of streamRows(file, false)) {
      context.countLine();
      const found = context.attempt(file.name, line, () => batchTask(fields));
      if (found === undefined) continue;
      const arrival = found.start * 1000;
      if (arrival >= context.until) continue;
      if (found.end < found.start || found.end === 0) {
        counts.neverRan += found.instances;
        continue;
      }
      const resources = amounts([
        ['cpus', found.cpus],
        ['mem', found.mem * scale.mem],
      ]);
      if (resources === undefined) {
        counts.withoutRequest += found.instances;
        continue;
      }
      const end = Math.min(found.end * 1000, context.until);
      if (end < found.end * 1000) counts.cut += found.instances;
      const { role } = found;
      const framework = context.frameworkOf(role, found.job);
      const task = { arrival, framework, role, duration: end - arrival, resources, priority: 0 };
      for (let instance = 0; instance < found.instances; instance++) yield { task, sequence: context.nextSequence() };
    }
  }
}

/** Throws FieldError. */
function batchTask(fields: readonly string[]): BatchTask {
  checkWidth(fields, alibabaTaskColumns);
  const [, instances = '', job = '', type = '', , start = '', end = '', cpus, mem] = fields;
  return {
    instances: wholeField('instance_num', instances, 1, 1_000_000),
    job: textField('job_name', job),
    role: `type-${wholeField('task_type', type, 0, 1000)}`,
    start: wholeField('start_time', start || '0', 0, 1e9),
    end: wholeField('end_time', end || '0', 0, 1e9),
    cpus: amountField('plan_cpu', cpus || '0', 1e9) / hundred,
    mem: amountField('plan_mem', mem || '0', 1e6) / hundred,
  };
}

/** The table has a machine once for each change of its status; the first line of each counts. */
async function machines(files: Files, context: Conversion): Promise<MachinePark> {
  const groups = new Map<string, { name: string; count: number; resources: string }>();
  const seen = new Set<string>();
  for await (const file of files) {
    for await (const { line, fields } of streamRows(file, false)) {
      const machine = context.attempt(file.name, line, () => machineMeta(fields));
      if (machine === undefined || seen.has(machine.id)) continue;
      seen.add(machine.id);
      const resources = amounts([
        ['cpus', machine.cpus],
        ['mem', machine.mem * context.scale.mem],
      ]);
      if (resources?.['cpus'] === undefined || resources['mem'] === undefined) continue;
      const text = resourcesText(resources);
      const group = groups.get(text) ?? { name: `machine-${groups.size}`, count: 0, resources: text };
      groups.set(text, group);
      group.count++;
      context.counts.machines++;
    }
  }
  return { groups: [...groups.values()], events: [] };
}

/** Throws FieldError. */
function machineMeta(fields: readonly string[]): { readonly id: string; readonly cpus: number; readonly mem: number } {
  checkWidth(fields, alibabaMachineColumns);
  const [id = '', , , , cpus, mem] = fields;
  return {
    id: textField('machine_id', id),
    cpus: amountField('cpu_num', cpus || '0', 1e6),
    mem: amountField('mem_size', mem || '0', 1e6) / hundred,
  };
}
