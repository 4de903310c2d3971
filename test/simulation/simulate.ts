// npm run simulate -- [--seeds A..B] [--json] [--plant NAME] | --replay SEED[:PARTS] [--plant NAME]
import { parseArgs } from 'node:util';
import { isPlant, type Plant, plantNames } from './plants.ts';
import { runSeed, type SeedOutcome } from './run-seed.ts';
import { runSeeds } from './seed-pool.ts';
import { limits } from './settings.ts';

const usage = `Usage: npm run simulate -- [--seeds A..B] [--json] [--plant NAME] [--history]
       npm run simulate -- --replay SEED[:PARTS] [--plant NAME] [--history]

Simulates ten minutes of a cluster for each seed (default 1..2000), and exits 0 if none of its laws was broken.
  --json     one JSON object a line instead of text
  --plant    with a bug: ${plantNames.join(', ')}
  --replay   one seed, or the part of it that a failure named
  --history  after a failure, every event and frame of the shortest history as well`;

function fail(text: string): never {
  console.error(`${text}\n\n${usage}`);
  process.exit(2);
}

function options(): ReturnType<typeof parse>['values'] {
  try {
    return parse().values;
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function parse() {
  return parseArgs({
    options: {
      seeds: { type: 'string', default: '1..2000' },
      json: { type: 'boolean', default: false },
      plant: { type: 'string' },
      replay: { type: 'string' },
      history: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
}

const { seeds, json, plant: planted, replay, history, help } = options();
if (help) {
  console.log(usage);
  process.exit(0);
}
if (planted !== undefined && !isPlant(planted))
  fail(`No bug is called '${planted}': expected ${plantNames.join(', ')}`);
const plant: Plant | undefined = planted;

/** What the user types to see it again. */
function command(what: string): string {
  return `npm run simulate -- --replay ${what}${plant === undefined ? '' : ` --plant ${plant}`}`;
}

function tellFailure({ seed, failure }: SeedOutcome): void {
  if (failure === undefined) return;
  console.log(`\nSeed ${seed} fails: ${failure.message}`);
  console.log(`Replay it:                 ${command(String(seed))}`);
  console.log(`Replay the shortest found: ${command(`'${failure.replay}'`)}   (${failure.shortened})\n`);
  console.log(`${failure.diagram}\n`);
  if (history) console.log(failure.history);
}

async function replayOne(text: string): Promise<number> {
  const seed = Number(text.split(':')[0]);
  if (!Number.isSafeInteger(seed)) fail(`Cannot replay '${text}': expected a seed, perhaps with a colon and parts`);
  const outcome = await runSeed({ seed, replay: text, ...(plant === undefined ? {} : { plant }) });
  if (json) console.log(JSON.stringify(outcome));
  else if (outcome.failure === undefined) console.log(`Seed ${text} holds: ${outcome.events} events`);
  else tellFailure(outcome);
  return outcome.failure === undefined ? 0 : 1;
}

async function runAll(text: string): Promise<number> {
  const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || to < from) fail(`Cannot run seeds '${text}': expected A..B, such as 1..2000`);
  const jobs = Array.from({ length: to - from + 1 }, (_, index) => ({
    seed: from + index,
    ...(plant === undefined ? {} : { plant }),
  }));
  const began = performance.now();
  const passed: SeedOutcome[] = [];
  const failed: SeedOutcome[] = [];
  const progress = (): void => {
    const seconds = (performance.now() - began) / 1000;
    const line = `${passed.length + failed.length} of ${jobs.length} seeds, ${failed.length} failed, ${seconds.toFixed(0)} s`;
    if (process.stderr.isTTY) process.stderr.write(`\r${line} `);
    else if ((passed.length + failed.length) % 100 === 0) console.error(line);
  };
  await runSeeds(jobs, {
    done: (outcome) => {
      (outcome.failure === undefined ? passed : failed).push(outcome);
      if (json) console.log(JSON.stringify(outcome));
      else tellFailure(outcome);
      progress();
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\n');
  if (!json) summarize(passed, failed);
  return failed.length === 0 ? 0 : 1;
}

function summarize(passed: readonly SeedOutcome[], failed: readonly SeedOutcome[]): void {
  const total = passed.length + failed.length;
  console.log(
    `${passed.length} of ${total} seeds hold${failed.length === 0 ? '' : `; failed: ${failed.map(({ seed }) => seed).join(', ')}`}`,
  );
  if (passed.length === 0) return;
  const cpu = passed.map((outcome) => outcome.cpu).sort((one, other) => one - other);
  const sum = cpu.reduce((all, one) => all + one, 0);
  const events = passed.map((outcome) => outcome.events);
  const most = events.reduce((one, other) => Math.max(one, other), 0);
  console.log(
    `a seed: ${(sum / cpu.length).toFixed(2)} core-seconds on average, half of them at most ${(cpu[cpu.length >> 1] ?? 0).toFixed(2)} (limit ${limits.coreSeconds}); ` +
      `${Math.round(events.reduce((all, one) => all + one, 0) / events.length)} events on average, at most ${most} (limit ${limits.events})`,
  );
  const looks = new Map<string, number>();
  for (const outcome of passed)
    for (const [law, count] of Object.entries(outcome.looks)) looks.set(law, (looks.get(law) ?? 0) + count);
  console.log(`looks: ${[...looks].map(([law, count]) => `${law} ${count}`).join(', ')}`);
}

process.exitCode = replay === undefined ? await runAll(seeds) : await replayOne(replay);
