import { constants } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@mezzo/process';

/** Makes a folder if it is not there, and sees that it can be written to: before hours of work, whose result goes there. */
export async function prepareFolder(folder: string): Promise<void> {
  await writing(folder, async () => {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  });
}

/** Writes files by name into a folder. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  await writing(folder, async () => {
    for (const [name, content] of files) await writeFile(join(folder, name), content);
  });
}

async function writing(folder: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw new Error(`Cannot write to folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
}
