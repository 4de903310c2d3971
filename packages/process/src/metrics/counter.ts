import type { Clock } from '../platform/platform.ts';
import { Metric, type RecordedMetricOptions } from './metric.ts';

/** A whole number that grows. */
export class Counter extends Metric {
  readonly kind = 'counter';
  #value = 0;

  constructor(name: string, clock: Clock, options: RecordedMetricOptions = {}) {
    super(name, clock, options);
    this.record(0);
  }

  get value(): number {
    return this.#value;
  }

  increment(by = 1): void {
    this.#value += by;
    this.record(this.#value);
  }

  reset(): void {
    this.#value = 0;
    this.record(0);
  }
}
