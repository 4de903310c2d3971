import { type Duration, toMilliseconds } from '../duration.ts';
import type { Clock } from '../platform/platform.ts';

export interface TimeSeriesOptions {
  /** Values older than this are forgotten, but for the last one. Default 2 weeks, as libprocess. */
  readonly window?: Duration;
  /** How many values are kept, at least 3. Default 1000, as libprocess. */
  readonly capacity?: number;
}

export interface TimedValue<T> {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly value: T;
}

/**
 * Values of a window of time, at most as many as its capacity. What exceeds it costs the older half every other value, again
 * and again from the oldest on: the past gets coarse, the present stays fine, and the oldest value of the window stays.
 */
export class TimeSeries<T> {
  readonly #clock: Clock;
  readonly #window: number;
  readonly #capacity: number;
  /** By time. */
  readonly #entries: TimedValue<T>[] = [];
  /** Index of the value that goes next; undefined: a round begins at the second. */
  #victim: number | undefined = undefined;

  constructor(clock: Clock, options: TimeSeriesOptions = {}) {
    this.#clock = clock;
    this.#window = toMilliseconds(options.window ?? '2weeks');
    this.#capacity = Math.max(3, options.capacity ?? 1000);
  }

  get size(): number {
    return this.#entries.length;
  }

  get latest(): TimedValue<T> | undefined {
    return this.#entries.at(-1);
  }

  /** What is kept from `from` to `to`, both included, the oldest first. */
  get(from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): readonly TimedValue<T>[] {
    return this.#entries.filter(({ time }) => time >= from && time <= to);
  }

  /** A second value of the same time takes the first one's place. */
  set(value: T, time = this.#clock.now()): void {
    const last = this.latest;
    if (last === undefined || last.time < time) this.#entries.push({ time, value });
    else this.#insert({ time, value }, last);
    this.truncate();
    this.#sparsify();
  }

  /** Forgets what is older than the window, unless all is; `set` does it too. */
  truncate(): void {
    const entries = this.#entries;
    const first = this.#firstAfter(this.#clock.now() - this.#window);
    if (entries.length <= 1 || first === entries.length) return;
    entries.splice(0, first);
    const victim = this.#victim;
    this.#victim = victim === undefined || first >= victim ? undefined : victim - first;
  }

  #insert(entry: TimedValue<T>, last: TimedValue<T>): void {
    if (entry.time < last.time) this.#victim = undefined;
    const index = this.#firstAfter(entry.time);
    if (this.#entries[index - 1]?.time === entry.time) this.#entries[index - 1] = entry;
    else this.#entries.splice(index, 0, entry);
  }

  #sparsify(): void {
    const entries = this.#entries;
    while (entries.length > this.#capacity) {
      let victim = this.#victim ?? 1;
      if (victim > Math.floor(entries.length / 2)) victim = 1;
      entries.splice(victim, 1);
      // What has moved into its place is skipped.
      this.#victim = victim + 1;
    }
  }

  /** Index of the first value later than `time`; the number of values if there is none. */
  #firstAfter(time: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && entry.time <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
