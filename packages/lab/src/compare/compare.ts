import { type Metrics } from './metrics.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { type ComparisonPlan, type Job, runCommand, type Variant, variantsOf } from './plan.ts';
import { type Estimate, estimate, pairedDifference } from './statistics.ts';

/** Does a run and tells its figures; several at the same time. */
export interface Runner {
  run(job: Job): Promise<Metrics>;
}

export interface ComparisonProgress {
  /** Runs that are over, those that failed among them. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

export interface VariantResult extends Variant {
  /** Of the seeds whose runs did not fail, in the order of the plan. */
  readonly runs: readonly { readonly seed: number; readonly metrics: Metrics }[];
  /** By figure. */
  readonly estimates: Readonly<Record<string, Estimate>>;
  /** What it has more than the first variant, paired by seed; of the first itself there are none. */
  readonly differences: Readonly<Record<string, Estimate>>;
}

export interface FailedRun {
  readonly variant: string;
  readonly seed: number;
  readonly error: string;
  /** Repeats the run. */
  readonly command: string;
}

export interface Comparison {
  readonly seeds: readonly number[];
  /** Of the intervals. */
  readonly confidence: number;
  /** Names of the figures that any run has. */
  readonly metrics: readonly string[];
  readonly variants: readonly VariantResult[];
  readonly failures: readonly FailedRun[];
}

const confidence = 0.95;

/**
 * Runs every variant of the plan with every seed and compares them, with 95 % confidence intervals. A run that fails is told with
 * the command that repeats it, and costs only itself. The result depends on plan and runs alone, never on which was faster.
 *
 * @throws RangeError for a plan without scenarios or seeds, and for settings that lead nowhere
 * @throws ScenarioError for a scenario that cannot be read, with its settings
 */
export async function compare(
  plan: ComparisonPlan,
  runner: Runner,
  onProgress: (progress: ComparisonProgress) => void = () => {},
): Promise<Comparison> {
  const { seeds } = plan;
  if (plan.scenarios.length === 0) throw new RangeError('Invalid comparison: no scenarios, expected one or more');
  if (seeds.length === 0) throw new RangeError('Invalid comparison: no seeds, expected one or more');
  if (new Set(seeds).size !== seeds.length) throw new RangeError('Invalid comparison: a seed is there twice');
  const variants = variantsOf(plan);
  // What no run could read is said once, before any.
  for (const { text, variant } of variants) readScenario(text, variant.scenario);
  const total = variants.length * seeds.length;
  let [done, failed] = [0, 0];
  onProgress({ done, failed, total });
  const perform = async (variant: Variant, text: string, seed: number): Promise<Metrics | FailedRun> => {
    const { name, scenario: source, allocator, sorter } = variant;
    try {
      return await runner.run({ scenario: { source, text }, allocator, sorter, seed });
    } catch (error) {
      failed++;
      const message = error instanceof Error ? error.message : String(error);
      return { variant: name, seed, error: message, command: runCommand(variant, seed) } satisfies FailedRun;
    } finally {
      onProgress({ done: ++done, failed, total });
    }
  };
  // Seed by seed, so that a comparison that is stopped has seen every variant.
  const outcomes = await Promise.all(
    seeds.flatMap((seed) =>
      variants.map(async ({ variant, text }) => ({ variant, seed, outcome: await perform(variant, text, seed) })),
    ),
  );
  const failures: FailedRun[] = [];
  const runs = new Map(variants.map(({ variant }) => [variant, new Map<number, Metrics>()]));
  for (const { variant, seed, outcome } of outcomes) {
    if (isFailure(outcome)) failures.push(outcome);
    else runs.get(variant)?.set(seed, outcome);
  }
  const metrics = orderedNames([...runs.values()].flatMap((bySeed) => [...bySeed.values()]));
  const [first] = runs.values();
  return {
    seeds,
    confidence,
    metrics,
    failures,
    variants: [...runs].map(([variant, bySeed]) => ({
      ...variant,
      runs: [...bySeed].map(([seed, found]) => ({ seed, metrics: found })),
      estimates: named(metrics, (name) => estimate([...valuesOf(bySeed, name).values()], confidence)),
      differences:
        first === undefined || bySeed === first
          ? {}
          : named(metrics, (name) => pairedDifference(valuesOf(bySeed, name), valuesOf(first, name), confidence)),
    })),
  };
}

const isFailure = (outcome: Metrics | FailedRun): outcome is FailedRun => typeof outcome['command'] === 'string';

function valuesOf(bySeed: ReadonlyMap<number, Metrics>, name: string): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  for (const [seed, metrics] of bySeed) {
    const value = metrics[name];
    if (value !== undefined) values.set(seed, value);
  }
  return values;
}

function named<T>(names: readonly string[], value: (name: string) => T | undefined): Readonly<Record<string, T>> {
  return Object.fromEntries(
    names.flatMap((name): [string, T][] => {
      const found = value(name);
      return found === undefined ? [] : [[name, found]];
    }),
  );
}

/** In the order in which a run tells them; a figure that only some have comes behind the one it follows there. */
function orderedNames(runs: readonly Metrics[]): readonly string[] {
  const names: string[] = [];
  for (const metrics of runs) {
    let place = 0;
    for (const name of Object.keys(metrics)) {
      const known = names.indexOf(name);
      if (known >= 0) place = known + 1;
      else names.splice(place++, 0, name);
    }
  }
  return names;
}
