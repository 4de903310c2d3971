import { appendFile, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Future } from '../future/future.ts';
import type { Files } from './platform.ts';

/** The file system. */
export function nodeFiles(): Files {
  let temporaries = 0;
  return {
    read: (path, options = {}) => Future.from(read(path, options.offset ?? 0, options.length)),
    replace: (path, data) => Future.from(replace(path, `${path}.${process.pid}.${++temporaries}.tmp`, data)),
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
  const write = async (): Promise<void> => {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  };
  await withFolder(path, write);
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
    await mkdir(dirname(path), { recursive: true });
    await write();
  }
}
