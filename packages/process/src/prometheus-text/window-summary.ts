import { Summary } from 'prom-client';
import type { Statistics } from '../metrics/statistics.ts';

type Values = Awaited<ReturnType<Summary['get']>>;

/** A summary whose figures are known: prom-client's own would estimate them from what it observed. */
export class WindowSummary extends Summary {
  readonly #statistics: Statistics;

  constructor(name: string, help: string, statistics: Statistics) {
    // The label is never shown: without one, prom-client starts observing, and reads the real clock for it.
    super({ name, help, labelNames: ['none'], registers: [] });
    this.#statistics = statistics;
  }

  override async get(): Promise<Values> {
    const { count, min, p25, p50, p75, p90, p95, p99, p999, p9999, max } = this.#statistics;
    const quantiles = [
      [0, min],
      [0.25, p25],
      [0.5, p50],
      [0.75, p75],
      [0.9, p90],
      [0.95, p95],
      [0.99, p99],
      [0.999, p999],
      [0.9999, p9999],
      [1, max],
    ] as const;
    const summary = await super.get();
    const values = quantiles.map(([quantile, value]) => ({ labels: { quantile }, value }));
    return { ...summary, values: [...values, { metricName: `${summary.name}_count`, labels: {}, value: count }] };
  }
}
