import { Counter, Gauge, Registry } from 'prom-client';

import type { MetricsText } from '../builtin/metrics.ts';
import { Future } from '../future/future.ts';
import type { Reading } from '../metrics/readings.ts';
import { WindowSummary } from './window-summary.ts';

/**
 * All metrics of a runtime in Prometheus' text format, for `httpServer({ metrics: { prometheus: prometheusText() } })`.
 * Names keep their letters, digits and underscores; everything else becomes an underscore (`master/tasks_finished` is
 * `master_tasks_finished`). The percentiles of a metric with a window are a summary of their own, `<name>_window`; its
 * quantiles 0 and 1 are the least and the greatest value.
 */
export function prometheusText(): MetricsText {
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    render: (metrics, timeout) =>
      metrics.readings({ timeout }).andThen((readings) => Future.from(registryOf(readings).metrics())),
  };
}

function registryOf(readings: readonly Reading[]): Registry {
  // One registry a scrape: metrics come and go with their processes.
  const registry = new Registry();
  const registers = [registry];
  const taken = new Set<string>();
  for (const { metric, value, statistics } of readings) {
    const help = metric.help ?? metric.name;
    if (value !== undefined) {
      const configuration = { name: unique(legal(metric.name), taken), help, registers };
      // A counter of prom-client takes nothing but finite numbers that are not negative.
      if (metric.kind === 'counter' && Number.isFinite(value) && value >= 0) new Counter(configuration).inc(value);
      else new Gauge(configuration).set(value);
    }
    if (statistics === undefined) continue;
    const name = unique(`${legal(metric.name)}_window`, taken);
    registry.registerMetric(new WindowSummary(name, `${help} (values of its window)`, statistics));
  }
  return registry;
}

function legal(name: string): string {
  const mangled = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  return /^[a-zA-Z_]/.test(mangled) ? mangled : `_${mangled}`;
}

/** Two names may be one after mangling; the second must not cost the whole answer. */
function unique(name: string, taken: Set<string>): string {
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
  taken.add(free);
  return free;
}
