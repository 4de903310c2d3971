import type { Duration } from '../duration.ts';
import type { Future } from '../future/future.ts';
import type { Clock } from '../platform/platform.ts';
import { type Statistics, statisticsOf } from './statistics.ts';
import { TimeSeries } from './time-series.ts';

export type MetricKind = 'counter' | 'gauge' | 'timer';

export interface MetricOptions {
  /** One line on what it counts, with its unit; Prometheus shows it. Default: the name. */
  readonly help?: string;
}

export interface RecordedMetricOptions extends MetricOptions {
  /**
   * Keeps the values of this long, at most 1000 of them, so that snapshots tell their percentiles; `true`: 2 weeks. Default:
   * none are kept.
   */
  readonly window?: Duration | true;
}

/** A number with a name (`master/tasks_finished`), unique in its runtime. */
export abstract class Metric {
  abstract readonly kind: MetricKind;
  readonly name: string;
  readonly help: string | undefined;
  readonly #history: TimeSeries<number> | undefined;

  /** @param clock tells when values were recorded. */
  constructor(name: string, clock: Clock, { help, window }: RecordedMetricOptions) {
    this.name = name;
    this.help = help;
    if (window !== undefined) this.#history = new TimeSeries(clock, window === true ? {} : { window });
  }

  /** Its value now. */
  abstract get value(): number | Future<number>;

  /** Of the values in its window; undefined without a window, and below two values. */
  statistics(): Statistics | undefined {
    return this.#history && statisticsOf(this.#history.get().map(({ value }) => value));
  }

  protected record(value: number): void {
    this.#history?.set(value);
  }
}
