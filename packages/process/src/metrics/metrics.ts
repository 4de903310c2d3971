import { toMilliseconds, type Duration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { Deferred, Future } from '../future/future.ts';
import type { Clock } from '../platform/platform.ts';

/** A whole number that grows. */
export class Counter {
  #value = 0;
  get value(): number {
    return this.#value;
  }
  increment(by = 1): void {
    this.#value += by;
  }
  reset(): void {
    this.#value = 0;
  }
}

/** A number that its owner sets: never waits for a mailbox, so prefer it to a pull gauge. */
export class PushGauge {
  #value = 0;
  get value(): number {
    return this.#value;
  }
  set(value: number): void {
    this.#value = value;
  }
  add(by: number): void {
    this.#value += by;
  }
}

export type MetricKind = 'counter' | 'gauge';

interface Entry {
  readonly kind: MetricKind;
  readonly read: () => number | Future<number>;
}

/** The metrics of one runtime, by name (`master/tasks_finished`). Values live in memory only. */
export class Metrics {
  readonly #entries = new Map<string, Entry>();
  readonly #clock: { readonly clock: Clock };
  /** Messages nobody took. */
  deadLetters = 0;
  /** Errors reported to the runtime's error hook. */
  errors = 0;
  /** Handlers that settled after their process had ended. */
  lateSettlements = 0;
  /** Frames and envelopes from the wire that were dropped as garbage, unknown, invalid or too large. */
  wireRejected = 0;
  /** Batches sent again after a gap. */
  wireResent = 0;

  constructor(runtime: { readonly clock: Clock }) {
    this.#clock = runtime;
    this.#add('process/dead_letters', 'counter', () => this.deadLetters);
    this.#add('process/errors', 'counter', () => this.errors);
    this.#add('process/late_settlements', 'counter', () => this.lateSettlements);
    this.#add('process/wire_rejected', 'counter', () => this.wireRejected);
    this.#add('process/wire_resent', 'counter', () => this.wireResent);
  }

  /** Throws METRIC_NAME_TAKEN. */
  counter(name: string): Counter {
    const counter = new Counter();
    this.#add(name, 'counter', () => counter.value);
    return counter;
  }

  /** Throws METRIC_NAME_TAKEN. */
  pushGauge(name: string): PushGauge {
    const gauge = new PushGauge();
    this.#add(name, 'gauge', () => gauge.value);
    return gauge;
  }

  /** `read` runs at every snapshot. Throws METRIC_NAME_TAKEN. */
  pullGauge(name: string, read: () => number | Future<number>): void {
    this.#add(name, 'gauge', read);
  }

  /** False if there is no metric of this name. */
  remove(name: string): boolean {
    return this.#entries.delete(name);
  }

  kind(name: string): MetricKind | undefined {
    return this.#entries.get(name)?.kind;
  }

  /** Values by name, sorted; what fails, is abandoned or is still pending at the timeout (default 2 s) is left out. */
  snapshot(options: { readonly timeout?: Duration } = {}): Future<ReadonlyMap<string, number>> {
    const values = new Map<string, number>();
    const done = new Deferred<ReadonlyMap<string, number>>();
    let open = 1;
    const close = (): void => {
      if (--open > 0) return;
      timer.cancel();
      finish();
    };
    const finish = (): void => void done.set(new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1))));
    const timer = this.#clock.clock.timer(toMilliseconds(options.timeout ?? 2000), finish);
    for (const [name, entry] of this.#entries) {
      let value: number | Future<number>;
      try {
        value = entry.read();
      } catch {
        continue;
      }
      if (typeof value === 'number') {
        values.set(name, value);
        continue;
      }
      open++;
      value.onReady((number) => void values.set(name, number));
      value.onAny(close);
      value.onAbandoned(close);
    }
    close();
    return done.future;
  }

  #add(name: string, kind: MetricKind, read: () => number | Future<number>): void {
    if (this.#entries.has(name)) {
      throw new ProcessError('METRIC_NAME_TAKEN', `A metric named '${name}' exists already: remove it first or choose another name`);
    }
    this.#entries.set(name, { kind, read });
  }
}
