import { messageOf, ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { Files } from '../platform/platform.ts';
import type { FencedLog, LogContents } from './fenced-log.ts';
import { corrupt, decodeLogFile, encodeLogFile, type LogFile } from './log-file.ts';

/** Files that are read or removed at once. */
const atOnce = 16;
const fileName = /^(\d{16})\.entry$/;

/**
 * Each entry and each snapshot is a file named by its sequence. Creating the file is what fences: it happens whole or not at
 * all, and for one writer only, whichever OS process it is in.
 */
class FileLog implements FencedLog {
  readonly #files: Files;
  readonly #folder: string;
  /** What this one has seen or written last: then it need not look again before it writes. */
  #seen: number | undefined;
  #before: Promise<unknown> = Promise.resolve();

  constructor(files: Files, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  read(): Future<LogContents> {
    return this.#inTurn('read', () => this.#read());
  }

  append(expected: number, records: readonly Uint8Array[]): Future<number> {
    const file = encodeLogFile({ kind: 'entry', sequence: expected + 1, records });
    return this.#inTurn('written', () => this.#write(expected, file));
  }

  snapshot(expected: number, state: Uint8Array): Future<number> {
    const file = encodeLogFile({ kind: 'snapshot', sequence: expected + 1, records: [state] });
    return this.#inTurn('written', async () => {
      const sequence = await this.#write(expected, file);
      await this.#removeBefore(sequence);
      return sequence;
    });
  }

  close(): Future<void> {
    return this.#inTurn('closed', async () => undefined);
  }

  #inTurn<T>(what: string, work: () => Promise<T>): Future<T> {
    const outcome = this.#before.then(work).catch((cause: unknown) => {
      if (cause instanceof ProcessError) throw cause;
      const text = `The log in '${this.#folder}' could not be ${what}: ${messageOf(cause)}`;
      throw new ProcessError('LOG_UNAVAILABLE', text, { cause });
    });
    this.#before = outcome.catch(() => undefined);
    return Future.from(outcome);
  }

  async #read(): Promise<LogContents> {
    for (let looked: readonly number[] = []; ;) {
      const sequences = await this.#sequences();
      const contents = await this.#contentsOf(sequences);
      if (typeof contents !== 'number') return contents;
      // While it was read, a snapshot may have taken the place of some, or an entry come that the listing did not see.
      if (sequences.join() === looked.join()) throw corrupt(this.#path(contents), 0, 'is missing');
      looked = sequences;
    }
  }

  /** The sequence of a file that should be there and is not, if there is one. */
  async #contentsOf(sequences: readonly number[]): Promise<LogContents | number> {
    const last = sequences.at(-1) ?? 0;
    const entries: LogFile[] = [];
    for (let end = sequences.length; end > 0; end -= atOnce) {
      const some = sequences.slice(Math.max(0, end - atOnce), end).reverse();
      const found = await Promise.all(some.map((sequence) => this.#readFile(sequence)));
      for (const [index, bytes] of found.entries()) {
        const sequence = last - entries.length;
        if (bytes === undefined || some[index] !== sequence) return sequence;
        const file = decodeLogFile(this.#path(sequence), sequence, bytes);
        const [state] = file.records;
        if (file.kind === 'snapshot' && state !== undefined) {
          return { snapshot: { sequence, state }, entries: entries.reverse().map(entryOf), last };
        }
        entries.push(file);
      }
    }
    return entries.length < last
      ? last - entries.length
      : { snapshot: undefined, entries: entries.reverse().map(entryOf), last };
  }

  async #write(expected: number, file: Uint8Array): Promise<number> {
    if (expected !== this.#seen) this.#seen = await this.#newest();
    if (expected !== this.#seen || !(await this.#isThere(expected))) throw this.#fenced(expected);
    const sequence = expected + 1;
    try {
      await this.#files.create(this.#path(sequence), file);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw this.#fenced(expected);
      throw error;
    }
    // The place may have been free because a snapshot of somebody else has just removed what stood there.
    this.#seen = await this.#newest();
    if (this.#seen !== sequence) throw new Error(`it has gone on while entry ${sequence} was written`);
    return sequence;
  }

  async #newest(): Promise<number> {
    let newest = '0';
    // Of names as long as each other the greatest is that of the greatest number.
    for (const name of await this.#names()) if (name > newest && fileName.test(name)) newest = name;
    return Number.parseInt(newest, 10);
  }

  async #isThere(sequence: number): Promise<boolean> {
    if (sequence === 0) return true;
    try {
      await this.#files.stat(this.#path(sequence));
      return true;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** What cannot be removed now is removed after the next one: readers look no further back than to the newest. */
  async #removeBefore(snapshot: number): Promise<void> {
    try {
      const old = (await this.#names()).filter((name) => name.endsWith('.tmp') || sequenceOf(name) < snapshot);
      for (let at = 0; at < old.length; at += atOnce) {
        await Promise.all(old.slice(at, at + atOnce).map((name) => this.#files.remove(`${this.#folder}/${name}`)));
      }
    } catch {
      // The snapshot stands.
    }
  }

  /** Of the files that are there, oldest first. */
  async #sequences(): Promise<readonly number[]> {
    const sequences = (await this.#names()).map(sequenceOf).filter((sequence) => !Number.isNaN(sequence));
    return sequences.sort((one, other) => one - other);
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await this.#files.list(this.#folder);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async #readFile(sequence: number): Promise<Uint8Array | undefined> {
    try {
      return await this.#files.read(this.#path(sequence));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #path(sequence: number): string {
    return `${this.#folder}/${String(sequence).padStart(16, '0')}.entry`;
  }

  #fenced(expected: number): ProcessError {
    const text = `The log in '${this.#folder}' has gone on since entry ${expected}: somebody else has written`;
    return new ProcessError('LOG_FENCED', text);
  }
}

/** NaN for a file that is none of the log. */
function sequenceOf(name: string): number {
  return Number(fileName.exec(name)?.[1] ?? Number.NaN);
}

function entryOf({ sequence, records }: LogFile): { sequence: number; records: readonly Uint8Array[] } {
  return { sequence, records };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * A log in a folder of its own, which is made at the first write. What it confirmed survives a loss of power. Logs on the same
 * folder fence each other off, also from several OS processes. See docs/process/log.md for the format.
 *
 * @param files of the runtime: `runtime.files`. @param folder absolute.
 */
export function fileLog(files: Files, folder: string): FencedLog {
  return new FileLog(files, folder);
}
