import type { TextFile } from './manifest.ts';

/** Files that one task counts. */
export interface Shard {
  readonly index: number;
  readonly files: readonly TextFile[];
  readonly bytes: number;
}

interface Load {
  readonly files: TextFile[];
  bytes: number;
}

/**
 * Deals files out so that shards have nearly the same number of bytes: largest file first, each to the lightest shard. The
 * same files give the same shards. No shard is empty, so there may be fewer than asked for.
 *
 * @throws RangeError if `count` is not a positive whole number
 */
export function makeShards(files: readonly TextFile[], count: number): readonly Shard[] {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`Cannot make ${count} shards: expected a whole number from 1`);
  }
  const loads: Load[] = Array.from({ length: Math.min(count, files.length) }, () => ({ files: [], bytes: 0 }));
  const largestFirst = files.toSorted((a, b) => b.size - a.size || Buffer.compare(a.path, b.path));
  for (const file of largestFirst) {
    const load = lightest(loads);
    load.files.push(file);
    load.bytes += file.size;
  }
  return loads.map(({ files: own, bytes }, index) => ({
    index,
    files: own.toSorted((a, b) => Buffer.compare(a.path, b.path)),
    bytes,
  }));
}

/** Among equals the one with the fewest files, so that empty files spread too. */
function lightest(loads: readonly Load[]): Load {
  return loads.reduce((best, load) =>
    load.bytes < best.bytes || (load.bytes === best.bytes && load.files.length < best.files.length) ? load : best,
  );
}
