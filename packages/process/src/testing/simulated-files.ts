import { Deferred, type Future } from '../future/future.ts';
import type { Clock, Files, Random } from '../platform/platform.ts';
import { failure, SimulatedDisk } from './simulated-disk.ts';
import { SeededRandom } from './seeded-random.ts';

/** A write that has begun: a crash leaves it done, not done, or done in part. */
interface Write {
  /** @param part of the data, from 0 to 1, that gets onto the disk. */
  readonly perform: (part: number) => void;
}

/**
 * A disk in memory, as one program sees it. Every operation completes in a later turn of the virtual clock, as a real one
 * would; those that are open at a time may overtake each other.
 */
export class SimulatedFiles implements Files {
  readonly disk: SimulatedDisk;
  /** @internal */
  readonly random: Random;
  readonly #clock: Clock;
  readonly #open = new Set<Write>();

  constructor(clock: Clock, disk?: SimulatedDisk, random: Random = new SeededRandom('files')) {
    this.#clock = clock;
    this.random = random;
    this.disk = disk ?? new SimulatedDisk(random);
  }

  /** See SimulatedDisk. */
  get failWrites(): string | undefined {
    return this.disk.failWrites;
  }
  set failWrites(code: string | undefined) {
    this.disk.failWrites = code;
  }

  read(path: string, options: { offset?: number; length?: number } = {}): Future<Uint8Array> {
    return this.#later(() => {
      const offset = options.offset ?? 0;
      return this.#file(path).slice(offset, options.length === undefined ? undefined : offset + options.length);
    });
  }

  replace(path: string, data: Uint8Array | string): Future<void> {
    const bytes = bytesOf(data);
    // Until the rename there is only the temporary file, so a crash leaves all of it or nothing.
    return this.#write((part) => {
      if (part >= 0.5) this.disk.replace(path, bytes, this.#clock.now(), true);
    });
  }

  create(path: string, data: Uint8Array | string): Future<void> {
    const bytes = bytesOf(data);
    return this.#write((part) => {
      if (part >= 0.5) this.disk.create(path, bytes, this.#clock.now());
    });
  }

  append(path: string, data: Uint8Array | string): Future<void> {
    const bytes = bytesOf(data);
    return this.#write((part) => {
      const length = Math.round(bytes.length * part);
      if (length > 0 || part === 1) this.disk.append(path, bytes.subarray(0, length), this.#clock.now());
    });
  }

  list(path: string): Future<readonly string[]> {
    return this.#later(() => {
      const names = this.disk.list(path);
      if (names === undefined) throw failure('ENOENT', 'no such folder', path);
      return names;
    });
  }

  stat(path: string): Future<{ readonly size: number; readonly directory: boolean; readonly modified: number }> {
    return this.#later(() => {
      const found = this.disk.stat(path);
      if (found === undefined) throw failure('ENOENT', 'no such file', path);
      return found;
    });
  }

  /** There are no symbolic links on this disk. */
  realPath(path: string): Future<string> {
    return this.#later(() => {
      if (this.disk.stat(path) === undefined) throw failure('ENOENT', 'no such file', path);
      return path;
    });
  }

  createFolder(path: string): Future<void> {
    return this.#write((part) => {
      if (part >= 0.5) this.disk.createFolder(path);
    });
  }

  remove(path: string): Future<void> {
    return this.#write((part) => {
      if (part >= 0.5) this.disk.remove(path, this.#clock.now());
    });
  }

  /** What a scripted child writes while it runs, unsynced; takes effect at once. */
  write(path: string, data: Uint8Array | string): void {
    this.disk.replace(path, bytesOf(data), this.#clock.now(), false);
  }

  /** The content now, for scripted children and assertions. */
  peek(path: string): string | undefined {
    const data = this.disk.read(path);
    return data === undefined ? undefined : Buffer.from(data).toString('utf8');
  }

  /** @internal The program was killed: nobody hears of what is under way, but some of it may have happened. */
  abort(): void {
    for (const write of this.#open) {
      try {
        write.perform(this.random.next());
      } catch {
        // A full disk has nobody to tell.
      }
    }
    this.#open.clear();
  }

  #file(path: string): Uint8Array {
    const data = this.disk.read(path);
    if (data === undefined) throw failure('ENOENT', 'no such file', path);
    return data;
  }

  #write(perform: Write['perform']): Future<void> {
    const write: Write = { perform };
    this.#open.add(write);
    return this.#later(() => {
      this.#open.delete(write);
      perform(1);
    });
  }

  #later<T>(work: () => T): Future<T> {
    const deferred = new Deferred<T>();
    const [least, most] = this.disk.latency;
    this.#clock.timer(most > 0 ? least + this.random.next() * (most - least) : 0, () => {
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
  if (typeof data !== 'string') return data.slice();
  // Short texts share memory, which costs a fraction of memory of their own.
  const { buffer, byteOffset, length } = Buffer.from(data);
  return new Uint8Array(buffer, byteOffset, length);
}
