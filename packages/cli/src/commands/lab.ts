import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  absentRoles,
  compare as compareRuns,
  type Comparison,
  comparisonFiles,
  comparisonTable,
  convertTraceFiles,
  parseSweep,
  reportFiles,
  runScenario,
  type Setting,
  summarise,
  type Sweep,
  ThreadRunner,
  type TraceFormatName,
  traceFormats,
  withSettings,
} from '@mezzo/lab';
import { messageOf } from '@mezzo/process';
import { ProgressLine } from '../lab/progress-line.ts';
import { parseScenario, readScenarioText } from '../lab/scenario-file.ts';
import { summaryTable } from '../lab/summary-table.ts';
import { prepareFolder, writeFiles } from '../lab/written-files.ts';
import { failWith } from '../node-process.ts';
import { parseMilliseconds, wholeNumber } from './node-options.ts';

interface RunFlags {
  readonly seed: number;
  readonly out?: string;
  readonly allocator?: string;
  readonly sorter?: string;
  readonly set: readonly Setting[];
  readonly json?: boolean;
}

const run = new Command('run')
  .description('run a scenario under virtual time and say how it went')
  .argument('<file>', 'scenario, in YAML or JSON')
  .option('--seed <number>', 'what all chance comes from: the same seed gives the same run', wholeNumber(0), 1)
  .option('--out <folder>', 'where the report goes: report.html, result.json and tables in CSV')
  .option('--allocator <name>', "instead of the scenario's: a name, or the path of a module")
  .option('--sorter <name>', "instead of the scenario's: a name, or the path of a module")
  .option('--set <path=value>', 'a field of the scenario, such as frameworks.0.tasks=20; again for more', setting, [])
  .option('--json', 'say it as JSON')
  .action((file: string, { seed, out, allocator, sorter, set, json }: RunFlags) =>
    withProgress(async (progress) => {
      const { source, text } = await readScenarioText(file);
      const scenario = await parseScenario({ source, text: withSettings(text, set) });
      for (const absent of absentRoles(scenario)) warn(`${file}: ${absent}`);
      if (out !== undefined) await prepareFolder(out);
      const result = await runScenario(scenario, {
        ...{ seed, allocator, sorter },
        ...{ file: pathToFileURL(file), directory: pathToFileURL('./') },
        onProgress: (at) => progress.showTime(at),
      });
      progress.clear();
      if (result.refusedAllocations > 0) warn(refusalText(result.refusedAllocations, result.allocator));
      if (out !== undefined) await writeFiles(out, reportFiles(result));
      const summary = summarise(result);
      process.stdout.write(json === true ? `${JSON.stringify(summary)}\n` : summaryTable(summary));
    }),
  );

interface CompareFlags {
  readonly seeds: readonly number[];
  readonly out?: string;
  readonly allocators?: readonly string[];
  readonly sorters?: readonly string[];
  readonly set: readonly Sweep[];
  readonly threads: number;
  readonly json?: boolean;
}

const compare = new Command('compare')
  .description('run scenarios with several allocators, values and seeds in parallel, and compare them')
  .argument('<file...>', 'scenarios')
  .option('--seeds <range>', 'seeds, as A..B or separated by commas', seedRange, seedRange('1..10'))
  .option('--allocators <names>', "instead of the scenarios': names or modules, separated by commas", names)
  .option('--sorters <names>', "instead of the scenarios': names or modules, separated by commas", names)
  .option('--set <path=values>', 'values of a field, such as frameworks.0.tasks=10,20; again for more', sweep, [])
  .option('--threads <count>', 'runs at a time', wholeNumber(1), availableParallelism())
  .option('--out <folder>', 'where the comparison goes: comparison.html, comparison.json and tables in CSV')
  .option('--json', 'say it as JSON')
  .action((files: readonly string[], { seeds, allocators, sorters, set, threads, out, json }: CompareFlags) =>
    withProgress(async (progress) => {
      const scenarios = await Promise.all(files.map(readScenarioText));
      // What is wrong with a file is said once, not by every run.
      const allocatorOf = new Map<string, string>();
      for (const scenario of scenarios) {
        const parsed = await parseScenario(scenario);
        for (const absent of absentRoles(parsed)) warn(`${scenario.source}: ${absent}`);
        allocatorOf.set(scenario.source, parsed.allocator);
      }
      if (out !== undefined) await prepareFolder(out);
      await using runner = await ThreadRunner.start({ threads });
      const comparison = await compareRuns(
        {
          scenarios,
          seeds,
          sweep: set,
          ...(allocators === undefined ? {} : { allocators }),
          ...(sorters === undefined ? {} : { sorters }),
        },
        runner,
        ({ done, failed, total }) =>
          progress.show(done / total, `${done} of ${total} runs${failed === 0 ? '' : `, ${failed} failed`}`),
      );
      progress.clear();
      warnOfRefusals(comparison, allocatorOf);
      if (out !== undefined) await writeFiles(out, comparisonFiles(comparison));
      process.stdout.write(json === true ? `${JSON.stringify(comparison)}\n` : comparisonTable(comparison));
      if (comparison.failures.length > 0) process.exitCode = 1;
    }),
  );

interface ConvertFlags {
  readonly format: TraceFormatName;
  readonly machines: readonly string[];
  readonly name?: string;
  readonly out: string;
  readonly frameworks: number;
  readonly until?: number;
  readonly lenient?: boolean;
  readonly cpus?: number;
  readonly mem?: number;
  readonly disk?: number;
}

const convert = new Command('convert')
  .description('make a scenario of a public cluster trace')
  .argument('<trace...>', 'files (.csv, .csv.gz) or folders of them, with the table of tasks')
  .addOption(new Option('--format <name>', 'layout of the trace').choices(traceFormats).default(traceFormats[0]))
  .option('--machines <file>', 'the table of machines; again for more files', collect, [])
  .option('--name <name>', 'of the scenario')
  .option('--out <folder>', 'where NAME.csv and NAME.yaml are written', '.')
  .option('--frameworks <count>', 'for each role, so many frameworks share the users or jobs', wholeNumber(1), 10)
  .option('--until <duration>', 'cut the trace off after this time', parseMilliseconds)
  .option('--lenient', 'count malformed lines instead of refusing the first')
  .option('--cpus <count>', 'CPUs of what the trace calls a whole machine', wholeNumber(1))
  .option('--mem <MB>', 'its memory', wholeNumber(1))
  .option('--disk <MB>', 'its disk', wholeNumber(1))
  .action((tasks: readonly string[], { out, name, until, lenient, cpus, mem, disk, ...flags }: ConvertFlags) =>
    withProgress(async (progress) => {
      await prepareFolder(out);
      const { counts, faults, files } = await convertTraceFiles({
        ...flags,
        tasks,
        folder: out,
        onProgress: ({ lines }) => progress.show(0, `${lines} lines`),
        ...(name === undefined ? {} : { name }),
        ...(until === undefined ? {} : { until }),
        ...(lenient === undefined ? {} : { lenient }),
        scale: {
          ...(cpus === undefined ? {} : { cpus }),
          ...(mem === undefined ? {} : { mem }),
          ...(disk === undefined ? {} : { disk }),
        },
      });
      progress.clear();
      for (const fault of faults) process.stderr.write(`mezzo: ${fault}\n`);
      process.stdout.write(`${files.join('\n')}\n${JSON.stringify(counts)}\n`);
    }),
  );

export const lab = new Command('lab')
  .description('the laboratory: clusters, workloads and faults under virtual time, to study allocators')
  .addCommand(run)
  .addCommand(compare)
  .addCommand(convert);

async function withProgress(act: (progress: ProgressLine) => Promise<void>): Promise<void> {
  const progress = new ProgressLine();
  try {
    await act(progress);
  } catch (error) {
    progress.clear();
    failWith(error);
  }
}

function warn(text: string): void {
  process.stderr.write(`mezzo: warning: ${text}\n`);
}

/** Nobody got them, so whatever else was measured is of an allocator that the master does not believe. */
function refusalText(count: number, allocator: string): string {
  return `the master refused ${count} allocation${count === 1 ? '' : 's'} of the allocator '${allocator}': of what is not there, not free, or for nobody`;
}

/** @param allocatorOf what each scenario says itself */
function warnOfRefusals({ variants }: Comparison, allocatorOf: ReadonlyMap<string, string>): void {
  for (const { name, scenario, allocator, settings, runs } of variants) {
    const count = runs.reduce((sum, { metrics }) => sum + (metrics['allocations.refused'] ?? 0), 0);
    if (count === 0) continue;
    const set = settings.findLast(({ path }) => path === 'allocator')?.value;
    const own = typeof set === 'string' ? set : allocatorOf.get(scenario);
    warn(`${name}: ${refusalText(count, allocator ?? own ?? '')}`);
  }
}

function names(text: string): readonly string[] {
  return text.split(',');
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function sweep(text: string, before: readonly Sweep[]): readonly Sweep[] {
  try {
    return [...before, parseSweep(text)];
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
}

function setting(text: string, before: readonly Setting[]): readonly Setting[] {
  const { path, values } = sweep(text, [])[0] ?? { path: '', values: [] };
  if (values.length === 1) return [...before, { path, value: values[0] }];
  throw new InvalidArgumentError(`'${text}' has ${values.length} values: expected one.`);
}

/** `3..7`, or `1,5,9`. */
function seedRange(text: string): readonly number[] {
  const seed = wholeNumber(0);
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return text.split(',').map(seed);
  const [from, to] = [seed(first), seed(last)];
  if (to >= from && to - from < 100_000) return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  throw new InvalidArgumentError(`'${text}' is no range: expected A..B, the smaller first, at most 100000 seeds.`);
}
