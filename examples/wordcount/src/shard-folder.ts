import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TextFile } from './manifest.ts';
import type { Shard } from './shards.ts';

/** A shard as a task gets it. */
export interface ShardTask {
  readonly index: number;
  /** Path of the file that lists its files. */
  readonly list: string;
  readonly bytes: number;
}

const nul = Buffer.from([0]);

/** A folder with one list per shard, readable by every agent. */
export class ShardFolder implements AsyncDisposable {
  readonly path: string;
  readonly tasks: readonly ShardTask[];

  private constructor(path: string, tasks: readonly ShardTask[]) {
    this.path = path;
    this.tasks = tasks;
  }

  /** Makes a new folder below `parent` and writes the lists into it. */
  static async create(parent: string, shards: readonly Shard[]): Promise<ShardFolder> {
    await mkdir(parent, { recursive: true });
    const path = await mkdtemp(join(parent, 'wordcount-'));
    const newline = join(path, 'newline');
    await writeFile(newline, '\n');
    const tasks: ShardTask[] = [];
    for (const { index, files, bytes } of shards) {
      const list = join(path, `${index}.list`);
      await writeFile(list, listOf(files, newline));
      tasks.push({ index, list, bytes });
    }
    return new ShardFolder(path, tasks);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** NUL-separated; a file of one newline follows every file, so that no word reaches over a file's end. */
function listOf(files: readonly TextFile[], newline: string): Buffer {
  const separator = Buffer.from(`\0${newline}\0`);
  return Buffer.concat(files.flatMap(({ path }) => [path, separator]));
}

/** NUL-separated, the files alone. */
export function plainListOf(files: readonly TextFile[]): Buffer {
  return Buffer.concat(files.flatMap(({ path }) => [path, nul]));
}
