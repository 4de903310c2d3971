import { open, readdir, realpath } from 'node:fs/promises';

/** One file to be counted. */
export interface TextFile {
  /** Absolute. Bytes, because a file name need not be valid UTF-8. */
  readonly path: Buffer;
  /** Bytes. */
  readonly size: number;
}

export interface Manifest {
  /** In the order of their paths' bytes. */
  readonly files: readonly TextFile[];
  /** Sum of the sizes. */
  readonly bytes: number;
  readonly leftOut: {
    /** Files with a NUL byte near their beginning. */
    readonly binary: number;
    /** Files and folders that could not be read. */
    readonly unreadable: number;
  };
}

/** A NUL byte among so many first bytes means that a file is not text. */
const sniffed = 8192;
/** Files or folders read at the same time: what keeps libuv's pool of 4 threads busy. */
const atOnce = 16;
const slash = Buffer.from('/');

type Finding = TextFile | 'binary' | 'unreadable';

/**
 * Lists the text files below a folder, without following symbolic links and without what lies in an excluded folder.
 * Whatever changes in the folder afterwards does not change the list.
 *
 * @throws Error if the folder cannot be read
 */
export async function listTextFiles(
  folder: string,
  options: { readonly exclude?: readonly string[] } = {},
): Promise<Manifest> {
  const root = await realpath(folder, { encoding: 'buffer' });
  const excluded = new Set(await inParallel(options.exclude ?? [], realOrSame));
  let unreadable = 0;
  const paths: Buffer[] = [];
  // The one folder whose absence is an error.
  await readdir(root);
  let folders: Buffer[] = [root];
  while (folders.length > 0) {
    const found = await inParallel(folders, readFolder);
    folders = [];
    for (const inside of found) {
      if (inside === 'unreadable') unreadable++;
      else {
        paths.push(...inside.files);
        for (const path of inside.folders) if (!excluded.has(path.toString('latin1'))) folders.push(path);
      }
    }
  }
  const findings = await inParallel(paths, sniff);
  const files = findings.filter((finding): finding is TextFile => typeof finding === 'object');
  unreadable += findings.filter((finding) => finding === 'unreadable').length;
  files.sort((a, b) => Buffer.compare(a.path, b.path));
  return {
    files,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    leftOut: { binary: findings.filter((finding) => finding === 'binary').length, unreadable },
  };
}

interface Folder {
  readonly files: readonly Buffer[];
  readonly folders: readonly Buffer[];
}

async function readFolder(path: Buffer): Promise<Folder | 'unreadable'> {
  try {
    const files: Buffer[] = [];
    const folders: Buffer[] = [];
    for (const entry of await readdir(path, { withFileTypes: true, encoding: 'buffer' })) {
      const inside = Buffer.concat([path, ...(path.equals(slash) ? [] : [slash]), entry.name]);
      if (entry.isFile()) files.push(inside);
      else if (entry.isDirectory()) folders.push(inside);
    }
    return { files, folders };
  } catch {
    return 'unreadable';
  }
}

async function sniff(path: Buffer): Promise<Finding> {
  try {
    const handle = await open(path);
    try {
      const { size } = await handle.stat();
      const start = Buffer.alloc(Math.min(size, sniffed));
      const { bytesRead } = await handle.read(start, 0, start.length, 0);
      return start.subarray(0, bytesRead).includes(0) ? 'binary' : { path, size };
    } finally {
      await handle.close();
    }
  } catch {
    return 'unreadable';
  }
}

/** Latin 1 keeps bytes apart as text, which makes paths keys of a Set. */
async function realOrSame(path: string): Promise<string> {
  try {
    return (await realpath(path, { encoding: 'buffer' })).toString('latin1');
  } catch {
    return Buffer.from(path).toString('latin1');
  }
}

/** Keeps the order of the items. */
async function inParallel<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  const entries = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
