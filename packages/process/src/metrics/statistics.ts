/** What a set of numbers looks like. */
export interface Statistics {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
}

/** Of numbers in any order (durations in milliseconds, for instance); undefined below two values. */
export function statisticsOf(values: Iterable<number>): Statistics | undefined {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length < 2) return undefined;
  const at = (fraction: number): number => percentile(sorted, fraction);
  return {
    count: sorted.length,
    min: at(0),
    max: at(1),
    p25: at(0.25),
    p50: at(0.5),
    p75: at(0.75),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    p9999: at(0.9999),
  };
}

/** Linear between the two nearest ranks, as libprocess. */
function percentile(sorted: Float64Array, fraction: number): number {
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[below + 1] ?? low;
  return low + (position - below) * (high - low);
}
