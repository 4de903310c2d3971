import { readFileSync } from 'node:fs';
import { type Entry, isEnd, isShort, Lines } from './journal.ts';

interface Task {
  readonly launchedAt: number;
  state: string;
  why: string;
}

interface Launch {
  readonly pid: number;
  /** What tells it from a later process with the same pid; undefined if it had ended when it was looked at. */
  readonly startTime: string | undefined;
}

/** What the framework was told beside what really ran: each task writes its id and pid once when it starts. */
export class Ledger {
  readonly #journal: Lines;
  readonly #launches: Lines;
  readonly #tasks = new Map<string, Task>();
  readonly #ran = new Map<string, Launch[]>();
  readonly entries: Entry[] = [];

  constructor(journal: string, launches: string) {
    this.#journal = new Lines(journal);
    this.#launches = new Lines(launches);
  }

  /** Reads what is new. */
  look(): this {
    for (const line of this.#journal.next()) {
      const entry = JSON.parse(line) as Entry;
      this.entries.push(entry);
      if (entry.kind === 'launch') this.#tasks.set(entry.id, { launchedAt: entry.at, state: '', why: '' });
      if (entry.kind !== 'update') continue;
      const task = this.#tasks.get(entry.id);
      if (task === undefined) continue;
      [task.state, task.why] = [entry.state, entry.why];
    }
    for (const line of this.#launches.next()) {
      const [id = '', pid = ''] = line.split(' ');
      const launch = { pid: Number(pid), startTime: startTimeOf(Number(pid)) };
      this.#ran.set(id, [...(this.#ran.get(id) ?? []), launch]);
    }
    return this;
  }

  get launched(): number {
    return this.#tasks.size;
  }

  /** The tasks that are to run for ever and were not told to have ended. */
  get lasting(): string[] {
    return [...this.#tasks].filter(([id, { state }]) => !isShort(id) && !isEnd(state)).map(([id]) => id);
  }

  /** Of these, what is known to run, by its word and by its process. */
  get running(): string[] {
    return this.lasting.filter((id) => this.#tasks.get(id)?.state === 'TASK_RUNNING' && this.#isAlive(id));
  }

  /** First thing of a kind that the framework did or was told after a moment. */
  first(kind: Entry['kind'], after: number): Entry | undefined {
    return this.entries.find((entry) => entry.kind === kind && entry.at > after);
  }

  // ---- what must not be

  /** Task ids that were started more than once. */
  twice(): string[] {
    return [...this.#ran]
      .filter(([, launches]) => launches.length > 1)
      .map(([id, { length }]) => `${id} ${length} times`);
  }

  /** Tasks that the framework was told, or that can be seen, to have ended although nobody asked for it. */
  lost(): string[] {
    const found: string[] = [];
    for (const [id, { state, why }] of this.#tasks) {
      const ran = this.#ran.has(id);
      // Of a short one that never began it is enough to be told so: it may be launched again under another id.
      if (isEnd(state) && (ran ? state !== 'TASK_FINISHED' || !isShort(id) : !isShort(id)))
        found.push(`${id} ${state} ${why}`);
      else if (!isEnd(state) && !isShort(id) && ran && !this.#isAlive(id))
        found.push(`${id} has ended, and is ${state}`);
    }
    return found;
  }

  /** Short tasks launched before a moment of which the framework still waits to hear the end. */
  forgotten(before: number): string[] {
    return [...this.#tasks]
      .filter(([id, { state, launchedAt }]) => isShort(id) && launchedAt < before && !isEnd(state))
      .map(([id, { state }]) => `${id} ${state || 'nothing heard'}${this.#ran.has(id) ? '' : ', never started'}`);
  }

  /** Short tasks that were told not to have run. */
  get notRun(): number {
    return [...this.#tasks].filter(([id, { state }]) => isShort(id) && isEnd(state) && !this.#ran.has(id)).length;
  }

  /** Who still runs, by pid. */
  left(): number[] {
    return [...this.#ran.values()]
      .flat()
      .filter(isRunning)
      .map(({ pid }) => pid);
  }

  /** Ends them, with the run. */
  endAll(): void {
    for (const pid of this.left()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended just now.
      }
    }
  }

  #isAlive(id: string): boolean {
    return this.#ran.get(id)?.some(isRunning) ?? false;
  }
}

function isRunning({ pid, startTime }: Launch): boolean {
  return startTime !== undefined && startTimeOf(pid) === startTime;
}

/** In ticks since the machine's start, as /proc tells it; undefined for what is no process, or one that has ended. */
function startTimeOf(pid: number): string | undefined {
  try {
    // The fields follow the command's name, which is in parentheses: state is the first, start time the 20th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
