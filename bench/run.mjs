// npm run bench [-- GROUP|CASE…]: each figure of ours beside a reference measured in the same rounds, where there is one.
import { parseArgs } from 'node:util';
import { allocator } from './groups/allocator.mjs';
import { cluster } from './groups/cluster.mjs';
import { links } from './groups/links.mjs';
import { local } from './groups/local.mjs';
import { loop } from './groups/loop.mjs';
import { nats } from './groups/nats.mjs';
import { resources } from './groups/resources.mjs';
import { sorter } from './groups/sorter.mjs';
import { median } from './measure.mjs';
import { circumstances, percent, readable, table } from './report.mjs';
import { interleaved, readRounds } from './rounds.mjs';

const groups = [local, loop, links, nats, allocator, sorter, resources, cluster];
const usage = `Usage: npm run bench [-- GROUP|CASE…] [--rounds N] [--json|--markdown] [--gate]   groups: ${groups.map(({ name }) => name).join(', ')}`;

async function main() {
  const options = readArguments();
  const missed = [];
  const tables = [];
  for (const group of options.groups) {
    const results = [];
    await group.open?.();
    try {
      for (const run of group.runs) results.push(...(await measure(run, options)));
    } finally {
      await group.close?.();
    }
    const derived = (group.derive?.(results) ?? []).map(withVerdict);
    if (options.json) for (const result of derived) process.stdout.write(`${JSON.stringify(result)}\n`);
    results.push(...derived);
    missed.push(...results.filter(({ target }) => target?.met === false));
    const shown = results.filter(({ onlyGrowth }) => onlyGrowth !== true);
    if (shown.length > 0) tables.push(tableOf(shown, options.markdown));
    const growth = group.growth?.(results, options.markdown);
    if (growth) tables.push(growth);
  }
  if (!options.json) {
    if (!options.markdown) tables.push(legend);
    process.stdout.write(`\n${circumstances(options.rounds)}\n\n${tables.join('\n')}`);
  }
  process.stderr.write(verdict(missed, options.gate));
  if (options.gate && missed.length > 0) process.exitCode = 1;
}

function readArguments() {
  const flag = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({
    options: { json: flag, markdown: flag, gate: flag, rounds: { type: 'string', default: '5' } },
    allowPositionals: true,
  });
  const matches = (word) => (one) => one.name === word || one.name.startsWith(`${word}.`);
  const every = groups.flatMap(({ runs }) => runs.flatMap(({ cases }) => cases));
  for (const word of positionals)
    if (!every.some(matches(word)))
      throw new Error(`There is no group or case '${word}'\n${namesNear(word)}\n${usage}`);
  const isNamed = ({ name, onRequest }, word) => word === name || word === onRequest;
  const wanted = (one) =>
    positionals.length === 0
      ? !one.onRequest
      : positionals.some((word) => matches(word)(one) && (!one.onRequest || isNamed(one, word)));
  const chosen = groups.map((group) => ({
    ...group,
    runs: group.runs
      .map((run) => ({ ...run, cases: run.cases.filter(wanted) }))
      .filter(({ cases }) => cases.length > 0),
  }));
  return { ...values, rounds: readRounds(values.rounds), groups: chosen.filter(({ runs }) => runs.length > 0) };
}

/** What may be asked for instead: the cases of the group that was named, otherwise the groups. */
function namesNear(word) {
  const group = groups.find(({ name }) => name === word.split('.')[0]);
  if (group === undefined) return `The groups are ${groups.map(({ name }) => name).join(', ')}`;
  const sizes = new Map();
  for (const { name } of group.runs.flatMap((run) => run.cases)) {
    const [, work, size] = /^(.*?)(?:\.(\d+x\d+))?$/.exec(name);
    sizes.set(work, [...(sizes.get(work) ?? []), ...(size === undefined ? [] : [size])]);
  }
  const lines = [...sizes].map(([work, all]) =>
    all.length > 1 ? `${work}.{${all.join(',')}}` : [work, ...all].join('.'),
  );
  return `The cases of ${group.name} are these, and a beginning up to a dot means all that begin so:\n  ${lines.join('\n  ')}`;
}

/** Measures both sides, or ours alone, which may give the figures of several cases. What takes long has fewer rounds. */
async function measure(run, { rounds: wanted, json }) {
  const measured = { ours: [], reference: [] };
  const names = run.cases.map(({ name }) => name).join(', ');
  const rounds = Math.min(wanted, run.rounds ?? wanted);
  const sides = run.reference === undefined ? ['ours'] : ['ours', 'reference'];
  await interleaved(rounds, sides, async (side, round) => {
    process.stderr.write(`${names}: ${side}, round ${round} of ${rounds}\n`);
    measured[side].push(await run[side]());
  });
  const results = run.cases.map((one) => compare(one, measured));
  if (json) for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
  return results;
}

const comparisons = {
  ratio: (ours, reference) => ours / reference,
  difference: (ours, reference) => ours - reference,
};

function compare({ figure = 'value', comparison = 'ratio', ...one }, measured) {
  if (measured.reference.length === 0) return alone({ figure, ...one }, measured.ours);
  const [ours, reference] = [measured.ours, measured.reference].map((side) => side.map((result) => result[figure]));
  const compared = ours.map((value, round) => comparisons[comparison](value, reference[round]));
  const range = Math.max(...compared) - Math.min(...compared);
  const result = {
    ...one,
    ours: rounded(median(ours)),
    reference: rounded(median(reference)),
    [comparison]: rounded(comparisons[comparison](median(ours), median(reference))),
    spread: rounded(comparison === 'ratio' ? range / median(compared) : range),
  };
  if (measured.ours[0].cpu)
    result.cpu = { ours: processorTime(measured.ours), reference: processorTime(measured.reference) };
  return withVerdict(result);
}

/** Beside nothing, or beside a figure that is quoted from another run. */
function alone({ figure, ...one }, measured) {
  const ours = measured.map((result) => result[figure]);
  const result = { ...one, ours: rounded(median(ours)) };
  if (ours.length > 1) result.spread = rounded((Math.max(...ours) - Math.min(...ours)) / median(ours));
  return withVerdict(result);
}

function withVerdict({ target, ...result }) {
  return target ? { ...result, target: { ...target, met: isMet(target, result[target.of]) } } : result;
}

function isMet({ atLeast = -Infinity, atMost = Infinity }, value) {
  return value >= atLeast && value <= atMost;
}

/** Microseconds that each of two OS processes spent on one operation. */
function processorTime(results) {
  const of = (role) => rounded(median(results.map(({ cpu }) => cpu[role])));
  return { sender: of('sender'), receiver: of('receiver') };
}

function rounded(value) {
  return Number(value.toPrecision(4));
}

function tableOf(results, markdown) {
  const columns = [
    [
      'name',
      ({ name, lowerIsBetter }) => `${markdown ? `\`${name}\`` : name}${lowerIsBetter ? ' (lower is better)' : ''}`,
    ],
    ['ours', ({ ours }) => readable(ours)],
    ['reference', ({ reference }) => (reference === undefined ? '' : readable(reference))],
    ['quoted', ({ quoted }) => quoted ?? ''],
    ['unit', ({ unit }) => unit],
    ['ratio', ({ ratio }) => ratio?.toFixed(2) ?? ''],
    ['difference', ({ difference }) => (difference === undefined ? '' : readable(difference, 2))],
    ['spread', ({ difference, spread }) => readableSpread(difference, spread)],
    ['target', ({ target }) => (target ? condition(target) : '')],
    ['met', ({ target }) => (target ? (target.met ? 'yes' : 'no') : '')],
    ['cpu ours', ({ cpu }) => (cpu ? readableTimes(cpu.ours) : '')],
    ['cpu reference', ({ cpu }) => (cpu ? readableTimes(cpu.reference) : '')],
    ['reference is', ({ referenceName }) => (markdown ? '' : (referenceName ?? ''))],
  ];
  return table(columns, results, markdown);
}

function condition({ of, atLeast, atMost }) {
  return atLeast === undefined ? `${of} <= ${readable(atMost)}` : `${of} >= ${readable(atLeast)}`;
}

function readableSpread(difference, spread) {
  if (spread === undefined) return '';
  return difference === undefined ? percent(spread) : readable(spread, 2);
}

function readableTimes({ sender, receiver }) {
  return `${readable(sender, 2)} + ${readable(receiver, 2)}`;
}

const legend = `ratio: ours / reference; difference: ours - reference, in the unit.
spread: of single rounds, (largest - smallest) / median of the ratios (without a reference: of ours), or largest - smallest of the differences.
cpu: microseconds of the processor per operation, sender + receiver.
quoted: what C++ Mesos took in another run on another machine of the same kind; it was not measured now.
`;

function verdict(missed, gate) {
  if (missed.length === 0) return '\nNo target was missed.\n';
  const lines = missed.map(({ name, target, ...result }) => {
    return `  ${name}: ${condition(target)} expected, it is ${readable(result[target.of])}\n`;
  });
  const note = gate ? '' : 'This fails only with --gate, since a busy machine proves nothing.\n';
  return `\nMissed targets:\n${lines.join('')}${note}`;
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
