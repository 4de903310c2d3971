import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { Future } from '../future/future.ts';

/** What a machine has; sizes in bytes. */
export interface Hardware {
  readonly cpus: number;
  readonly memory: number;
  /** Size of the file system that holds `folder`, which must exist. */
  disk(folder: string): Future<number>;
}

/** The machine this OS process runs on. */
export function nodeHardware(): Hardware {
  return {
    cpus: availableParallelism(),
    memory: totalmem(),
    disk: (folder) => Future.from(statfs(folder).then(({ blocks, bsize }) => blocks * bsize)),
  };
}
