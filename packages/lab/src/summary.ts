import { type Metrics, metricsOf } from './compare/metrics.ts';
import { ascending, mean, percentile } from './compare/statistics.ts';
import type { LabResult } from './result.ts';

export interface RoleSummary {
  readonly name: string;
  readonly weight: number;
  /** Mean over the samples, 0 to 1. */
  readonly dominantShare: number;
  readonly launched: number;
  readonly finished: number;
  /** Seconds; undefined if no task began to run. */
  readonly medianWait: number | undefined;
  readonly wait95: number | undefined;
  readonly offers: number;
  readonly declined: number;
}

/** The few numbers that say how a run went. */
export interface Summary {
  readonly scenario: string;
  readonly allocator: string;
  readonly sorter: string;
  readonly seed: number;
  /** Milliseconds. */
  readonly duration: number;
  readonly allocationRuns: number;
  /** By the master. */
  readonly refusedAllocations: number;
  readonly metrics: Metrics;
  readonly roles: readonly RoleSummary[];
}

export function summarise(result: LabResult): Summary {
  const { scenario, allocator, sorter, seed, duration, allocationRuns, refusedAllocations, roles } = result;
  return {
    ...{ scenario, allocator, sorter, seed, duration, allocationRuns, refusedAllocations },
    metrics: metricsOf(result),
    roles: roles.map((role) => roleSummary(role, result)),
  };
}

function roleSummary({ name, weight }: LabResult['roles'][number], { samples, frameworks }: LabResult): RoleSummary {
  // A framework of several roles counts for its first.
  const own = frameworks.filter(({ role }) => role.split(',')[0] === name);
  const waits = ascending(own.flatMap((framework) => framework.waits.map((wait) => wait / 1000)));
  const sum = (value: (framework: LabResult['frameworks'][number]) => number): number =>
    own.reduce((total, framework) => total + value(framework), 0);
  return {
    name,
    weight,
    dominantShare: mean(samples.map(({ roles }) => roles[name]?.dominantShare ?? 0)) ?? 0,
    launched: sum(({ tasks }) => tasks.launched),
    finished: sum(({ tasks }) => tasks.finished),
    medianWait: percentile(waits, 0.5),
    wait95: percentile(waits, 0.95),
    offers: sum(({ offers }) => offers.made),
    declined: sum(({ offers }) => offers.declined),
  };
}
