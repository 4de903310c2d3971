import { Future } from '../future/future.ts';
import type { Clock } from '../platform/platform.ts';
import { Metric, type MetricKind, type MetricOptions } from './metric.ts';

/** A number that is asked for at every snapshot; of a busy process it comes when the process has time. */
export class PullGauge extends Metric {
  readonly kind: MetricKind;
  readonly #read: () => number | Future<number>;

  constructor(
    name: string,
    clock: Clock,
    read: () => number | Future<number>,
    options: MetricOptions = {},
    kind: MetricKind = 'gauge',
  ) {
    super(name, clock, { help: options.help });
    this.#read = read;
    this.kind = kind;
  }

  /** Asks anew; FAILED if asking throws. */
  get value(): Future<number> {
    try {
      const value = this.#read();
      return typeof value === 'number' ? Future.ready(value) : value;
    } catch (error) {
      return Future.failed(error);
    }
  }
}
