import type { Metrics, MetricTimer } from '@mezzo/process';

/** The registrar's metrics, under Mesos's names. */
export class RegistrarMetrics {
  readonly fetch: MetricTimer;
  readonly store: MetricTimer;
  readonly #metrics: Metrics;
  readonly #names: readonly string[];

  constructor(metrics: Metrics, read: { readonly queued: () => number; readonly size: () => number }) {
    this.#metrics = metrics;
    const queued = metrics.pullGauge('registrar/queued_operations', read.queued, {
      help: 'Operations that wait for the next store',
    });
    const size = metrics.pullGauge('registrar/registry_size_bytes', read.size, {
      help: 'What a recovery would read, in bytes',
    });
    this.fetch = metrics.timer('registrar/state_fetch', 'ms', { help: 'Reading the registry, in milliseconds' });
    this.store = metrics.timer('registrar/state_store', 'ms', {
      help: 'Storing a batch of operations, in milliseconds',
      window: '1days',
    });
    this.#names = [queued, size, this.fetch, this.store].map(({ name }) => name);
  }

  /** Frees the names, for the registrar that comes after. */
  remove(): void {
    for (const name of this.#names) this.#metrics.remove(name);
  }
}
