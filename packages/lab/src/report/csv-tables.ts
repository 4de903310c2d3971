import { resourceNames } from '../compare/metrics.ts';
import { ascending, mean, percentile } from '../compare/statistics.ts';
import { csvField } from '../csv-field.ts';
import type { Amounts, LabResult, ShareSample } from '../result.ts';

/** A table as text: RFC 4180, a line for the names of the columns, numbers with all their digits. */
export function csv(head: readonly string[], rows: Iterable<readonly (string | number | undefined)[]>): string {
  const lines = [head.map(csvField).join(',')];
  for (const row of rows)
    lines.push(row.map((field) => (typeof field === 'string' ? csvField(field) : field)).join(','));
  return `${lines.join('\n')}\n`;
}

const columns = (prefix: string, names: readonly string[], suffix = ''): readonly string[] =>
  names.map((name) => `${prefix}_${name}${suffix}`);
const amounts = (of: Amounts, names: readonly string[]): readonly number[] => names.map((name) => of[name] ?? 0);

/** A line for each role and each framework at each time. */
export function sharesCsv({ samples }: LabResult): string {
  const resources = resourceNames(samples.map(({ total }) => total));
  const head = ['time_ms', 'kind', 'name', 'dominant_share', 'weighted_share', 'waiting', 'running'];
  const row = (time: number, kind: string, name: string, share: ShareSample): (string | number)[] => [
    time,
    kind,
    name,
    share.dominantShare,
    share.weightedShare,
    share.waiting,
    share.running,
    ...amounts(share.used, resources),
    ...amounts(share.offered, resources),
  ];
  // One at a time: frameworks times samples are too many to have them all in memory twice.
  const rows = function* (): Generator<(string | number)[]> {
    for (const { time, roles, frameworks } of samples) {
      for (const [name, share] of Object.entries(roles)) yield row(time, 'role', name, share);
      for (const [name, share] of Object.entries(frameworks)) yield row(time, 'framework', name, share);
    }
  };
  return csv([...head, ...columns('used', resources), ...columns('offered', resources)], rows());
}

/** A line for each time. */
export function clusterCsv({ samples }: LabResult): string {
  const resources = resourceNames(samples.map(({ total }) => total));
  return csv(
    [
      'time_ms',
      'jain',
      'gap',
      ...columns('total', resources),
      ...columns('used', resources),
      ...columns('offered', resources),
      ...columns('fragmentation', resources),
    ],
    samples.map(({ time, jain, gap, total, used, offered, fragmentation }) => [
      time,
      jain,
      gap,
      ...[total, used, offered, fragmentation].flatMap((of) => amounts(of, resources)),
    ]),
  );
}

/** A line for each task that began to run, in the order in which those of a framework did. */
export function waitsCsv({ frameworks }: LabResult): string {
  return csv(
    ['framework', 'role', 'kind', 'order', 'wait_ms'],
    frameworks.flatMap(({ name, role, kind, waits }) => waits.map((wait, order) => [name, role, kind, order, wait])),
  );
}

/** Waiting times in milliseconds. */
export function waitSummary(waits: readonly number[]): readonly (number | undefined)[] {
  const sorted = ascending(waits);
  return [mean(waits), ...[0.5, 0.9, 0.95, 0.99, 1].map((p) => percentile(sorted, p))];
}

/** A line for each framework. */
export function frameworksCsv({ frameworks, roles }: LabResult): string {
  const weights = new Map(roles.map(({ name, weight }) => [name, weight]));
  const resources = resourceNames(frameworks.map(({ offers }) => offers.wasted));
  const head =
    'framework,role,kind,role_weight,tasks_arrived,tasks_launched,tasks_finished,tasks_lost,offers_made,offers_accepted,offers_declined,offers_rescinded,waits,wait_mean_ms,wait_p50_ms,wait_p90_ms,wait_p95_ms,wait_p99_ms,wait_max_ms';
  return csv(
    [...head.split(','), ...columns('wasted', resources, '_seconds')],
    frameworks.map(({ name, role, kind, tasks, offers, waits }) => [
      name,
      role,
      kind,
      weights.get(role),
      tasks.arrived,
      tasks.launched,
      tasks.finished,
      tasks.lost,
      offers.made,
      offers.accepted,
      offers.declined,
      offers.rescinded,
      waits.length,
      ...waitSummary(waits),
      ...amounts(offers.wasted, resources),
    ]),
  );
}
