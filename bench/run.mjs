// npm run bench [-- GROUP|CASE…] [--json] [--rounds N]: each figure of ours beside a reference measured in the same run.
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { links } from './groups/links.mjs';
import { local } from './groups/local.mjs';
import { loop } from './groups/loop.mjs';
import { nats } from './groups/nats.mjs';
import { median } from './measure.mjs';

const groups = [local, loop, links, nats];
const usage = `Usage: npm run bench [-- GROUP|CASE…] [--json] [--rounds N]   groups: ${groups.map(({ name }) => name).join(', ')}`;

async function main() {
  const options = readArguments();
  const results = [];
  for (const group of options.groups) {
    const open = await group.open();
    try {
      for (const one of group.cases) {
        const result = await measure(one, options.rounds);
        results.push({ ...result, lowerIsBetter: one.lowerIsBetter });
        if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
      }
    } finally {
      await open.close();
    }
  }
  if (!options.json) printTable(results, options.rounds);
}

function readArguments() {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' } },
    allowPositionals: true,
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds is '${values.rounds}', expected a whole number from 1\n${usage}`);
  const wanted = positionals.length > 0 ? positionals : groups.map(({ name }) => name);
  const chosen = groups.map((group) => ({
    ...group,
    cases: group.cases.filter(({ name }) => wanted.some((word) => name === word || name.startsWith(`${word}.`))),
  }));
  for (const word of wanted)
    if (!chosen.some(({ cases }) => cases.some(({ name }) => name === word || name.startsWith(`${word}.`))))
      throw new Error(`There is no group or case '${word}'\n${usage}`);
  return { json: values.json, rounds, groups: chosen.filter(({ cases }) => cases.length > 0) };
}

/** Rounds of both sides in turn, so that what else the machine does meets both. */
async function measure(one, rounds) {
  const ours = [];
  const reference = [];
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`${one.name}: round ${round} of ${rounds}\n`);
    const sides = [async () => ours.push(await one.ours()), async () => reference.push(await one.reference())];
    if (round % 2 === 0) sides.reverse();
    for (const run of sides) await run();
  }
  const value = (results) => results.map((result) => result.value);
  const ratios = value(ours).map((figure, index) => figure / reference[index].value);
  return {
    name: one.name,
    ours: rounded(median(value(ours))),
    unit: one.unit,
    reference: rounded(median(value(reference))),
    referenceName: one.referenceName,
    ratio: rounded(median(value(ours)) / median(value(reference))),
    spread: rounded((Math.max(...ratios) - Math.min(...ratios)) / median(ratios)),
    ...(ours[0].cpu && { cpu: { ours: processorTime(ours), reference: processorTime(reference) } }),
  };
}

/** Microseconds that each of two processes spent on one operation. */
function processorTime(results) {
  const of = (role) => rounded(median(results.map(({ cpu }) => cpu[role])));
  return { sender: of('sender'), receiver: of('receiver') };
}

function rounded(value) {
  return Number(value.toPrecision(4));
}

function printTable(results, rounds) {
  const columns = [
    ['name', ({ name }) => name],
    ['ours', ({ ours }) => readable(ours)],
    ['reference', ({ reference }) => readable(reference)],
    ['unit', ({ unit }) => unit],
    ['ratio', ({ ratio }) => ratio.toFixed(2)],
    ['spread', ({ spread }) => `${(spread * 100).toFixed(0)} %`],
    ['cpu ours', ({ cpu }) => readableTimes(cpu?.ours)],
    ['cpu ref.', ({ cpu }) => readableTimes(cpu?.reference)],
    [
      'reference is',
      ({ referenceName, lowerIsBetter }) => `${referenceName}${lowerIsBetter ? ' (lower is better)' : ''}`,
    ],
  ];
  const rows = [columns.map(([title]) => title), ...results.map((result) => columns.map(([, show]) => show(result)))];
  const widths = columns.map((_column, index) => Math.max(...rows.map((row) => row[index].length)));
  const lines = rows.map((row) => row.map((cell, index) => cell.padEnd(widths[index])).join('  '));
  process.stdout.write(
    `\nNode ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), load average ${loadavg()[0].toFixed(1)}, median of ${rounds} interleaved rounds\n\n${lines.join('\n')}\n\n` +
      'ratio: ours / reference. spread: (largest - smallest) / median of the ratios of single rounds.\n' +
      'cpu: microseconds of the processor per operation, sender + receiver.\n',
  );
}

function readable(figure) {
  return figure.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

function readableTimes(times) {
  return times === undefined ? '' : `${times.sender.toPrecision(3)} + ${times.receiver.toPrecision(3)}`;
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
