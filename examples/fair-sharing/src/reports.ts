import { couldRunMore, envies, tasksOnOwnPart, tasksWhenClaiming, worseOffThanAlone } from './fairness.ts';
import { type Locality, runLocality, setting } from './locality-run.ts';
import { assetExample, lyingExample, weightedExample, workedExample } from './paper.ts';
import { policies } from './policies.ts';
import { fillTaskByTask } from './progressive-filling.ts';
import { dominantPart, type SharingProblem, type Tasks } from './sharing-problem.ts';
import { runSharing } from './sharing-run.ts';
import { runStarvation } from './starvation-run.ts';
import { bar, percent, short, table } from './table.ts';

const resources = ['CPUs', 'GB'];

function sharesOf({ capacity, users }: SharingProblem, tasks: Tasks): readonly number[] {
  return users.map(({ demand }, user) => (tasks[user] ?? 0) * dominantPart(demand, capacity));
}

function tasksAndShares(problem: SharingProblem, results: readonly (readonly [string, Tasks])[]): string {
  const names = problem.users.map(({ name }) => name);
  return table([
    ['', ...names.map((name) => `tasks of ${name}`), ...names.map((name) => `share of ${name}`)],
    ...results.map(([title, tasks]) => [title, ...tasks.map(short), ...sharesOf(problem, tasks).map(percent)]),
  ]);
}

function bars({ capacity, users }: SharingProblem, results: readonly (readonly [string, Tasks])[]): string {
  return table(
    results.flatMap(([title, tasks]) =>
      capacity.map((total, resource) => [
        resource === 0 ? title : '',
        resources[resource] ?? '',
        bar(users.map(({ name, demand }, user) => [name, ((tasks[user] ?? 0) * (demand[resource] ?? 0)) / total])),
      ]),
    ),
  );
}

/** The worked example, its weighted form, and the policies that the paper compares on it. */
export async function reportPolicies(): Promise<string> {
  const results = Object.entries(policies).map(([name, policy]) => [name, policy(workedExample)] as const);
  const { tasks, turns } = fillTaskByTask(workedExample);
  return [
    '9 CPUs, 18 GB; a task of A needs 1 CPU, 4 GB, one of B 3 CPUs, 1 GB',
    tasksAndShares(workedExample, [
      ['the cluster', await runSharing(workedExample)],
      [`task by task: ${turns.join(' ')}`, tasks],
      ...results,
    ]),
    '',
    bars(workedExample, results),
    '',
    '90 CPUs, 180 GB; B has weight 2',
    tasksAndShares(weightedExample, [
      ['the cluster', await runSharing(weightedExample)],
      ['DRF', policies.DRF(weightedExample)],
    ]),
  ].join('\n');
}

/** What the policies promise, on the examples with which the paper refutes one or the other. */
export function reportProperties(): string {
  const { users, liar, claim } = lyingExample;
  const names = Object.keys(policies) as (keyof typeof policies)[];
  const said = (found: readonly unknown[]): string => (found.length === 0 ? 'nobody' : found.join(' '));
  const honest = (name: keyof typeof policies): number =>
    policies[name](lyingExample)[users.findIndex((user) => user.name === liar)] ?? 0;
  return [
    '30 CPUs, 30 GB; a task of 1 needs 1 CPU, 3 GB, one of 2 needs 1 CPU, 1 GB',
    table([
      ['', 'tasks of 1', 'tasks of 2', 'better off alone', 'envious', 'could run more'],
      ['half of it each', ...tasksOnOwnPart(assetExample).map(short), '', '', ''],
      ...names.map((name) => {
        const tasks = policies[name](assetExample);
        const envious = envies(assetExample, tasks).map(([one]) => one);
        const judged = [worseOffThanAlone(assetExample, tasks), envious, couldRunMore(assetExample, tasks)];
        return [name, ...tasks.map(short), ...judged.map(said)];
      }),
    ]),
    '',
    '100 CPUs, 100 GB; a task of 1 needs 16 CPUs, 1 GB, one of 2 needs 1 CPU, 2 GB',
    table([
      ['tasks of 1', 'honest', `claiming ${claim[0]} CPUs, ${claim[1]} GB`],
      ...names.map((name) => [
        name,
        short(honest(name)),
        short(tasksWhenClaiming(policies[name], lyingExample, liar, claim)),
      ]),
    ]),
  ].join('\n');
}

/** Seconds; where the delays of the first table are, and the refusals of the second. */
export const delays = [0, 2, 5, 10, 20] as const;
export const refusals = [0, 1, 5, 60] as const;
/** The refusal of the first table, and the delay of the second. */
const usual = { refuseSeconds: 1, delay: 20 } as const;

type Runs = readonly (readonly [seconds: number, result: Locality])[];

/** Two hundred jobs leave much to chance: the means over three seeds. */
export async function runDelays(): Promise<Runs> {
  const runs: (readonly [number, Locality])[] = [];
  for (const delay of delays) {
    const results: Locality[] = [];
    for (const seed of [1, 2, 3]) results.push(await runLocality({ ...usual, delay, seed }));
    const mean = (value: (result: Locality) => number): number =>
      results.reduce((sum, result) => sum + value(result), 0) / results.length;
    runs.push([
      delay,
      {
        local: mean(({ local }) => local),
        meanWait: mean(({ meanWait }) => meanWait),
        declined: mean(({ declined }) => declined),
        busy: mean(({ busy }) => busy),
      },
    ]);
  }
  return runs;
}

export async function runRefusals(): Promise<Runs> {
  const runs: (readonly [number, Locality])[] = [];
  for (const refuseSeconds of refusals) runs.push([refuseSeconds, await runLocality({ ...usual, refuseSeconds })]);
  return runs;
}

/**
 * The chance that one of the slots that get free during the delay, or the one after, is on an agent with the data: what is
 * not local falls exponentially with the slots let go by (Zaharia and others, section 3.5).
 */
export function expectedLocality(delay: number): number {
  const { agents, slots, replicas, task, jobTask, arrivals } = setting;
  const [shortest, longest] = task;
  // Section 3.2: S slots with tasks of T seconds get free at S/T per second. As many jobs end as begin.
  const ownSlots = jobTask / arrivals;
  const freed = (agents * slots - ownSlots) / ((shortest + longest) / 2) + 1 / arrivals;
  return 1 - (1 - replicas / agents) ** (delay * freed + 1);
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

/** What patience brings and costs. */
export function reportDelays(runs: Runs): string {
  return table([
    ['delay', 'local', 'expected', 'mean wait'],
    ...runs.map(([delay, { local, meanWait }]) => [
      `${delay} s`,
      percent(local),
      percent(expectedLocality(delay)),
      seconds(meanWait),
    ]),
  ]);
}

/** What filters save, and what long ones cost. */
export function reportRefusals(runs: Runs): string {
  return table([
    ['refuse_seconds', 'local', 'mean wait', 'declined per job', 'slots in use'],
    ...runs.map(([refuseSeconds, { local, meanWait, declined, busy }]) => [
      String(refuseSeconds),
      percent(local),
      seconds(meanWait),
      declined.toFixed(1),
      percent(busy),
    ]),
  ]);
}

/** One hour with, and one without a guarantee. */
export async function reportStarvation(): Promise<string> {
  const patience = 3600;
  const rows: string[][] = [['guarantee', 'the large task', 'small tasks at the end']];
  for (const quota of [false, true]) {
    const { served, small } = await runStarvation({ quota, patience });
    const outcome = served === undefined ? `still waits after ${patience} s` : `runs after ${Math.round(served)} s`;
    rows.push([quota ? 'an agent' : 'none', outcome, String(small)]);
  }
  return table(rows);
}
