import { studentQuantile } from './student.ts';

/**
 * Jain's index of fairness, (Σx)² / (n Σx²): 1 when all are equal, 1/n when one has everything (Jain, Chiu and Hawe, DEC-TR-301,
 * 1984). Of nobody, and of nothing for all, it is 1: nobody is worse off.
 */
export function jainIndex(values: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  // Divided by the largest, so that squares neither overflow nor vanish.
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return 1;
  for (const value of values) {
    const scaled = value / largest;
    sum += scaled;
    squares += scaled * scaled;
  }
  return (sum * sum) / (values.length * squares);
}

/**
 * The value below which a fraction `p` (0 to 1) of `sorted` (ascending) lies, linear between the two nearest: definition 7 of
 * Hyndman and Fan (1996), the default of R and NumPy. Undefined if there are none.
 */
export function percentile(sorted: ArrayLike<number>, p: number): number | undefined {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`Invalid percentile: got ${p}, expected 0 to 1 (0.95 for p95)`);
  const place = (sorted.length - 1) * p;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below === undefined || above === undefined ? undefined : below + (above - below) * (place % 1);
}

/** A copy in ascending order. */
export function ascending(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort();
}

export function mean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  // Around the first value: values that are all the same have exactly that mean, and no spread.
  const origin = values[0] ?? 0;
  return origin + values.reduce((sum, value) => sum + (value - origin), 0) / values.length;
}

/** A mean and the interval in which the true one lies with the confidence asked for. */
export interface Estimate {
  /** How many values it is of. */
  readonly count: number;
  readonly mean: number;
  /** Half of the interval's width; undefined for a single value, whose spread is unknown. */
  readonly margin: number | undefined;
}

/**
 * Mean and confidence interval by Student's t with n - 1 degrees of freedom: mean ± t s / √n. `confidence` is 0.95 unless given.
 * Assumes independent runs (a seed each) whose mean is about normal. Undefined without values.
 */
export function estimate(values: readonly number[], confidence = 0.95): Estimate | undefined {
  const middle = mean(values);
  if (middle === undefined) return undefined;
  const count = values.length;
  if (count === 1) return { count, mean: middle, margin: undefined };
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (count - 1);
  const t = studentQuantile(0.5 + confidence / 2, count - 1);
  return { count, mean: middle, margin: t * Math.sqrt(variance / count) };
}

/**
 * How much more `values` has than `baseline`, key by key (by seed: what both met in the same run is no part of the spread); keys
 * that only one of them has are left out.
 */
export function pairedDifference<K>(
  values: ReadonlyMap<K, number>,
  baseline: ReadonlyMap<K, number>,
  confidence = 0.95,
): Estimate | undefined {
  const differences: number[] = [];
  for (const [key, value] of values) {
    const other = baseline.get(key);
    if (other !== undefined) differences.push(value - other);
  }
  return estimate(differences, confidence);
}
