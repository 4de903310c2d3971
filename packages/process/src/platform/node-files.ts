import { randomUUID } from 'node:crypto';
import { appendFile, link, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Future } from '../future/future.ts';
import type { Files } from './platform.ts';

/** The file system. */
export function nodeFiles(): Files {
  return {
    read: (path, options = {}) => Future.from(read(path, options.offset ?? 0, options.length)),
    replace: (path, data) => Future.from(replace(path, temporaryFor(path), data)),
    create: (path, data) => Future.from(create(path, temporaryFor(path), data)),
    append: (path, data) => Future.from(append(path, data)),
    list: (path) => Future.from(readdir(path)),
    stat: (path) =>
      Future.from(
        stat(path).then((found) => ({ size: found.size, directory: found.isDirectory(), modified: found.mtimeMs })),
      ),
    realPath: (path) => Future.from(realpath(path)),
    createFolder: (path) => Future.from(mkdir(path, { recursive: true }).then(() => undefined)),
    remove: (path) => Future.from(rm(path, { recursive: true, force: true })),
  };
}

async function read(path: string, offset: number, length: number | undefined): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const size = length ?? Math.max((await handle.stat()).size - offset, 0);
    const buffer = new Uint8Array(size);
    const { bytesRead } = await handle.read(buffer, 0, size, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function replace(path: string, temporary: string, data: Uint8Array | string): Promise<void> {
  await withFolder(path, async () => {
    await writeSynced(temporary, data);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  });
}

async function create(path: string, temporary: string, data: Uint8Array | string): Promise<void> {
  await withFolder(path, async () => {
    try {
      await writeSynced(temporary, data);
      await link(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncFolder(dirname(path));
  });
}

/** Nobody else's, in whichever runtime, thread or machine: what is linked from it must never be written again. */
function temporaryFor(path: string): string {
  return `${path}.${randomUUID()}.tmp`;
}

async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A rename survives the loss of power only once the folder that holds the name is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function append(path: string, data: Uint8Array | string): Promise<void> {
  await withFolder(path, () => appendFile(path, data));
}

/** Folders are nearly always there, so they are made only when a write finds them missing. */
async function withFolder(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    await makeFolder(dirname(path));
    await write();
  }
}

/** What is in a folder survives the loss of power only if the folders that hold its own name and those above are on the disk. */
async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
