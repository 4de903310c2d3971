import { csv } from '../report/csv-tables.ts';
import { html, Markup } from '../report/markup.ts';
import { facts, page, short, table } from '../report/page.ts';
import type { Comparison, VariantResult } from './compare.ts';
import { metricText } from './metrics.ts';
import { settingText, valueText } from './settings.ts';
import type { Estimate } from './statistics.ts';

/**
 * The files of a comparison, by name: `comparison.json`, `comparison.csv` (a line for each variant and figure), `runs.csv` (a line
 * for each run) and `comparison.html`, one page that needs no network. The same comparison gives the same bytes.
 */
export function comparisonFiles(comparison: Comparison): ReadonlyMap<string, string> {
  return new Map([
    ['comparison.html', comparisonPage(comparison)],
    ['comparison.json', `${JSON.stringify(comparison, undefined, 1)}\n`],
    ['comparison.csv', comparisonCsv(comparison)],
    ['runs.csv', runsCsv(comparison)],
  ]);
}

/** For a terminal: each figure with a line for each variant. */
export function comparisonTable(comparison: Comparison): string {
  const { variants, metrics, failures } = comparison;
  const width = Math.max(...variants.map(({ name }) => name.length));
  const lines = [summaryOf(comparison), ''];
  for (const metric of metrics) {
    const { title, unit } = metricText(metric);
    lines.push(unit === '' ? title : `${title} (${unit})`);
    const cells = variants.map(({ estimates }) => estimateText(metric, estimates[metric]));
    const broad = Math.max(...cells.map(({ length }) => length));
    for (const [index, { name, differences }] of variants.entries()) {
      const difference = differences[metric];
      const compared = difference === undefined ? '' : `  ${differenceText(metric, difference)}`;
      lines.push(`  ${name.padEnd(width)}  ${(cells[index] ?? '').padEnd(broad)}${compared}`.trimEnd());
    }
    lines.push('');
  }
  for (const { variant, seed, error, command } of failures) {
    lines.push(`failed: ${variant}, seed ${seed}: ${error}`, `  repeat it: ${command}`);
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function summaryOf({ variants, seeds, confidence, failures }: Comparison): string {
  const runs = variants.length * seeds.length;
  const bad = failures.length === 0 ? '' : ` (${failures.length} failed)`;
  const compared =
    variants.length === 1
      ? ''
      : '; differences to the first variant are paired by seed, * where the interval leaves out 0';
  return `${counted(variants.length, 'variant')} x ${counted(seeds.length, 'seed')}, ${counted(runs, 'run')}${bad}; means with ${confidence * 100} % confidence intervals (Student's t)${compared}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** A fraction is shown in per cent. */
const scaleOf = (metric: string): number => (metricText(metric).unit === '%' ? 100 : 1);

function estimateText(metric: string, found: Estimate | undefined): string {
  if (found === undefined) return '–';
  const scale = scaleOf(metric);
  const margin = found.margin === undefined ? '?' : short(found.margin * scale);
  return `${short(found.mean * scale)} ± ${margin}`;
}

function differenceText(metric: string, difference: Estimate): string {
  const sign = difference.mean > 0 ? '+' : '';
  return `${sign}${estimateText(metric, difference)}${isClear(difference) ? ' *' : ''}`;
}

/** Whether the interval leaves out 0. */
const isClear = ({ mean, margin }: Estimate): boolean => margin !== undefined && Math.abs(mean) > margin;

const bounds = (found: Estimate | undefined): readonly (number | undefined)[] =>
  found === undefined
    ? [0, undefined, undefined, undefined]
    : [
        found.count,
        found.mean,
        found.margin === undefined ? undefined : found.mean - found.margin,
        found.margin === undefined ? undefined : found.mean + found.margin,
      ];

function comparisonCsv({ variants, metrics }: Comparison): string {
  const paths = sweptPaths(variants);
  return csv(
    [
      ...['variant', 'scenario', 'allocator', 'sorter', ...paths, 'metric', 'unit', 'n', 'mean', 'low', 'high'],
      ...['difference_n', 'difference', 'difference_low', 'difference_high'],
    ],
    variants.flatMap((variant) =>
      metrics.map((metric) => [
        ...identity(variant, paths),
        metric,
        metricText(metric).unit === '%' ? 'fraction' : metricText(metric).unit,
        ...bounds(variant.estimates[metric]),
        ...bounds(variant.differences[metric]),
      ]),
    ),
  );
}

function runsCsv({ variants, metrics }: Comparison): string {
  const paths = sweptPaths(variants);
  return csv(
    ['variant', 'scenario', 'allocator', 'sorter', ...paths, 'seed', ...metrics],
    variants.flatMap((variant) =>
      variant.runs.map((run) => [
        ...identity(variant, paths),
        run.seed,
        ...metrics.map((metric) => run.metrics[metric]),
      ]),
    ),
  );
}

const sweptPaths = (variants: readonly VariantResult[]): readonly string[] =>
  (variants[0]?.settings ?? []).map(({ path }) => path);

function identity(variant: VariantResult, paths: readonly string[]): readonly string[] {
  const values = paths.map((path) => variant.settings.find((setting) => setting.path === path)?.value);
  return [variant.name, variant.scenario, variant.allocator ?? '', variant.sorter ?? '', ...values.map(valueText)];
}

function comparisonPage(comparison: Comparison): string {
  const { variants, metrics, seeds, confidence, failures } = comparison;
  const scenarios = [...new Set(variants.map(({ scenario }) => scenario))];
  const title = `Comparison: ${scenarios.join(', ')}`;
  return page({
    title,
    head: html`<h1>${title}</h1>
      ${facts([
        ['variants', variants.length],
        ['seeds', seedText(seeds)],
        ['runs', variants.length * seeds.length - failures.length],
        ['failed', failures.length],
        ['intervals', `${confidence * 100} %, Student's t`],
        ['differences', 'to the first variant, paired by seed'],
      ])}`,
    body: html`${metrics.map((metric) => metricSection(comparison, metric))} ${variantSection(variants)}
    ${failures.length > 0 ? failureSection(comparison) : undefined}`,
  });
}

/** `1..20` for seeds that follow each other. */
function seedText(seeds: readonly number[]): string {
  const follow = seeds.length > 2 && seeds.every((seed, index) => seed === (seeds[0] ?? 0) + index);
  return follow ? `${seeds[0]}..${seeds.at(-1)}` : seeds.join(', ');
}

function metricSection({ variants }: Comparison, metric: string): Markup {
  const { title, unit, better } = metricText(metric);
  const means = scaleFor(variants.map(({ estimates }) => estimates[metric]));
  const differences = scaleFor(
    variants.map((variant) => variant.differences[metric]),
    true,
  );
  const compared = variants.length > 1;
  const head = ['variant', 'runs', 'mean', interval(metric, means)];
  return html`<section class="wide compared">
    <h2>${title}${unit && ` (${unit})`}</h2>
    ${
      better === undefined
        ? html`<p class="note">Neither more nor less is better by itself.</p>`
        : html`<p class="note">${better === 'more' ? 'More' : 'Less'} is better.</p>`
    }
    ${table(
      title,
      compared ? [...head, 'difference', interval(metric, differences)] : head,
      variants.map(({ name, estimates, differences: found }) => {
        const [own, difference] = [estimates[metric], found[metric]];
        const cells = [name, own?.count ?? 0, estimateText(metric, own), whisker(own, means)];
        return compared
          ? [...cells, difference && verdict(metric, difference), whisker(difference, differences)]
          : cells;
      }),
    )}
  </section>`;
}

/** A difference, in colour where it is clear and one way is better. */
function verdict(metric: string, difference: Estimate): Markup {
  const { better } = metricText(metric);
  const text = differenceText(metric, difference);
  if (better === undefined || !isClear(difference)) return html`${text}`;
  return difference.mean > 0 === (better === 'more')
    ? html`<span class="better">${text}</span>`
    : html`<span class="worse">${text}</span>`;
}

interface Scale {
  readonly low: number;
  readonly high: number;
  readonly zero: boolean;
}

/** From the lowest to the highest end of the intervals; with 0 inside if asked for. */
function scaleFor(found: readonly (Estimate | undefined)[], zero = false): Scale {
  const ends = found.flatMap((one) =>
    one === undefined ? [] : [one.mean - (one.margin ?? 0), one.mean + (one.margin ?? 0)],
  );
  if (zero) ends.push(0);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  if (ends.length === 0) return { low: 0, high: 1, zero };
  // What is all the same stands in the middle.
  return low === high ? { low: low - 1, high: high + 1, zero } : { low, high, zero };
}

const plotWidth = 240;
const inset = 6;

function place(value: number, { low, high }: Scale): string {
  return (inset + ((value - low) / (high - low)) * (plotWidth - 2 * inset)).toFixed(1);
}

/** The ends of a column of intervals. */
function interval(metric: string, scale: Scale): Markup {
  const [low, high] = [scale.low, scale.high].map((end) => short(end * scaleOf(metric)));
  return html`<span class="ends"><span>${low}</span><span>${high}</span></span>`;
}

/** An estimate as a point with its interval; the number stands beside it. */
function whisker(found: Estimate | undefined, scale: Scale): Markup | undefined {
  if (found === undefined) return undefined;
  const { mean, margin = 0 } = found;
  const zero = scale.zero
    ? new Markup(`<line class="zero" x1="${place(0, scale)}" x2="${place(0, scale)}" y1="0" y2="20"/>`)
    : undefined;
  const [from, to, middle] = [mean - margin, mean + margin, mean].map((value) => place(value, scale));
  return html`<svg class="whisker" width="${plotWidth}" height="20" aria-hidden="true">
    ${zero}
    <path d="${`M${from} 6v8M${to} 6v8M${from} 10H${to}`}" />
    <circle cx="${middle}" cy="10" r="3.5" />
  </svg>`;
}

function variantSection(variants: readonly VariantResult[]): Markup {
  return html`<section class="wide">
    <h2>Variants</h2>
    ${table(
      'What was run',
      ['variant', 'scenario', 'allocator', 'sorter', 'settings'],
      variants.map(({ name, scenario, allocator, sorter, settings }) => [
        name,
        scenario,
        allocator ?? 'as the scenario says',
        sorter ?? 'as the scenario says',
        settings.map(settingText).join(' '),
      ]),
    )}
  </section>`;
}

function failureSection({ failures }: Comparison): Markup {
  return html`<section class="wide">
    <h2>Runs that failed</h2>
    <p class="note">They are in none of the figures above; each command repeats one.</p>
    ${table(
      'Runs that failed',
      ['variant', 'seed', 'error', 'command'],
      failures.map(({ variant, seed, error, command }) => [variant, seed, error, html`<code>${command}</code>`]),
    )}
  </section>`;
}
