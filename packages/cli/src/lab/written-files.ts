import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@mezzo/process';

/** Writes files by name into a folder, which is made if it is not there. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, content] of files) await writeFile(join(folder, name), content);
  } catch (error) {
    throw new Error(`Cannot write to folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
}
