import { toMilliseconds, type Duration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { Deferred, type Future } from '../future/future.ts';
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

export interface MetricOptions {
  /** One line on what it counts, with its unit; Prometheus shows it. Default: the name. */
  readonly help?: string;
}

/** What is known of a metric besides its value. */
export interface MetricDescription {
  readonly kind: MetricKind;
  readonly help: string | undefined;
}

interface Entry extends MetricDescription {
  readonly read: () => number | Future<number>;
}

/** Default wait of a snapshot for gauges that are not ready, in milliseconds. */
const defaultTimeout = 2000;

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

  constructor(runtime: { readonly clock: Clock; readonly processes: readonly string[] }) {
    this.#clock = runtime;
    const counter = (name: string, help: string, read: () => number): void =>
      this.#add(name, 'counter', { help }, read);
    counter('process/dead_letters', 'Messages nobody took', () => this.deadLetters);
    counter('process/errors', "Errors reported to the runtime's error hook", () => this.errors);
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
    counter('process/wire_resent', 'Batches sent again after a gap', () => this.wireResent);
    this.pullGauge('process/processes', () => runtime.processes.length, { help: 'Living processes' });
  }

  /** Throws METRIC_NAME_TAKEN. */
  counter(name: string, options: MetricOptions = {}): Counter {
    const counter = new Counter();
    this.#add(name, 'counter', options, () => counter.value);
    return counter;
  }

  /** Throws METRIC_NAME_TAKEN. */
  pushGauge(name: string, options: MetricOptions = {}): PushGauge {
    const gauge = new PushGauge();
    this.#add(name, 'gauge', options, () => gauge.value);
    return gauge;
  }

  /** `read` runs at every snapshot. Throws METRIC_NAME_TAKEN. */
  pullGauge(name: string, read: () => number | Future<number>, options: MetricOptions = {}): void {
    this.#add(name, 'gauge', options, read);
  }

  /** False if there is no metric of this name. */
  remove(name: string): boolean {
    return this.#entries.delete(name);
  }

  describe(name: string): MetricDescription | undefined {
    return this.#entries.get(name);
  }

  /**
   * Values by name, sorted; what fails, is abandoned or is still pending at the timeout (default 2 s) is left out. Gauges
   * that are pending at the timeout, or when the snapshot is discarded, get a discard request.
   */
  snapshot(options: { readonly timeout?: Duration } = {}): Future<ReadonlyMap<string, number>> {
    const values = new Map<string, number>();
    const pending = new Set<Future<number>>();
    const done = new Deferred<ReadonlyMap<string, number>>();
    let reading = true;
    const finish = (): void => void done.set(new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1))));
    const giveUp = (): void => {
      for (const gauge of [...pending]) gauge.discard();
    };
    const timer = this.#clock.clock.timer(toMilliseconds(options.timeout ?? defaultTimeout), () => {
      finish();
      giveUp();
    });
    const close = (gauge: Future<number>): void => {
      pending.delete(gauge);
      if (reading || pending.size > 0) return;
      timer.cancel();
      finish();
    };
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
      const gauge = value;
      pending.add(gauge);
      gauge.onReady((number) => void values.set(name, number));
      gauge.onAny(close);
      gauge.onAbandoned(() => close(gauge));
    }
    reading = false;
    if (pending.size === 0) {
      timer.cancel();
      finish();
    }
    done.future.onDiscard(() => {
      timer.cancel();
      done.discard();
      giveUp();
    });
    return done.future;
  }

  #add(name: string, kind: MetricKind, { help }: MetricOptions, read: () => number | Future<number>): void {
    if (this.#entries.has(name)) {
      throw new ProcessError(
        'METRIC_NAME_TAKEN',
        `A metric named '${name}' exists already: remove it first or choose another name`,
      );
    }
    this.#entries.set(name, { kind, help, read });
  }
}
