import type { Amounts, LabResult, Sample } from '../result.ts';
import { ascending, percentile } from './statistics.ts';

/** What one run comes to, figure by figure; a figure that the run has no value for is left out. */
export type Metrics = Readonly<Record<string, number>>;

export interface MetricText {
  readonly title: string;
  /** `%`: the value is a fraction, to be shown as a percentage. */
  readonly unit: string;
  /** Which way is better, where that can be said of any allocator. */
  readonly better: 'more' | 'less' | undefined;
}

const described: Readonly<Record<string, MetricText>> = {
  jain: { title: "Jain's index, mean over time", unit: '', better: 'more' },
  gap: { title: 'dominant-share gap, mean over time', unit: '', better: 'less' },
  'wait.p50': { title: 'waiting time, median', unit: 's', better: 'less' },
  'wait.p95': { title: 'waiting time, 95th percentile', unit: 's', better: 'less' },
  'wait.p99': { title: 'waiting time, 99th percentile', unit: 's', better: 'less' },
  makespan: { title: 'makespan', unit: 's', better: 'less' },
  'tasks.finished': { title: 'tasks finished', unit: '', better: 'more' },
  'tasks.lost': { title: 'tasks lost', unit: '', better: 'less' },
  'offers.made': { title: 'offers made', unit: '', better: undefined },
  'offers.declined': { title: 'offers declined', unit: '', better: 'less' },
  'allocations.refused': { title: 'allocations refused by the master', unit: '', better: 'less' },
};
const families: Readonly<Record<string, (resource: string) => MetricText>> = {
  utilisation: (resource) => ({ title: `utilisation of ${resource}`, unit: '%', better: 'more' }),
  fragmentation: (resource) => ({ title: `fragmentation of ${resource}`, unit: '%', better: 'less' }),
  wasted: (resource) => ({ title: `${resource} wasted in offers`, unit: `${unitOf(resource)}·s`, better: 'less' }),
};

/** What a resource is counted in: memory and disk in MB, others in themselves. */
export const unitOf = (resource: string): string => (resource === 'mem' || resource === 'disk' ? 'MB' : resource);

/** Title and unit of a figure. */
export function metricText(name: string): MetricText {
  const known = Object.hasOwn(described, name) ? described[name] : undefined;
  if (known !== undefined) return known;
  const dot = name.indexOf('.');
  const family = families[name.slice(0, dot)];
  return family?.(name.slice(dot + 1)) ?? { title: name, unit: '', better: undefined };
}

/** The figures that runs are compared by. Means are over time, waiting times over all tasks. */
export function metricsOf(result: LabResult): Metrics {
  const { samples, duration, frameworks } = result;
  const over = (value: (sample: Sample) => number): number => timeMean(samples, duration, value);
  const metrics: Record<string, number> = {};
  const put = (name: string, value: number | undefined): void => {
    if (value !== undefined && Number.isFinite(value)) metrics[name] = value;
  };
  if (samples.length > 0) {
    put(
      'jain',
      over(({ jain }) => jain),
    );
    put(
      'gap',
      over(({ gap }) => gap),
    );
  }
  const resources = resourceNames(samples.map(({ total }) => total));
  // What was used of what was there, both summed over time: agents that come and go count for as long as they are there.
  for (const name of resources) {
    put(`utilisation.${name}`, over(({ used }) => used[name] ?? 0) / over(({ total }) => total[name] ?? 0));
  }
  for (const name of resources)
    put(
      `fragmentation.${name}`,
      over(({ fragmentation }) => fragmentation[name] ?? 0),
    );
  const waits = ascending(frameworks.flatMap((framework) => framework.waits));
  for (const p of [50, 95, 99]) {
    const wait = percentile(waits, p / 100);
    put(`wait.p${p}`, wait === undefined ? undefined : wait / 1000);
  }
  const end = makespan(samples);
  put('makespan', end === undefined ? undefined : end / 1000);
  const sum = (of: (framework: LabResult['frameworks'][number]) => number): number =>
    frameworks.reduce((total, framework) => total + of(framework), 0);
  put(
    'tasks.finished',
    sum(({ tasks }) => tasks.finished),
  );
  put(
    'tasks.lost',
    sum(({ tasks }) => tasks.lost),
  );
  put(
    'offers.made',
    sum(({ offers }) => offers.made),
  );
  put(
    'offers.declined',
    sum(({ offers }) => offers.declined),
  );
  put('allocations.refused', result.refusedAllocations);
  for (const name of resourceNames(frameworks.map(({ offers }) => offers.wasted))) {
    put(
      `wasted.${name}`,
      sum(({ offers }) => offers.wasted[name] ?? 0),
    );
  }
  return metrics;
}

/** Names of all the amounts: `cpus`, `mem`, `disk` and `gpus` first, as people list them. */
export function resourceNames(amounts: readonly Amounts[]): readonly string[] {
  const names = new Set<string>();
  for (const given of amounts) for (const name in given) names.add(name);
  const first = ['cpus', 'mem', 'disk', 'gpus'];
  return [...first.filter((name) => names.has(name)), ...[...names].filter((name) => !first.includes(name)).sort()];
}

/** Each sample holds until the next one, the last until the end. */
export function timeMean(samples: readonly Sample[], duration: number, value: (sample: Sample) => number): number {
  let [sum, length, plain] = [0, 0, 0];
  for (const [index, sample] of samples.entries()) {
    const held = Math.max(0, (samples[index + 1]?.time ?? duration) - sample.time);
    sum += held * value(sample);
    length += held;
    plain += value(sample);
  }
  return length > 0 ? sum / length : plain / samples.length;
}

/**
 * Milliseconds from the first task to the sample from which on none waits or runs; undefined if some still do at the end, or if
 * there were none.
 */
function makespan(samples: readonly Sample[]): number | undefined {
  const busy = ({ frameworks }: Sample): boolean =>
    Object.values(frameworks).some(({ waiting, running }) => waiting + running > 0);
  const first = samples.findIndex(busy);
  const last = samples.findLastIndex(busy);
  const [start, end] = [samples[first], samples[last + 1]];
  return start === undefined || end === undefined ? undefined : end.time - start.time;
}
