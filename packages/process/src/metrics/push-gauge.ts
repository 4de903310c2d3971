import type { Clock } from '../platform/platform.ts';
import { Metric, type RecordedMetricOptions } from './metric.ts';

/** A number that its owner sets: never waits for a mailbox, so prefer it to a pull gauge. 0 at first. */
export class PushGauge extends Metric {
  readonly kind = 'gauge';
  #value = 0;

  constructor(name: string, clock: Clock, options: RecordedMetricOptions = {}) {
    super(name, clock, options);
  }

  get value(): number {
    return this.#value;
  }

  set(value: number): void {
    this.#value = value;
    this.record(value);
  }

  add(by: number): void {
    this.set(this.#value + by);
  }
}
