import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** What the framework did and was told, in the order in which it was; times in milliseconds since the epoch. */
export type Entry =
  | { readonly at: number; readonly kind: 'subscribed'; readonly frameworkId: string; readonly master: string }
  | { readonly at: number; readonly kind: 'disconnected' }
  | { readonly at: number; readonly kind: 'offers' }
  | { readonly at: number; readonly kind: 'launch'; readonly id: string; readonly agent: string }
  | { readonly at: number; readonly kind: 'update'; readonly id: string; readonly state: string; readonly why: string }
  | { readonly at: number; readonly kind: 'error'; readonly message: string };

/** Tasks that are to run for ever, and tasks that end after a moment so that launches are always under way. */
export function isShort(id: string): boolean {
  return id.startsWith('s');
}

/** States that a task does not leave. UNKNOWN is one for a task that was never sent: nobody has heard of it. */
export function isEnd(state: string): boolean {
  return !['TASK_STAGING', 'TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING', 'TASK_UNREACHABLE', ''].includes(state);
}

/** What was written, of a file that may end in the middle of a line. */
export function readJournal(file: string): Entry[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry);
}

/** The whole lines that were added to a file since the last look. */
export class Lines {
  readonly #file: string;
  #offset = 0;
  #rest = '';

  constructor(file: string) {
    this.#file = file;
  }

  next(): string[] {
    let descriptor: number;
    try {
      descriptor = openSync(this.#file, 'r');
    } catch {
      return [];
    }
    try {
      const buffer = Buffer.alloc(1 << 16);
      for (;;) {
        const count = readSync(descriptor, buffer, 0, buffer.length, this.#offset);
        if (count === 0) break;
        this.#offset += count;
        this.#rest += buffer.toString('latin1', 0, count);
      }
    } finally {
      closeSync(descriptor);
    }
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines.filter((line) => line !== '');
  }
}
