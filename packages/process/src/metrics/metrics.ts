import { type Duration, toMilliseconds } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import type { Future } from '../future/future.ts';
import type { Clock } from '../platform/platform.ts';
import { Counter } from './counter.ts';
import type { Metric, MetricOptions, RecordedMetricOptions } from './metric.ts';
import { MetricTimer, type TimerUnit } from './metric-timer.ts';
import { PullGauge } from './pull-gauge.ts';
import { PushGauge } from './push-gauge.ts';
import { readAll, type Reading } from './readings.ts';

export interface SnapshotOptions {
  /** How long it waits for gauges that are not ready. Default 2 s. */
  readonly timeout?: Duration | undefined;
}

/** What a snapshot tells of a metric with a window, below the metric's name. */
const shown = ['count', 'max', 'min', 'p50', 'p90', 'p95', 'p99', 'p999', 'p9999'] as const;

/** The metrics of one runtime, by name (`master/tasks_finished`). Values live in memory only. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #runtime: { readonly clock: Clock };
  // The runtime's own are plain fields: they are counted on the hot path.
  /** Messages nobody took. */
  deadLetters = 0;
  /** Errors reported to the runtime's error hook. */
  errors = 0;
  /** Async handlers that held their mailbox for longer than the runtime's `longHold`. */
  longHolds = 0;
  /** Handlers that settled after their process had ended. */
  lateSettlements = 0;
  /** Frames and envelopes from the wire that were dropped as garbage, unknown, invalid or too large. */
  wireRejected = 0;
  /** Frames of another session than the present one, and batches that came twice or after a gap. What was missed is sent again. */
  wireStray = 0;
  /** Batches sent again after a gap. */
  wireResent = 0;

  constructor(runtime: { readonly clock: Clock; readonly processes: readonly string[] }) {
    this.#runtime = runtime;
    const counter = (name: string, help: string, read: () => number): void =>
      void this.add(new PullGauge(name, runtime.clock, read, { help }, 'counter'));
    counter('process/dead_letters', 'Messages nobody took', () => this.deadLetters);
    counter('process/errors', "Errors reported to the runtime's error hook", () => this.errors);
    counter('process/long_holds', 'Async handlers that held their mailbox for long', () => this.longHolds);
    counter(
      'process/late_settlements',
      'Handlers that settled after their process had ended',
      () => this.lateSettlements,
    );
    counter(
      'process/wire_rejected',
      'Frames and envelopes from the wire that were dropped as invalid',
      () => this.wireRejected,
    );
    counter(
      'process/wire_stray',
      'Frames of another session than the present one, and batches that came twice or after a gap',
      () => this.wireStray,
    );
    counter('process/wire_resent', 'Batches sent again after a gap', () => this.wireResent);
    this.pullGauge('process/processes', () => runtime.processes.length, { help: 'Living processes' });
  }

  /** Throws METRIC_NAME_TAKEN. */
  counter(name: string, options?: RecordedMetricOptions): Counter {
    return this.add(new Counter(name, this.#runtime.clock, options));
  }

  /** Throws METRIC_NAME_TAKEN. */
  pushGauge(name: string, options?: RecordedMetricOptions): PushGauge {
    return this.add(new PushGauge(name, this.#runtime.clock, options));
  }

  /** `read` runs at every snapshot. Throws METRIC_NAME_TAKEN. */
  pullGauge(name: string, read: () => number | Future<number>, options?: MetricOptions): PullGauge {
    return this.add(new PullGauge(name, this.#runtime.clock, read, options));
  }

  /** The unit becomes part of the name: `timer('failover', 'ms')` is `failover_ms`. Throws METRIC_NAME_TAKEN. */
  timer(name: string, unit: TimerUnit, options?: RecordedMetricOptions): MetricTimer {
    return this.add(new MetricTimer(name, unit, this.#runtime.clock, options));
  }

  /** Shows a metric made before, and gives it back. Throws METRIC_NAME_TAKEN. */
  add<M extends Metric>(metric: M): M {
    if (this.#metrics.has(metric.name)) {
      throw new ProcessError(
        'METRIC_NAME_TAKEN',
        `A metric named '${metric.name}' exists already: remove it first or choose another name`,
      );
    }
    this.#metrics.set(metric.name, metric);
    return metric;
  }

  /** False if there is no metric of this name. */
  remove(name: string): boolean {
    return this.#metrics.delete(name);
  }

  /** Every metric as it is now, sorted by name. */
  readings(options: SnapshotOptions = {}): Future<readonly Reading[]> {
    const sorted = [...this.#metrics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return readAll(sorted, this.#runtime.clock, toMilliseconds(options.timeout ?? '2secs'));
  }

  /**
   * Values by name, sorted; what fails, is abandoned or is still pending at the timeout is left out. Gauges that are pending
   * at the timeout, or when the snapshot is discarded, get a discard request. Metrics with a window add `name/count`,
   * `name/min`, `name/p99` and so on.
   */
  snapshot(options?: SnapshotOptions): Future<ReadonlyMap<string, number>> {
    return this.readings(options).map((readings) => {
      const values: (readonly [string, number])[] = [];
      for (const { metric, value, statistics } of readings) {
        if (value !== undefined) values.push([metric.name, value]);
        if (statistics === undefined) continue;
        for (const key of shown) values.push([`${metric.name}/${key}`, statistics[key]]);
      }
      return new Map(values.sort(([a], [b]) => (a < b ? -1 : 1)));
    });
  }
}
