import type { Random } from '../platform/platform.ts';

/**
 * Milliseconds after which the operating system has written by itself what nobody synced: vm.dirty_expire_centisecs of
 * Linux, 30 s, and the 5 s at which it looks (vm.dirty_writeback_centisecs).
 */
const writeBack = 35_000;
/** How often all that was not synced is lost: file systems that allocate late have not begun to write it. */
const wholeTail = 0.5;
/** How often a tail that was lost with the power shows as zeros: its length was written and its content was not. */
const zeroedTail = 0.25;

interface StoredFile {
  /** May be longer than the content, so that appending does not copy it each time. */
  data: Uint8Array;
  size: number;
  modified: number;
  /** Bytes that a loss of power leaves. */
  synced: number;
  /** Sizes after writes that were not synced, oldest first. */
  readonly unsynced: { readonly at: number; readonly size: number }[];
}

/**
 * What is on a machine's disk, as programs see it, and what of it survives a loss of power: everything that was replaced
 * with a sync, and of the rest what is older than the operating system's write-back, with a torn end.
 */
export class SimulatedDisk {
  /** When set, every write but a removal fails with this code (`EIO`, `EACCES`, …). */
  failWrites: string | undefined;
  /** Bytes that fit; a write beyond fails with ENOSPC, an append after writing what fits. Default: no limit. */
  capacity = Number.POSITIVE_INFINITY;
  /** Milliseconds that an operation takes, drawn per operation between the two. Default 0 to 0. */
  latency: readonly [number, number] = [0, 0];
  readonly #random: Random;
  readonly #files = new Map<string, StoredFile>();
  readonly #folders = new Set<string>(['/']);
  /** Removed files whose removal a loss of power may undo. */
  readonly #removed = new Map<string, { readonly at: number; readonly file: StoredFile }>();
  #used = 0;

  /** @param random decides what is lost and torn. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** Bytes of all files. */
  get used(): number {
    return this.#used;
  }

  /** The content now, or undefined without such a file. */
  read(path: string): Uint8Array | undefined {
    const file = this.#files.get(path);
    return file?.data.subarray(0, file.size);
  }

  stat(path: string): { readonly size: number; readonly directory: boolean; readonly modified: number } | undefined {
    if (this.#folders.has(path)) return { size: 0, directory: true, modified: 0 };
    const file = this.#files.get(path);
    return file && { size: file.size, directory: false, modified: file.modified };
  }

  list(path: string): readonly string[] | undefined {
    if (!this.#folders.has(path)) return undefined;
    const inside = `${path === '/' ? '' : path}/`;
    const names = new Set<string>();
    for (const other of [...this.#files.keys(), ...this.#folders]) {
      if (other.startsWith(inside) && other !== inside) names.add(other.slice(inside.length).split('/', 1)[0] ?? '');
    }
    return [...names].filter((name) => name !== '').sort();
  }

  /** @param synced whether it survives a loss of power. Throws what a full or failing disk throws. */
  replace(path: string, data: Uint8Array, now: number, synced: boolean): void {
    this.#refuse(path);
    const old = this.#files.get(path)?.size ?? 0;
    if (this.#used - old + data.length > this.capacity) throw full(path);
    this.#makeFolders(parent(path));
    this.#used += data.length - old;
    this.#removed.delete(path);
    const { length } = data;
    const unsynced = synced ? [] : [{ at: now, size: length }];
    this.#files.set(path, { data, size: length, modified: now, synced: synced ? length : 0, unsynced });
  }

  /** Survives a loss of power. Throws EEXIST if the path is there, and what a full or failing disk throws. */
  create(path: string, data: Uint8Array, now: number): void {
    this.#refuse(path);
    if (this.stat(path) !== undefined) throw failure('EEXIST', 'file already exists', path);
    this.replace(path, data, now, true);
  }

  append(path: string, data: Uint8Array, now: number): void {
    this.#refuse(path);
    const fits = data.subarray(0, Math.max(0, this.capacity - this.#used));
    this.#makeFolders(parent(path));
    let file = this.#files.get(path);
    if (file === undefined) {
      file = { data: new Uint8Array(64), size: 0, modified: now, synced: 0, unsynced: [] };
      this.#files.set(path, file);
      this.#removed.delete(path);
    }
    const size = file.size + fits.length;
    if (size > file.data.length) {
      const larger = new Uint8Array(Math.max(size, file.data.length * 2));
      larger.set(file.data.subarray(0, file.size));
      file.data = larger;
    }
    file.data.set(fits, file.size);
    file.size = size;
    file.modified = now;
    this.#used += fits.length;
    writeBackOf(file, now);
    file.unsynced.push({ at: now, size });
    if (fits.length < data.length) throw full(path);
  }

  createFolder(path: string): void {
    this.#refuse(path);
    this.#makeFolders(path);
  }

  remove(path: string, now: number): void {
    for (const [old, { at }] of this.#removed) {
      if (now - at < writeBack) break;
      this.#removed.delete(old);
    }
    const gone = (other: string): boolean => other === path || other.startsWith(`${path}/`);
    for (const [other, file] of this.#files) {
      if (!gone(other)) continue;
      this.#files.delete(other);
      this.#used -= file.size;
      this.#removed.delete(other);
      this.#removed.set(other, { at: now, file });
    }
    for (const other of this.#folders) if (gone(other) && other !== '/') this.#folders.delete(other);
  }

  /** What was not synced is lost or torn, as chance has it. */
  losePower(now: number): void {
    for (const [path, { at, file }] of this.#removed) {
      if (now - at >= writeBack || this.#random.next() < 0.5) continue;
      this.#files.set(path, file);
      this.#used += file.size;
      this.#makeFolders(parent(path));
    }
    this.#removed.clear();
    for (const [path, file] of this.#files) {
      writeBackOf(file, now);
      if (file.unsynced.length === 0) continue;
      const tail = this.#random.next() < wholeTail ? 0 : this.#random.next();
      const kept = file.synced + Math.floor(tail * (file.size - file.synced + 1));
      this.#used -= file.size;
      if (this.#random.next() < zeroedTail) file.data.fill(0, kept, file.size);
      else file.size = kept;
      this.#used += file.size;
      if (file.size === 0 && file.synced === 0) this.#files.delete(path);
      file.synced = file.size;
      file.unsynced.length = 0;
    }
  }

  #makeFolders(path: string): void {
    const clean = path.replace(/\/+(?=\/|$)/g, '');
    // From the innermost one up to one that is there: most of them are.
    for (let end = clean.length; end > 0; end = clean.lastIndexOf('/', end - 1)) {
      const folder = clean.slice(0, end);
      if (this.#folders.has(folder)) break;
      this.#folders.add(folder);
    }
  }

  #refuse(path: string): void {
    if (this.failWrites !== undefined) throw failure(this.failWrites, 'write refused by the simulation', path);
  }
}

/** Whatever is old enough counts as synced. */
function writeBackOf(file: StoredFile, now: number): void {
  let written = 0;
  for (const { at, size } of file.unsynced) {
    if (now - at < writeBack) break;
    file.synced = size;
    written++;
  }
  if (written > 0) file.unsynced.splice(0, written);
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function full(path: string): Error {
  return failure('ENOSPC', 'no space left on the simulated disk', path);
}

/** An error as Node's file system gives it. */
export function failure(code: string, text: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${text}, '${path}'`), { code });
}
