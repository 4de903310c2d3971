import { resourceNames } from '../compare/metrics.ts';
import { ascending } from '../compare/statistics.ts';
import type { LabResult, Sample, ShareSample } from '../result.ts';
import { type Chart, type PlotData, type Series, short } from './page.ts';

/** More curves than that cannot be told apart: the smaller ones become one. */
const mostSeries = 20;
/** Points of a distribution's curve. */
const gridPoints = 300;

/** Milliseconds in the unit that suits a run of that length. */
function timeUnit(duration: number): { readonly name: string; readonly length: number } {
  if (duration > 3 * 3_600_000) return { name: 'h', length: 3_600_000 };
  return duration > 5 * 60_000 ? { name: 'min', length: 60_000 } : { name: 's', length: 1000 };
}

/** A time within a run of that length, in the unit of its plots. */
export function timeText(time: number, duration: number): string {
  const unit = timeUnit(duration);
  return short(time / unit.length, unit.name);
}

/** Digits beyond those no eye can see; they would make the page twice as large. */
const rounded = (value: number): number => Number(value.toPrecision(5));

/** What the plots of a report show. */
export function reportPlots(result: LabResult): PlotData {
  const { samples, duration, events, roles } = result;
  const unit = timeUnit(duration);
  const x = samples.map(({ time }) => time / unit.length);
  const over = (given: {
    readonly title: string;
    readonly note: string;
    readonly yLabel: string;
    readonly yMax?: number;
    readonly series: readonly Series[];
  }): Chart => ({
    id: '',
    xLabel: `time (${unit.name})`,
    xKind: 'time',
    x,
    yMax: undefined,
    ...given,
  });
  const curve = (label: string, value: (sample: Sample) => number): Series => ({
    label,
    values: samples.map((sample) => rounded(value(sample))),
  });
  const resources = resourceNames(samples.map(({ total }) => total));
  const weighted = roles.some(({ weight }) => weight !== roles[0]?.weight);
  const charts: Chart[] = [
    over({
      title: 'Dominant share of each role',
      note: 'The largest fraction of any resource of the cluster that its tasks use.',
      yLabel: 'dominant share',
      series: shareSeries(samples, 'roles', ({ dominantShare }) => dominantShare),
    }),
    ...(weighted
      ? [
          over({
            title: 'Weighted dominant share of each role',
            note: 'The dominant share divided by the weight of the role: what the allocator evens out.',
            yLabel: 'share / weight',
            series: shareSeries(samples, 'roles', ({ weightedShare }) => weightedShare),
          }),
        ]
      : []),
    over({
      title: 'Dominant share of each framework',
      note: 'The same for the frameworks, whichever roles they have.',
      yLabel: 'dominant share',
      series: shareSeries(samples, 'frameworks', ({ dominantShare }) => dominantShare),
    }),
    over({
      title: 'Fairness',
      note: "Jain's index of the weighted dominant shares (1: all roles have the same), and the gap between the largest and the smallest of roles that want more.",
      yLabel: 'index, gap',
      yMax: 1.02,
      series: [curve("Jain's index", ({ jain }) => jain), curve('dominant-share gap', ({ gap }) => gap)],
    }),
    over({
      title: 'Utilisation',
      note: 'The fraction of each resource that tasks use.',
      yLabel: 'used / total',
      yMax: 1.02,
      series: resources.map((name) => curve(name, ({ used, total }) => (used[name] ?? 0) / (total[name] || 1))),
    }),
    over({
      title: 'Fragmentation',
      note: 'The part of what is free that lies on agents too full for the mean waiting task.',
      yLabel: 'fraction of what is free',
      yMax: 1.02,
      series: resources.map((name) => curve(name, ({ fragmentation }) => fragmentation[name] ?? 0)),
    }),
    over({
      title: 'Tasks',
      note: 'Tasks of all frameworks that run, and that have arrived and do not run yet.',
      yLabel: 'tasks',
      series: [
        curve('running', (sample) => total(sample, ({ running }) => running)),
        curve('waiting', (sample) => total(sample, ({ waiting }) => waiting)),
      ],
    }),
    ...waitChart(result),
  ];
  return {
    charts: charts
      .filter(({ series, x: points }) => series.length > 0 && points.length > 0)
      .map((chart, index) => ({ ...chart, id: `chart-${index}` })),
    events: events.map(({ time, what }) => ({ time: time / unit.length, what })),
  };
}

const total = ({ frameworks }: Sample, value: (share: ShareSample) => number): number =>
  Object.values(frameworks).reduce((sum, share) => sum + value(share), 0);

function shareSeries(
  samples: readonly Sample[],
  kind: 'roles' | 'frameworks',
  value: (share: ShareSample) => number,
): readonly Series[] {
  const names = new Set(samples.flatMap((sample) => Object.keys(sample[kind])));
  const series = [...names].map((label) => ({
    label,
    values: samples.map((sample) => {
      // Who is not there yet, or no more, has no share rather than none.
      const share = Object.hasOwn(sample[kind], label) ? sample[kind][label] : undefined;
      return share === undefined ? null : rounded(value(share));
    }),
  }));
  return grouped(series);
}

/** At most 20: of more, those with the smallest sums become their mean. */
export function grouped(series: readonly Series[]): readonly Series[] {
  if (series.length <= mostSeries) return series;
  const sums = new Map(series.map((one) => [one, one.values.reduce<number>((sum, value) => sum + (value ?? 0), 0)]));
  const largest = new Set(
    [...series].sort((one, other) => (sums.get(other) ?? 0) - (sums.get(one) ?? 0)).slice(0, mostSeries - 1),
  );
  const others = series.filter((one) => !largest.has(one));
  const values = series[0]?.values.map((_, index) => {
    const there = others.map((one) => one.values[index]).filter((value) => typeof value === 'number');
    return there.length === 0 ? null : rounded(there.reduce((sum, value) => sum + value, 0) / there.length);
  });
  return [
    ...series.filter((one) => largest.has(one)),
    { label: `mean of ${others.length} others`, values: values ?? [] },
  ];
}

/** How large a part of the tasks waited at most so long; nothing without waits. */
function waitChart({ frameworks }: LabResult): readonly Chart[] {
  const waited = frameworks.filter(({ waits }) => waits.length > 0);
  const all = ascending(waited.flatMap(({ waits }) => waits));
  const longest = all.at(-1);
  if (longest === undefined) return [];
  const byCount = [...waited].sort((one, other) => other.waits.length - one.waits.length);
  const own = new Set(waited.length < mostSeries ? waited : byCount.slice(0, mostSeries - 2));
  const others = waited.filter((framework) => !own.has(framework));
  const groups = [
    ...(waited.length > 1 ? [{ label: 'all frameworks', waits: all }] : []),
    ...waited
      .filter((framework) => own.has(framework))
      .map(({ name, waits }) => ({ label: name, waits: ascending(waits) })),
    ...(others.length > 0
      ? [{ label: `${others.length} others`, waits: ascending(others.flatMap(({ waits }) => waits)) }]
      : []),
  ];
  // Long tails need a logarithm; waits of nothing then stand at a millisecond.
  const middle = all[Math.floor(all.length / 2)] ?? 0;
  const logarithmic = longest > 50 * Math.max(1, middle);
  const least = Math.max(1, all[0] ?? 1);
  const grid = Array.from({ length: gridPoints + 1 }, (_, index) => {
    const part = index / gridPoints;
    return logarithmic ? least * (longest / least) ** part : longest * part;
  });
  if (longest === 0) grid.fill(0, 1);
  // The last point may have been rounded to below the longest.
  grid[gridPoints] = longest;
  return [
    {
      id: '',
      title: 'Waiting time',
      note: 'The fraction of tasks that ran at most so long after they had arrived (cumulative distribution).',
      xLabel: `waiting time (s)${logarithmic ? ', logarithmic' : ''}`,
      yLabel: 'fraction of tasks',
      xKind: logarithmic ? 'log' : 'linear',
      yMax: 1.02,
      x: grid.map((wait) => rounded(Math.max(wait, logarithmic ? 1 : 0) / 1000)),
      series: groups.map(({ label, waits }) => ({
        label,
        values: grid.map((wait) => rounded(countUpTo(waits, wait) / waits.length)),
      })),
    },
  ];
}

/** How many of `sorted` are at most `limit`. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
