/**
 * Kills the parts of a real cluster in turn and tells how long it took until it served again: `npm run chaos`, after
 * `npm run build`. Exits with 1 if a task was lost or started twice, or something did not come back.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { ChaosCluster, demo, production, type Settings } from './chaos-cluster.ts';
import { carryOut, faults, type Outcome } from './faults.ts';

const { values } = parseArgs({
  options: {
    settings: { type: 'string', default: 'demo,production' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    tasks: { type: 'string', default: '200' },
    'short-tasks': { type: 'string', default: '5' },
    agents: { type: 'string', default: '5' },
    pause: { type: 'string', default: '60' },
    'one-machine': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(`npm run chaos -- [options]
  --settings demo,production   of the nodes: 1 s until a leader is missed, or the defaults of the command
  --only TEXTS                 faults whose names begin with one of them, separated by commas: ${faults.map(({ name }) => name).join(', ')}
  --rounds N                   each fault so often; default 1
  --tasks N --agents N         default 200 and 5
  --short-tasks N              of 2 s each, besides, so that launches are always under way; default 5
  --pause SECONDS              how long a stopped leader is stopped; cut off machines half as long; default 60
  --one-machine                no network namespaces
  --keep                       the folder with all logs stays
  --json                       one JSON object a line
`);
  process.exit(0);
}

interface Row extends Outcome {
  readonly settings: string;
  readonly target?: number;
  readonly load: number;
}

/** Milliseconds in which offers are to come from a new leader. */
function targetOf(settings: Settings, fault: string): number | undefined {
  if (fault === 'leader killed') return settings.name === 'demo' ? 2000 : 10_000;
  return fault === 'leader and its NATS server killed' && settings.name === 'production' ? 12_000 : undefined;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const seconds = (time: number | undefined): string => (time === undefined ? '' : (time / 1000).toFixed(2));
let cluster: ChaosCluster | undefined;
let failed = false;

async function end(code: number): Promise<never> {
  await cluster?.stop();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));

async function run(settings: Settings): Promise<void> {
  const count = (text: string): number => Math.max(0, Number(text));
  cluster = new ChaosCluster({
    settings,
    tasks: count(values.tasks),
    shortTasks: count(values['short-tasks']),
    agents: count(values.agents),
    separate: !values['one-machine'],
  });
  const rows: Row[] = [];
  const { whyNotSeparate } = cluster.machines;
  try {
    if (whyNotSeparate !== undefined) say(`no network namespaces: ${whyNotSeparate}`);
    const started = Date.now();
    await cluster.start();
    say(`${settings.name}: all run after ${seconds(Date.now() - started)} s, in ${cluster.folder}`);
    for (const fault of faults) {
      if (values.only !== undefined && !values.only.split(',').some((text) => fault.name.startsWith(text))) continue;
      if (fault.cuts && whyNotSeparate !== undefined) continue;
      for (let round = 0; round < count(values.rounds); round++) {
        const outcome = await carryOut(fault, cluster, count(values.pause) * 1000);
        const target = targetOf(settings, fault.name);
        const row = { settings: settings.name, ...outcome, ...(target && { target }), load: loadavg()[0] ?? 0 };
        rows.push(row);
        if (values.json) process.stdout.write(`${JSON.stringify(row)}\n`);
        else say(`${fault.name}: ${progressOf(row)}`);
      }
    }
  } catch (error) {
    failed = true;
    say(error instanceof Error ? error.message : String(error));
  } finally {
    const { ledger } = cluster;
    const { length: twice } = ledger.look().twice();
    const [lost, notRun] = [ledger.lost().length, ledger.notRun];
    const sum = { settings: settings.name, launched: ledger.launched, startedTwice: twice, lost, toldNotRun: notRun };
    await cluster.stop();
    if (twice > 0 || lost > 0) failed = true;
    if (values.json) process.stdout.write(`${JSON.stringify(sum)}\n`);
    else process.stdout.write(`${tableOf(rows)}\n${JSON.stringify(sum)}\n\n`);
    if (values.keep || failed) say(`logs: ${cluster.folder}`);
    else cluster.forget();
  }
}

function progressOf({ offers, settled, remark }: Row): string {
  const parts = [
    offers === undefined ? '' : `offers after ${seconds(offers)} s`,
    `settled after ${seconds(settled)} s`,
    remark,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function tableOf(rows: readonly Row[]): string {
  const head = ['settings', 'fault', 'announced s', 'offers s', 'target s', 'met', 'settled s', 'load', 'remark'];
  const cells = rows.map(({ settings, fault, announced, offers, target, settled, load, remark }) => [
    ...[settings, fault, seconds(announced), seconds(offers), seconds(target)],
    target === undefined || offers === undefined ? '' : offers <= target ? 'yes' : 'NO',
    ...[seconds(settled), load.toFixed(1), remark],
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

for (const name of values.settings.split(',')) {
  const settings = [demo, production].find((each) => each.name === name);
  if (settings === undefined) {
    say(`'${name}' is no setting: expected demo or production`);
    await end(2);
  } else await run(settings);
}
await end(failed ? 1 : 0);
