import { toMilliseconds } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { Clock } from '../platform/platform.ts';
import { Metric, type RecordedMetricOptions } from './metric.ts';

export type TimerUnit = 'ns' | 'us' | 'ms' | 'secs' | 'mins' | 'hrs' | 'days' | 'weeks';

const nanosecondsPerMillisecond = 1e6;

/**
 * How long something took the last time; its unit is the end of its name (`master/failover_ms`). A clock's milliseconds since
 * the epoch are doubles, so the resolution is a quarter of a microsecond at best.
 */
export class MetricTimer extends Metric {
  readonly kind = 'timer';
  readonly #clock: Clock;
  readonly #nanosecondsPerUnit: number;
  #started: number | undefined = undefined;
  #value: number | undefined = undefined;

  constructor(name: string, unit: TimerUnit, clock: Clock, options: RecordedMetricOptions = {}) {
    super(`${name}_${unit}`, clock, options);
    this.#clock = clock;
    this.#nanosecondsPerUnit = nanosecondsOf(toMilliseconds(`1${unit}`));
  }

  /** In the timer's unit; FAILED with METRIC_WITHOUT_VALUE before the first measurement has ended. */
  get value(): Future<number> {
    if (this.#value !== undefined) return Future.ready(this.#value);
    return Future.failed(
      new ProcessError('METRIC_WITHOUT_VALUE', `Timer '${this.name}' has no value: nothing was measured yet`),
    );
  }

  start(): void {
    this.#started = this.#clock.now();
  }

  /** Measures from the latest start, also a second time; without one nothing happens. */
  stop(): void {
    if (this.#started !== undefined) this.#measure(this.#started);
  }

  /** Measures from now until the future is READY, FAILED or DISCARDED; gives the future back. */
  time<T>(future: Future<T>): Future<T> {
    const started = this.#clock.now();
    return future.onAny(() => this.#measure(started));
  }

  #measure(started: number): void {
    this.#value = nanosecondsOf(this.#clock.now() - started) / this.#nanosecondsPerUnit;
    this.record(this.#value);
  }
}

function nanosecondsOf(milliseconds: number): number {
  return Math.round(milliseconds * nanosecondsPerMillisecond);
}
