// npm run bench:peers [-- --rounds N] [--markdown]: @mezzo/process beside other libraries, each in a process of its own.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../measure.mjs';
import { circumstances, percent, readable, table } from '../report.mjs';
import { interleaved, readRounds } from '../rounds.mjs';
import { side } from '../subprocess.mjs';
import { quoted } from './quoted.mjs';

const directory = fileURLToPath(new URL('.', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'));
const titles = { oneway: 'one-way', pingpong: 'ping-pong', ask: 'ask', spawn: 'spawn and end' };
/** How many times faster than the best of the others ours is to be. */
const targets = { oneway: 1, pingpong: 4, ask: 1 };

async function main() {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '3' }, markdown: { type: 'boolean', default: false } },
  });
  const rounds = readRounds(values.rounds);
  const installed = spawnSync('npm', ['ci', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (installed.status !== 0) process.stderr.write('npm ci failed: what is not installed is left out.\n');

  const ours = { name: '@mezzo/process', run: (work) => side('local-ours.mjs', [work]), rates: {} };
  const peers = Object.entries(dependencies).map(([name, version]) => ({
    name: `${name} ${version}`,
    run: (work) => side(`${name}.mjs`, [work], { directory: 'peers' }),
    rates: {},
  }));
  for (const work of Object.keys(titles))
    await interleaved(rounds, [ours, ...peers], async (library, round) => {
      if (library.failure) return;
      process.stderr.write(`${library.name} ${work}: round ${round} of ${rounds}\n`);
      try {
        const { value } = await library.run(work);
        (library.rates[work] ??= []).push(value);
      } catch (error) {
        if (library === ours) throw error;
        library.failure = error;
      }
    });

  const complete = peers.filter(({ failure }) => failure === undefined);
  const rows = [ours, ...complete].map((library) => row(library.name, (work) => cell(library, ours, work)));
  if (complete.length > 0) rows.push(row('target', (work) => verdict(ours, complete, work)));
  process.stdout.write(
    `\n${circumstances(rounds)}\n\n${tableOf('operations/s (ours / theirs, spread)', rows, values.markdown)}` +
      `\n${tableOf('quoted, of another machine', quoted, values.markdown)}`,
  );
  for (const { name, failure } of peers)
    if (failure) process.stderr.write(`${name} was left out: ${failure.message}\n`);
}

/** The median, how many times that of ours is, and (largest - smallest) / median. */
function cell(library, ours, work) {
  const rates = library.rates[work];
  const spread = percent((Math.max(...rates) - Math.min(...rates)) / median(rates));
  const beside = library === ours ? spread : `${(median(ours.rates[work]) / median(rates)).toFixed(1)} x, ${spread}`;
  return `${readable(median(rates), 3)} (${beside})`;
}

function verdict(ours, peers, work) {
  if (targets[work] === undefined) return '';
  const ratio = median(ours.rates[work]) / Math.max(...peers.map(({ rates }) => median(rates[work])));
  return `>= ${targets[work]} x the best: ${ratio >= targets[work] ? 'yes' : 'no'}`;
}

function row(name, show) {
  return { name, ...Object.fromEntries(Object.keys(titles).map((work) => [work, show(work)])) };
}

function tableOf(title, rows, markdown) {
  const columns = Object.entries({ name: title, ...titles }).map(([key, heading]) => [heading, (one) => one[key]]);
  return table(columns, rows, markdown);
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
