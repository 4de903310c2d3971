// npm run bench:peers [-- --rounds N]: @mezzo/process beside other libraries, each in a process of its own.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '../measure.mjs';
import { side } from '../subprocess.mjs';

const directory = fileURLToPath(new URL('.', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'));
const cases = ['oneway', 'pingpong', 'ask', 'spawn'];
const ours = '@mezzo/process';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error(`--rounds is '${values.rounds}', expected a whole number from 1`);

const installed = spawnSync('npm', ['ci', '--prefix', directory, '--ignore-scripts', '--no-audit', '--no-fund'], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (installed.status !== 0) process.stdout.write('npm ci failed: what is not installed is left out.\n');

const sides = [
  { name: ours, run: (name) => side('local-ours.mjs', [name]) },
  ...Object.entries(dependencies).map(([name, version]) => ({
    name: `${name} ${version}`,
    run: (one) => side(`${name}.mjs`, [one], 'peers'),
  })),
];
const rates = new Map();
const failed = new Map();
for (let round = 1; round <= rounds; round++) {
  for (const name of cases) {
    for (const peer of round % 2 === 0 ? sides.toReversed() : sides) {
      if (failed.has(peer.name)) continue;
      process.stderr.write(`${peer.name} ${name}: round ${round} of ${rounds}\n`);
      const key = `${peer.name} ${name}`;
      try {
        const { value } = await peer.run(name);
        rates.set(key, [...(rates.get(key) ?? []), value]);
      } catch (error) {
        if (peer.name === ours) throw error;
        failed.set(peer.name, error.message);
      }
    }
  }
}

const header = `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), load average ${loadavg()[0].toFixed(1)}, median of ${rounds} interleaved rounds, operations per second (ours / peer)`;
process.stdout.write(`\n${header}\n\n${''.padEnd(22)}${cases.map((name) => name.padStart(24)).join('')}\n`);
for (const { name: peer } of sides) {
  const cells = cases.map((name) => {
    const rate = rates.get(`${peer} ${name}`);
    if (rate === undefined) return '-'.padStart(24);
    const ratio = (median(rates.get(`${ours} ${name}`)) / median(rate)).toFixed(1);
    return `${median(rate).toLocaleString('en-US', { maximumSignificantDigits: 3 })} (${ratio} x)`.padStart(24);
  });
  process.stdout.write(`${peer.padEnd(22)}${cells.join('')}\n`);
}
for (const [peer, why] of failed) process.stdout.write(`${peer} was left out: ${why}\n`);
