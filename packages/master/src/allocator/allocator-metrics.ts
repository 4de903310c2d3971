import type { Counter, Metrics, PushGauge } from '@mezzo/process';
import type { AllocatorState, RoleObserver } from './allocator-state.ts';

const prefix = 'allocator/mesos';

/** The allocator's metrics, under Mesos's names. */
export class AllocatorMetrics implements RoleObserver {
  readonly runs: Counter;
  /** Messages of who is not its master, and what it could not be initialised with. */
  readonly ignored: Counter;
  readonly runMilliseconds: PushGauge;
  readonly latencyMilliseconds: PushGauge;
  readonly #metrics: Metrics;
  readonly #state: () => AllocatorState;
  readonly #names: string[] = [];
  readonly #resources = new Set<string>();

  constructor(metrics: Metrics, state: () => AllocatorState) {
    this.#metrics = metrics;
    this.#state = state;
    this.runs = metrics.counter(this.#name('allocation_runs'));
    this.ignored = metrics.counter(this.#name('ignored_messages'));
    this.runMilliseconds = metrics.pushGauge(this.#name('allocation_run_ms'));
    this.latencyMilliseconds = metrics.pushGauge(this.#name('allocation_run_latency_ms'));
    this.resourcesKnown(['cpus', 'mem', 'disk']);
  }

  /** Gauges for names of resources that were not seen before. */
  resourcesKnown(names: Iterable<string>): void {
    for (const name of names) {
      if (this.#resources.has(name)) continue;
      this.#resources.add(name);
      const path = `resources/${encodeURIComponent(name)}`;
      this.#metrics.pullGauge(this.#name(`${path}/total`), () => this.#state().totals.get(name));
      this.#metrics.pullGauge(this.#name(`${path}/offered_or_allocated`), () =>
        this.#state().offeredOrAllocated.get(name),
      );
    }
  }

  roleAdded(role: string): void {
    this.#metrics.pullGauge(shareOf(role), () => this.#state().roleSorter.share(role));
    this.#metrics.pullGauge(filtersOf(role), () => {
      let count = 0;
      for (const framework of this.#state().frameworks.values()) count += framework.filters.count(role);
      return count;
    });
  }

  roleRemoved(role: string): void {
    this.#metrics.remove(shareOf(role));
    this.#metrics.remove(filtersOf(role));
  }

  /** Frees the names, for the allocator that comes after. */
  remove(): void {
    for (const name of this.#names) this.#metrics.remove(name);
    for (const role of this.#state().roles.keys()) this.roleRemoved(role);
  }

  #name(name: string): string {
    this.#names.push(`${prefix}/${name}`);
    return `${prefix}/${name}`;
  }
}

function shareOf(role: string): string {
  return `${prefix}/roles/${encodeURIComponent(role)}/shares/dominant`;
}

function filtersOf(role: string): string {
  return `${prefix}/offer_filters/roles/${encodeURIComponent(role)}/active`;
}
