import { Deferred, type Future } from '../future/future.ts';
import type { Clock, Files } from '../platform/platform.ts';

interface StoredFile {
  data: Uint8Array;
  modified: number;
}

interface Disk {
  readonly files: Map<string, StoredFile>;
  readonly folders: Set<string>;
  failWrites: string | undefined;
}

/** A disk in memory. Every operation completes in a later turn of the virtual clock, as a real one would. */
export class SimulatedFiles implements Files {
  readonly #clock: Clock;
  readonly #disk: Disk;

  /** @param shared another view of the same disk, for instance that of a node that crashed. */
  constructor(clock: Clock, shared?: SimulatedFiles) {
    this.#clock = clock;
    this.#disk =
      shared !== undefined ? shared.#disk : { files: new Map(), folders: new Set(['/']), failWrites: undefined };
  }

  /** When set, every write fails with this code (`ENOSPC`, `EACCES`, …). */
  get failWrites(): string | undefined {
    return this.#disk.failWrites;
  }
  set failWrites(code: string | undefined) {
    this.#disk.failWrites = code;
  }

  get #files(): Map<string, StoredFile> {
    return this.#disk.files;
  }
  get #folders(): Set<string> {
    return this.#disk.folders;
  }

  read(path: string, options: { offset?: number; length?: number } = {}): Future<Uint8Array> {
    return this.#later(() => {
      const { data } = this.#file(path);
      const offset = options.offset ?? 0;
      return data.slice(offset, options.length === undefined ? undefined : offset + options.length);
    });
  }

  replace(path: string, data: Uint8Array | string): Future<void> {
    return this.#later(() => this.#store(path, bytesOf(data)));
  }

  append(path: string, data: Uint8Array | string): Future<void> {
    return this.#later(() =>
      this.#store(path, Buffer.concat([this.#files.get(path)?.data ?? new Uint8Array(), bytesOf(data)])),
    );
  }

  list(path: string): Future<readonly string[]> {
    return this.#later(() => {
      if (!this.#folders.has(path)) throw failure('ENOENT', 'no such folder', path);
      const inside = `${path === '/' ? '' : path}/`;
      const names = new Set<string>();
      for (const other of [...this.#files.keys(), ...this.#folders]) {
        if (other.startsWith(inside) && other !== inside) names.add(other.slice(inside.length).split('/', 1)[0] ?? '');
      }
      return [...names].filter((name) => name !== '').sort();
    });
  }

  stat(path: string): Future<{ readonly size: number; readonly directory: boolean; readonly modified: number }> {
    return this.#later(() => {
      if (this.#folders.has(path)) return { size: 0, directory: true, modified: 0 };
      const file = this.#file(path);
      return { size: file.data.length, directory: false, modified: file.modified };
    });
  }

  /** There are no symbolic links on this disk. */
  realPath(path: string): Future<string> {
    return this.#later(() => {
      if (!this.#folders.has(path)) this.#file(path);
      return path;
    });
  }

  createFolder(path: string): Future<void> {
    return this.#later(() => {
      this.#failIfTold(path);
      this.#makeFolders(path);
    });
  }

  remove(path: string): Future<void> {
    return this.#later(() => {
      for (const other of [...this.#files.keys()])
        if (other === path || other.startsWith(`${path}/`)) this.#files.delete(other);
      for (const other of [...this.#folders])
        if (other === path || other.startsWith(`${path}/`)) this.#folders.delete(other);
    });
  }

  /** What a scripted child writes while it runs; takes effect at once. */
  write(path: string, data: Uint8Array | string): void {
    this.#store(path, bytesOf(data));
  }

  /** The content now, for scripted children and assertions. */
  peek(path: string): string | undefined {
    const file = this.#files.get(path);
    return file === undefined ? undefined : Buffer.from(file.data).toString('utf8');
  }

  #store(path: string, data: Uint8Array): void {
    this.#failIfTold(path);
    this.#makeFolders(path.slice(0, path.lastIndexOf('/')) || '/');
    this.#files.set(path, { data, modified: this.#clock.now() });
  }

  #makeFolders(path: string): void {
    const parts = path.split('/').filter((part) => part !== '');
    for (let count = 1; count <= parts.length; count++) this.#folders.add(`/${parts.slice(0, count).join('/')}`);
  }

  #file(path: string): StoredFile {
    const file = this.#files.get(path);
    if (file === undefined) throw failure('ENOENT', 'no such file', path);
    return file;
  }

  #failIfTold(path: string): void {
    if (this.failWrites !== undefined) throw failure(this.failWrites, 'write refused by the simulation', path);
  }

  #later<T>(work: () => T): Future<T> {
    const deferred = new Deferred<T>();
    this.#clock.timer(0, () => {
      try {
        deferred.set(work());
      } catch (error) {
        deferred.fail(error);
      }
    });
    return deferred.future;
  }
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data.slice();
}

function failure(code: string, text: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${text}, '${path}'`), { code });
}
