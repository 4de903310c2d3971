import type { Submitted } from './conversion.ts';

/** Sorted tasks that are out of the way, as lines. */
export interface SortedRun {
  lines(): AsyncIterable<string>;
}

/** Where sorted tasks are put that do not fit in memory. */
export interface Spill {
  write(lines: Iterable<string>): Promise<SortedRun>;
}

const before = (one: Submitted, other: Submitted): number =>
  one.task.arrival - other.task.arrival || one.sequence - other.sequence;

/**
 * The tasks in the order in which they arrive, those of the same time as they were submitted. Sorts `length` tasks at a time
 * (200,000 unless given, about 100 MB), spills what it has sorted and merges it at the end; without a spill everything stays
 * in memory.
 */
export async function* inArrivalOrder(
  tasks: AsyncIterable<Submitted>,
  spill: Spill | undefined,
  length = 200_000,
): AsyncGenerator<Submitted> {
  const runs: SortedRun[] = [];
  let pending: Submitted[] = [];
  for await (const task of tasks) {
    pending.push(task);
    if (spill === undefined || pending.length < length) continue;
    runs.push(await spill.write(encoded(pending.sort(before))));
    pending = [];
  }
  pending.sort(before);
  if (runs.length === 0) yield* pending;
  else yield* merged([...runs.map(decoded), pending.values()]);
}

function* encoded(tasks: readonly Submitted[]): Generator<string> {
  for (const task of tasks) yield `${JSON.stringify(task)}\n`;
}

async function* decoded(run: SortedRun): AsyncGenerator<Submitted> {
  // Written above.
  for await (const line of run.lines()) yield JSON.parse(line) as Submitted;
}

type Source = Iterator<Submitted> | AsyncIterator<Submitted>;

/** Looks at every source for each task: runs are few, a hundred for the largest of the public traces. */
async function* merged(sources: readonly Source[]): AsyncGenerator<Submitted> {
  const heads: { readonly source: Source; task: Submitted }[] = [];
  for (const source of sources) {
    const first = await source.next();
    if (first.done !== true) heads.push({ source, task: first.value });
  }
  for (;;) {
    let least = heads[0];
    if (least === undefined) return;
    for (const head of heads) if (before(head.task, least.task) < 0) least = head;
    yield least.task;
    const next = await least.source.next();
    if (next.done === true) heads.splice(heads.indexOf(least), 1);
    else least.task = next.value;
  }
}
