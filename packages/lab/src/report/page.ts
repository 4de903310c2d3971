import { html, Markup, scriptJson } from './markup.ts';
import { pageAssets } from './page-assets.ts';

export interface PageContent {
  readonly title: string;
  readonly head: Markup;
  readonly body: Markup;
  /** What plots.js draws; a page without it has no script at all. */
  readonly plots?: PlotData;
}

/** Curves over a common x. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What is shown, in a sentence or two. */
  readonly note: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Charts over `time` show events, and their cursors move together. */
  readonly xKind: 'time' | 'linear' | 'log';
  /** The top of the y axis; without it as high as the values. */
  readonly yMax: number | undefined;
  readonly x: readonly number[];
  readonly series: readonly Series[];
}

export interface Series {
  readonly label: string;
  /** As many as x has; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface PlotData {
  readonly charts: readonly Chart[];
  /** In the unit of the charts' times. */
  readonly events: readonly { readonly time: number; readonly what: string }[];
}

/** Nothing is loaded from anywhere, whatever a name in the page may contain. */
const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

/** A page that stands for itself: style, scripts and data are in it. */
export function page({ title, head, body, plots }: PageContent): string {
  const { style, script, plotStyle, plotScript } = pageAssets();
  const raw = (text: string): Markup => new Markup(text);
  const scripts =
    plots &&
    html`<script id="data" type="application/json">
        ${scriptJson(plots)}
      </script>
      <script>
        ${raw(plotScript)};
      </script>
      <script>
        ${raw(script)};
      </script>`;
  return `${
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta http-equiv="Content-Security-Policy" content="${policy}" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>${title}</title>
          <style>
            ${plots && raw(plotStyle)}${raw(style)}
          </style>
        </head>
        <body>
          <header>${head}</header>
          <main>${body}</main>
          ${scripts}
        </body>
      </html>`.text
  }\n`;
}

/** A label and its value, at the head of a page. */
export function facts(given: readonly (readonly [label: string, value: string | number])[]): Markup {
  return html`<dl class="facts">
    ${given.map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

export type Cell = string | number | Markup | undefined;

/** The first column names the row; what is not there is a dash. A wide table scrolls inside its frame. */
export function table(caption: string, head: readonly Cell[], rows: readonly (readonly Cell[])[]): Markup {
  const line = ([name, ...cells]: readonly Cell[]): Markup =>
    html`<tr>
      <th scope="row">${name}</th>
      ${cells.map((cell) => html`<td>${cell ?? '–'}</td>`)}
    </tr>`;
  return html`<div class="table" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(line)}
      </tbody>
    </table>
  </div>`;
}

/** A short number for people: four digits that count, thousands apart. */
export function short(value: number | undefined, unit = ''): string {
  if (value === undefined) return '–';
  const size = Math.abs(value);
  const digits = size >= 1000 || size === 0 ? 0 : Math.min(6, Math.max(0, 3 - Math.floor(Math.log10(size))));
  const fixed = value.toFixed(digits);
  const plain = digits === 0 ? fixed : fixed.replace(/\.?0+$/, '');
  // A narrow space that does not break, as the SI wants it.
  return plain.replace(/\B(?=(\d{3})+$)/g, size >= 10_000 ? '\u202f' : '') + (unit && `\u202f${unit}`);
}
