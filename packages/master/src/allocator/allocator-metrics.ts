import type { Counter, Metrics, MetricTimer } from '@mezzo/process';
import type { AllocatorState } from './allocator-state.ts';
import type { RoleObserver } from './clients.ts';
import type { RoleQuota } from './role-tree.ts';

const prefix = 'allocator/mesos';

/** The allocator's metrics, under Mesos's names. */
export class AllocatorMetrics implements RoleObserver {
  readonly runs: Counter;
  /** Messages of who is not its master, and what it could not make sense of. */
  readonly ignored: Counter;
  readonly run: MetricTimer;
  readonly latency: MetricTimer;
  readonly #metrics: Metrics;
  readonly #state: () => AllocatorState;
  readonly #names = new Set<string>();
  readonly #resources = new Set<string>();
  readonly #quotas = new Map<string, readonly string[]>();

  constructor(metrics: Metrics, state: () => AllocatorState) {
    this.#metrics = metrics;
    this.#state = state;
    this.runs = metrics.counter(this.#name('allocation_runs'));
    this.ignored = metrics.counter(this.#name('ignored_messages'));
    this.run = metrics.timer(`${prefix}/allocation_run`, 'ms', { window: '1hrs' });
    this.latency = metrics.timer(`${prefix}/allocation_run_latency`, 'ms', { window: '1hrs' });
    for (const { name } of [this.run, this.latency]) this.#names.add(name);
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
        this.#state().clients.held.quantities.get(name),
      );
    }
  }

  roleAdded(role: string): void {
    this.#metrics.pullGauge(shareOf(role), () => this.#state().clients.roleSorter.share(role));
    this.#metrics.pullGauge(filtersOf(role), () => {
      let count = 0;
      for (const client of this.#state().clients.roles.get(role)?.clients.values() ?? []) count += client.filterCount;
      return count;
    });
  }

  roleRemoved(role: string): void {
    this.#metrics.remove(shareOf(role));
    this.#metrics.remove(filtersOf(role));
  }

  quotaSet(role: string, quota: RoleQuota | undefined): void {
    for (const name of this.#quotas.get(role) ?? []) this.#metrics.remove(name);
    this.#quotas.delete(role);
    if (quota === undefined) return;
    const { guarantees, limits } = quota;
    const names: string[] = [];
    const gauge = (resource: string, what: string, value: () => number): void => {
      const path = `quota/roles/${encodeURIComponent(role)}/resources/${encodeURIComponent(resource)}/${what}`;
      names.push(`${prefix}/${path}`);
      this.#metrics.pullGauge(`${prefix}/${path}`, value);
    };
    const node = () => this.#state().clients.roles.get(role);
    for (const resource of new Set([...guarantees.names, ...limits.names])) {
      const limit = limits.get(resource);
      gauge(resource, 'guarantee', () => guarantees.get(resource));
      if (limit !== undefined) gauge(resource, 'limit', () => limit);
      gauge(resource, 'offered_or_allocated', () => node()?.offeredOrConsumed.get(resource) ?? 0);
      gauge(resource, 'consumed', () => node()?.consumed.get(resource) ?? 0);
    }
    this.#quotas.set(role, names);
  }

  /** Forgets what belongs to roles: the state begins anew. */
  clear(): void {
    for (const { path, sorter } of this.#state().clients.roles.nodes) if (sorter !== undefined) this.roleRemoved(path);
    for (const role of [...this.#quotas.keys()]) this.quotaSet(role, undefined);
  }

  /** Frees the names, for the allocator that comes after. */
  remove(): void {
    for (const name of this.#names) this.#metrics.remove(name);
    this.clear();
  }

  #name(name: string): string {
    this.#names.add(`${prefix}/${name}`);
    return `${prefix}/${name}`;
  }
}

function shareOf(role: string): string {
  return `${prefix}/roles/${encodeURIComponent(role)}/shares/dominant`;
}

function filtersOf(role: string): string {
  return `${prefix}/offer_filters/roles/${encodeURIComponent(role)}/active`;
}
