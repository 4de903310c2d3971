import { type Setting, settingText, type Sweep, valueText, withSettings } from './settings.ts';

export interface ScenarioText {
  /** The file's path: for errors, and what the traces it names are relative to. */
  readonly source: string;
  readonly text: string;
}

/** What is to be compared: every combination of scenarios, allocators, sorters and values, with every seed. */
export interface ComparisonPlan {
  readonly scenarios: readonly ScenarioText[];
  /** Names, or modules by their paths or URLs; the runner's working directory is where a relative one begins. Default: what each scenario says. */
  readonly allocators?: readonly string[];
  readonly sorters?: readonly string[];
  readonly seeds: readonly number[];
  readonly sweep?: readonly Sweep[];
}

/** One combination, run with every seed. */
export interface Variant {
  /** What tells it from the others. */
  readonly name: string;
  /** The scenario's path. */
  readonly scenario: string;
  /** Undefined: the scenario's. */
  readonly allocator: string | undefined;
  readonly sorter: string | undefined;
  readonly settings: readonly Setting[];
}

/** One run: what another thread needs to know for it. */
export interface Job {
  readonly scenario: ScenarioText;
  readonly allocator: string | undefined;
  readonly sorter: string | undefined;
  readonly seed: number;
}

interface PlannedVariant {
  readonly variant: Variant;
  /** Of the scenario, with the settings in it. */
  readonly text: string;
}

/** In the order of the plan: scenarios, then allocators, then sorters, then the values of the first sweep, … */
export function variantsOf(plan: ComparisonPlan): readonly PlannedVariant[] {
  const { scenarios, allocators = [], sorters = [], sweep = [] } = plan;
  const orOwn = (names: readonly string[]): readonly (string | undefined)[] =>
    names.length === 0 ? [undefined] : names;
  let settings: readonly (readonly Setting[])[] = [[]];
  for (const { path, values } of sweep) {
    settings = settings.flatMap((before) => values.map((value) => [...before, { path, value }]));
  }
  const shown = {
    scenario: shortNames(scenarios.map(({ source }) => source)),
    allocator: shortNames(allocators),
    sorter: shortNames(sorters),
  };
  return scenarios.flatMap(({ source, text }) =>
    orOwn(allocators).flatMap((allocator) =>
      orOwn(sorters).flatMap((sorter) =>
        settings.map((set) => {
          const parts = [
            scenarios.length > 1 ? shown.scenario.get(source) : undefined,
            allocator !== undefined && (allocators.length > 1 || sweep.length === 0)
              ? shown.allocator.get(allocator)
              : undefined,
            sorter !== undefined && sorters.length > 1 ? shown.sorter.get(sorter) : undefined,
            // The last name of a path is what people call it.
            ...set.map(({ path, value }) => `${path.slice(path.lastIndexOf('.') + 1)} ${valueText(value)}`),
          ].filter((part) => part !== undefined);
          const name = parts.length === 0 ? (shown.scenario.get(source) ?? source) : parts.join(' · ');
          return {
            variant: { name, scenario: source, allocator, sorter, settings: set },
            text: withSettings(text, set),
          };
        }),
      ),
    ),
  );
}

/** The last part of each path, if that is enough to tell them apart. */
function shortNames(paths: readonly string[]): ReadonlyMap<string, string> {
  const last = (path: string): string => path.replace(/^.*[\\/]/, '');
  const distinct = new Set(paths.map(last)).size === new Set(paths).size;
  return new Map(paths.map((path) => [path, distinct ? last(path) : path]));
}

/** The command that repeats a run. */
export function runCommand({ scenario, allocator, sorter, settings }: Variant, seed: number): string {
  const options = [
    ...(allocator === undefined ? [] : ['--allocator', allocator]),
    ...(sorter === undefined ? [] : ['--sorter', sorter]),
    ...settings.flatMap((setting) => ['--set', settingText(setting)]),
  ];
  return ['mezzo', 'lab', 'run', scenario, '--seed', String(seed), ...options].map(shellWord).join(' ');
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
