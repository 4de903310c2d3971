import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import { pipeline as whenPiped } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

import type { Spill } from './arrival-order.ts';
import { messageOf } from '@mezzo/process';
import { type ConversionOptions, type Converted, convertTrace, tablesOf } from './convert.ts';
import type { Table } from './conversion.ts';
import type { TraceFile } from './csv-rows.ts';

export interface FileConversionOptions extends Omit<ConversionOptions, 'tasks' | 'machines' | 'spill'> {
  /** Files (`.csv` or `.csv.gz`) or folders of them, read in the order of their names. */
  readonly tasks: readonly string[];
  readonly machines?: readonly string[];
  /** The folder in which `NAME.csv` and `NAME.yaml` are written; made if it is not there. */
  readonly folder: string;
}

/**
 * Converts the files of a public trace to `NAME.csv` and `NAME.yaml`. What does not fit in memory lies in the folder meanwhile; a
 * conversion that fails leaves nothing behind. Rejects as convertTrace does, and with Error for what cannot be read or written.
 */
export async function convertTraceFiles(
  options: FileConversionOptions,
): Promise<Converted & { readonly files: readonly string[] }> {
  const { folder, tasks, machines, ...others } = options;
  const tables = tablesOf(options.format);
  const name = options.name ?? options.format;
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, '.converting-'));
  try {
    const partial = join(scratch, 'trace');
    await using output = new Output(await open(partial, 'w'));
    const converted = await convertTrace(
      {
        ...others,
        name,
        tasks: filesOf(tasks, tables.tasks),
        ...(machines === undefined || machines.length === 0 ? {} : { machines: filesOf(machines, tables.machines) }),
        spill: folderSpill(scratch),
      },
      (text) => output.write(text),
    );
    await output.flush();
    const files = [join(folder, `${name}.csv`), join(folder, `${name}.yaml`)] as const;
    await rename(partial, files[0]);
    await writeFile(files[1], converted.scenario);
    return { ...converted, files };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Characters that are written at a time. */
const portion = 256 * 1024;

class Output implements AsyncDisposable {
  readonly #file: FileHandle;
  #pending = '';

  constructor(file: FileHandle) {
    this.#file = file;
  }

  write(text: string): void | Promise<void> {
    this.#pending += text;
    if (this.#pending.length >= portion) return this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    await this.#file.appendFile(text);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

/** The files of the paths, unpacked as they are read. */
async function* filesOf(paths: readonly string[], { name: table }: Table): AsyncGenerator<TraceFile> {
  const expected = `expected the table ${table}, as a file (.csv, .csv.gz) or a folder of such files`;
  for (const path of paths) {
    const found = await stat(path).catch((error: unknown) => {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      const why = isMissing ? 'there is no such file or folder' : messageOf(error);
      throw new Error(`Cannot read ${path}: ${why}; ${expected}`, { cause: error });
    });
    const folder = found.isDirectory();
    const names = folder ? (await readdir(path)).filter((name) => /\.csv(\.gz)?$/.test(name)).sort() : [''];
    if (names.length === 0) throw new Error(`${path} has no files called *.csv or *.csv.gz; ${expected}`);
    for (const name of names) yield traceFile(folder ? join(path, name) : path);
  }
}

/** A file to read a trace from; one whose name ends in `.gz` is unpacked on the way. */
export function traceFile(path: string): TraceFile {
  if (/\.(tar|tgz|tar\.gz|zip)$/.test(path)) throw new Error(`${path} is an archive; unpack it first (tar -xf)`);
  const source = createReadStream(path);
  // An error of either reaches whoever reads the last.
  const chunks = path.endsWith('.gz') ? pipeline(source, createGunzip(), () => {}) : source;
  return { name: path, chunks };
}

function folderSpill(folder: string): Spill {
  let runs = 0;
  return {
    async write(lines) {
      const path = join(folder, `run-${runs++}`);
      await whenPiped(lines, createWriteStream(path));
      return { lines: () => linesOf(path) };
    },
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  yield* createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
}
