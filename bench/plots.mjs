// node bench/plots.mjs RESULTS… draws docs/scale.svg from what `npm run bench -- cluster --json` printed, one or more files.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readable } from './report.mjs';

const { values, positionals } = parseArgs({
  options: { out: { type: 'string', default: 'docs/scale.svg' } },
  allowPositionals: true,
});
if (positionals.length === 0) throw new Error('Name files with the output of: npm run bench -- cluster --json');

/** By name; of a case that was measured again the last. */
const results = new Map(
  positionals
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .map((result) => [result.name, result.ours]),
);

const panel = { width: 420, height: 250, left: 64, right: 16, top: 40, bottom: 44 };
const columns = 2;
const colours = ['#0b6bcb', '#c2410c', '#15803d', '#7e22ce'];

/** Agents, and what was measured with so many. */
function pointsOf(part) {
  return [1000, 10_000, 25_000, 50_000]
    .map((agents) => [agents, results.get(`cluster.launch.${agents}x200${part}`)])
    .filter(([, value]) => value !== undefined);
}

const escaped = (text) =>
  text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]);
const write = (x, y, content, more = '') => `<text x="${x}" y="${y}" ${more}>${escaped(content)}</text>`;

/** About four round steps from 0 to beyond the largest. */
function ticksUpTo(largest) {
  const rough = largest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  return Array.from({ length: Math.ceil(largest / step) + 1 }, (_, index) => index * step);
}

/** Lines over the number of agents, which is drawn as a logarithm. */
function curves(title, unit, given) {
  const series = given
    .map(({ label, part, factor = 1 }) => ({
      label,
      points: pointsOf(part).map(([agents, value]) => [agents, value * factor]),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return undefined;
  const ticks = ticksUpTo(Math.max(...series.flatMap(({ points }) => points.map(([, value]) => value))));
  const [low, high] = [Math.log10(700), Math.log10(70_000)];
  const x = (agents) =>
    panel.left + ((Math.log10(agents) - low) / (high - low)) * (panel.width - panel.left - panel.right);
  const y = (value) => panel.height - panel.bottom - (value / ticks.at(-1)) * (panel.height - panel.top - panel.bottom);
  return [
    write(panel.left, 20, title, 'font-weight="600"'),
    ...ticks.flatMap((tick) => [
      `<line x1="${panel.left}" x2="${panel.width - panel.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/>`,
      write(panel.left - 6, y(tick) + 4, readable(tick), 'text-anchor="end"'),
    ]),
    write(12, 34, unit, 'fill="#555"'),
    ...[1000, 10_000, 50_000].map((agents) =>
      write(x(agents), panel.height - panel.bottom + 16, readable(agents), 'text-anchor="middle"'),
    ),
    write((panel.left + panel.width) / 2, panel.height - 10, 'agents', 'text-anchor="middle" fill="#555"'),
    ...series.flatMap(({ label, points }, index) => {
      const colour = colours[index];
      const path = points.map(([agents, value]) => `${x(agents)},${y(value)}`).join(' ');
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map(([agents, value]) => `<circle cx="${x(agents)}" cy="${y(value)}" r="3.5" fill="${colour}"/>`),
        write(panel.width - panel.right, 20 + 14 * index, label, `text-anchor="end" fill="${colour}"`),
      ];
    }),
  ];
}

const steps = [
  ['started', 'next master runs'],
  ['leads', 'it leads'],
  ['reregistered', 'all agents are back'],
  ['subscribed', 'all frameworks are back'],
  ['offered', 'each has offers'],
  ['reconciled', 'each has heard of all its tasks'],
];

/** Bars from the kill to each step. */
function failovers(size) {
  const known = steps
    .map(([step, label]) => [label, results.get(`cluster.failover.${size}.${step}`)])
    .filter(([, value]) => value !== undefined);
  if (known.length === 0) return undefined;
  const [agents, tasks] = size.split('x').map(Number);
  const largest = Math.max(10_000, ...known.map(([, value]) => value));
  const left = 190;
  const x = (value) => left + (value / largest) * (panel.width - left - 60);
  const height = (panel.height - panel.top - panel.bottom) / steps.length;
  return [
    write(12, 20, `Failover: ${readable(agents)} agents, ${readable(tasks)} tasks`, 'font-weight="600"'),
    ...known.flatMap(([label, value], index) => {
      const top = panel.top + index * height;
      return [
        write(left - 6, top + height / 2 + 4, label, 'text-anchor="end"'),
        `<rect x="${left}" y="${top + 4}" width="${x(value) - left}" height="${height - 8}" fill="${colours[0]}"/>`,
        write(x(value) + 5, top + height / 2 + 4, `${readable(value / 1000, 3)} s`),
      ];
    }),
    `<line x1="${x(10_000)}" x2="${x(10_000)}" y1="${panel.top}" y2="${panel.height - panel.bottom}" stroke="${colours[1]}" stroke-dasharray="4 3"/>`,
    write(x(10_000), panel.height - panel.bottom + 16, 'limit 10 s', `text-anchor="middle" fill="${colours[1]}"`),
  ];
}

const panels = [
  curves('From offer to TASK_RUNNING', 'ms', [
    { label: '99th percentile', part: '.p99' },
    { label: 'median', part: '' },
  ]),
  curves('Processor, per agent', 'us/s', [
    { label: 'with tasks of 30 s', part: '.agent.busy' },
    { label: 'without tasks', part: '.agent.cpu' },
  ]),
  curves('Memory, per agent', 'KB', [{ label: 'heap', part: '.agent.memory', factor: 1 / 1000 }]),
  curves('Processor, per task', 'us', [{ label: 'whole life', part: '.cpu' }]),
  failovers('1000x10000'),
  failovers('10000x100000'),
].filter((one) => one !== undefined);

const rows = Math.ceil(panels.length / columns);
const [width, height] = [columns * panel.width, rows * panel.height];
const drawn = panels.map((content, index) => {
  const [x, y] = [(index % columns) * panel.width, Math.floor(index / columns) * panel.height];
  return `<g transform="translate(${x} ${y})">\n${content.join('\n')}\n</g>`;
});
writeFileSync(
  values.out,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">
<rect width="${width}" height="${height}" fill="#fff"/>
${drawn.join('\n')}
</svg>
`,
);
