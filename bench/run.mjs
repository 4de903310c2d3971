// npm run bench [-- GROUP…] [--json] [--rounds N]: each figure of ours beside a reference measured in the same run.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { local } from './groups/local.mjs';
import { nats } from './groups/nats.mjs';
import { median } from './measure.mjs';

const groups = [local, nats];
const usage = `Usage: npm run bench [-- GROUP…] [--json] [--rounds N]   groups: ${groups.map(({ name }) => name).join(', ')}`;

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
  const chosen = positionals.map((name) => {
    const group = groups.find((one) => one.name === name);
    if (group === undefined) throw new Error(`There is no group '${name}'\n${usage}`);
    return group;
  });
  return { json: values.json, rounds, groups: chosen.length > 0 ? chosen : groups };
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
  const ratios = ours.map((value, index) => value / reference[index]);
  return {
    name: one.name,
    ours: rounded(median(ours)),
    unit: one.unit,
    reference: rounded(median(reference)),
    referenceName: one.referenceName,
    ratio: rounded(median(ours) / median(reference)),
    spread: rounded((Math.max(...ratios) - Math.min(...ratios)) / median(ratios)),
  };
}

function rounded(value) {
  return Number(value.toPrecision(4));
}

function printTable(results, rounds) {
  const number = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 0 }).padStart(12);
  process.stdout.write(
    `\nNode ${process.version}, ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), median of ${rounds} interleaved rounds\n\n`,
  );
  process.stdout.write(
    `${'name'.padEnd(22)}${'ours'.padStart(12)}${'reference'.padStart(13)}  ${'unit'.padEnd(12)}${'ratio'.padStart(6)} ${'spread'.padStart(7)}  reference is\n`,
  );
  for (const { name, ours, reference, unit, ratio, spread, referenceName, lowerIsBetter } of results) {
    const note = lowerIsBetter ? ' (lower is better)' : '';
    process.stdout.write(
      `${name.padEnd(22)}${number(ours)} ${number(reference)}  ${unit.padEnd(12)}${ratio.toFixed(2).padStart(6)} ${`${(spread * 100).toFixed(0)} %`.padStart(7)}  ${referenceName}${note}\n`,
    );
  }
  process.stdout.write(
    '\nratio: ours / reference. spread: (largest - smallest) / median of the ratios of single rounds.\n',
  );
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
