import { Counter, Gauge, Registry } from 'prom-client';

import type { MetricsText } from '../builtin/metrics.ts';
import { Future } from '../future/future.ts';
import type { Metrics } from '../metrics/metrics.ts';

/**
 * All metrics of a runtime in Prometheus' text format, for `httpServer({ metrics: { prometheus: prometheusText() } })`.
 * Names keep their letters, digits and underscores; everything else becomes an underscore (`master/tasks_finished` is
 * `master_tasks_finished`).
 */
export function prometheusText(): MetricsText {
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    render: (metrics, timeout) =>
      metrics.snapshot({ timeout }).andThen((values) => Future.from(registryOf(metrics, values).metrics())),
  };
}

function registryOf(metrics: Metrics, values: ReadonlyMap<string, number>): Registry {
  // One registry a scrape: metrics come and go with their processes.
  const registry = new Registry();
  const taken = new Set<string>();
  for (const [original, value] of values) {
    const description = metrics.describe(original);
    const name = unique(legal(original), taken);
    const configuration = { name, help: description?.help ?? original, registers: [registry] };
    // A counter of prom-client takes nothing but finite numbers that are not negative.
    if (description?.kind === 'counter' && Number.isFinite(value) && value >= 0) new Counter(configuration).inc(value);
    else new Gauge(configuration).set(value);
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
