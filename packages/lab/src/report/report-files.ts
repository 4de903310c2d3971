import { metricsOf, metricText, resourceNames, unitOf } from '../compare/metrics.ts';
import type { LabResult } from '../result.ts';
import { reportPlots, timeText } from './charts.ts';
import { clusterCsv, frameworksCsv, sharesCsv, waitsCsv, waitSummary } from './csv-tables.ts';
import { html, Markup } from './markup.ts';
import { type Chart, facts, page, short, table } from './page.ts';

/** Lines of the table behind a plot; the files have all of them. */
const tableRows = 40;

/**
 * The files of a run's report, by name: `result.json` (the LabResult), `shares.csv`, `cluster.csv`, `waits.csv`, `frameworks.csv`,
 * and `report.html`, one page that needs no network. The same result gives the same bytes.
 */
export function reportFiles(result: LabResult): ReadonlyMap<string, string> {
  return new Map([
    ['report.html', reportPage(result)],
    ['result.json', `${JSON.stringify(result)}\n`],
    ['shares.csv', sharesCsv(result)],
    ['cluster.csv', clusterCsv(result)],
    ['waits.csv', waitsCsv(result)],
    ['frameworks.csv', frameworksCsv(result)],
  ]);
}

function reportPage(result: LabResult): string {
  const { scenario, allocator, sorter, seed, duration, frameworks, roles, samples, allocationRuns, events } = result;
  const plots = reportPlots(result);
  const resources = samples.reduce<Record<string, number>>((most, { total }) => {
    for (const name of resourceNames([total])) most[name] = Math.max(most[name] ?? 0, total[name] ?? 0);
    return most;
  }, {});
  const figures = Object.entries(metricsOf(result)).filter(([name]) => !/^(fragmentation|wasted|tasks)\./.test(name));
  return page({
    title: `${scenario} · ${allocator} · seed ${seed}`,
    plots,
    head: html`<h1>${scenario}</h1>
      ${facts([
        ['allocator', allocator],
        ['sorter', sorter],
        ['seed', seed],
        ['simulated time', timeText(duration, duration)],
        [
          'cluster',
          resourceNames([resources])
            .map((name) => clusterText(name, resources[name]))
            .join(', '),
        ],
        ['roles', roles.length],
        ['frameworks', frameworks.length],
        ['allocation runs', short(allocationRuns)],
      ])}
      ${measures(figures)}`,
    body: html`${plots.charts.map(chartSection)} ${waitSection(result)} ${offerSection(result)}
    ${events.length > 0 ? eventSection(result) : undefined}`,
  });
}

function clusterText(name: string, amount: number | undefined): string {
  const unit = unitOf(name);
  return `${short(amount, unit)}${unit === name ? '' : ` ${name}`}`;
}

function measures(figures: readonly (readonly [name: string, value: number])[]): Markup {
  return html`<dl class="facts measures">
    ${figures.map(([name, value]) => {
      const { title, unit } = metricText(name);
      return html`<div>
        <dt>${title}</dt>
        <dd>${unit === '%' ? short(value * 100, '%') : short(value, unit)}</dd>
      </div>`;
    })}
  </dl>`;
}

function chartSection({ id, title, note, xLabel, x, series }: Chart): Markup {
  const step = Math.max(1, Math.ceil(x.length / tableRows));
  const shown = [...x.keys()].filter((index) => index % step === 0 || index === x.length - 1);
  const caption = step > 1 ? `${title}: ${shown.length} of ${x.length} points` : title;
  return html`<section id="${id}">
    <h2>${title}</h2>
    <p class="note">${note}</p>
    <div
      class="plot"
      role="img"
      aria-label="${title}: a plot of ${series.map(({ label }) => label).join(', ')}; its numbers are in the table below"
    ></div>
    <ul class="legend" aria-label="Curves of ${title}; press one to hide or show it"></ul>
    <details>
      <summary>Numbers</summary>
      ${table(
        caption,
        [xLabel, ...series.map(({ label }) => label)],
        shown.map((index) => [short(x[index]), ...series.map(({ values }) => short(values[index] ?? undefined))]),
      )}
    </details>
  </section>`;
}

function waitSection({ frameworks }: LabResult): Markup {
  const seconds = (waits: readonly number[]): readonly string[] =>
    waitSummary(waits).map((wait) => short(wait === undefined ? undefined : wait / 1000));
  const all = frameworks.flatMap(({ waits }) => waits);
  return html`<section class="wide">
    <h2>Waiting time of each framework</h2>
    ${table(
      'Seconds from the arrival of a task to its running; percentiles are linear between neighbours',
      ['framework', 'role', 'kind', 'tasks', 'began', 'mean', 'p50', 'p90', 'p95', 'p99', 'longest'],
      [
        [
          'all',
          '',
          '',
          short(frameworks.reduce((sum, { tasks }) => sum + tasks.arrived, 0)),
          short(all.length),
          ...seconds(all),
        ],
        ...frameworks.map(({ name, role, kind, tasks, waits }) => [
          name,
          role,
          kind,
          short(tasks.arrived),
          short(waits.length),
          ...seconds(waits),
        ]),
      ],
    )}
  </section>`;
}

function offerSection({ frameworks }: LabResult): Markup {
  const resources = resourceNames(frameworks.map(({ offers }) => offers.wasted));
  const most = Math.max(1, ...frameworks.map(({ offers }) => offers.made));
  return html`<section class="wide">
    <h2>Offers</h2>
    <p class="note">
      What became of the offers made to each framework:
      ${['accepted', 'declined', 'rescinded', 'open at the end.'].map(
        (what) => html`<span class="key-of"><span class="key ${what.split(' ')[0]}"></span>${what}</span> `,
      )}
      Wasted is amount times seconds that lay in offers on which nothing was launched.
    </p>
    ${table(
      'Offers of each framework',
      [
        'framework',
        '',
        'made',
        'accepted',
        'declined',
        'rescinded',
        ...resources.map((name) => `wasted ${name} (${unitOf(name)}·s)`),
      ],
      frameworks.map(({ name, offers: { made, accepted, declined, rescinded, wasted } }) => [
        name,
        bar([accepted, declined, rescinded, Math.max(0, made - accepted - declined - rescinded)], most),
        ...[made, accepted, declined, rescinded].map((count) => short(count)),
        ...resources.map((resource) => short(wasted[resource] ?? 0)),
      ]),
    )}
  </section>`;
}

/** A bar in parts; the whole width is `most`. The table's cells beside it say the same in numbers. */
function bar(parts: readonly number[], most: number): Markup {
  return html`<div class="bar" aria-hidden="true">
    ${parts.map((part) => new Markup(`<span style="width:${((part / most) * 100).toFixed(2)}%"></span>`))}
  </div>`;
}

function eventSection({ events, duration }: LabResult): Markup {
  return html`<section class="wide">
    <h2>Events</h2>
    <p class="note">Numbered as in the plots over time.</p>
    <ol class="events">
      ${events.map(({ time, what }) => html`<li><time>${timeText(time, duration)}</time> ${what}</li>`)}
    </ol>
  </section>`;
}
